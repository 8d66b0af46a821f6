import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

test('the file of the command slack-sandbox names Node in its first line', () => {
  const { bin } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
  const source = bin['slack-sandbox'].replace('./dist/', './').replace(/js$/, 'ts');
  const [first] = readFileSync(new URL(source, import.meta.url), 'utf8').split('\n');
  assert.equal(first, '#!/usr/bin/env node');
});
