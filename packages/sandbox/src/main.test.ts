import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

test('the file of the command slack-sandbox begins with a Node shebang', () => {
  const { bin } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
  const source = bin['slack-sandbox'].replace('./dist/', './').replace(/js$/, 'ts');
  const [first] = readFileSync(new URL(source, import.meta.url), 'utf8').split('\n');
  assert.equal(first, '#!/usr/bin/env node');
});

test('`slack-sandbox --help` shows the name of the command', async () => {
  const file = fileURLToPath(new URL('./main.ts', import.meta.url));
  const { stdout } = await promisify(execFile)(process.execPath, ['--conditions=source', file, '--help']);
  assert.match(stdout, /^Usage: slack-sandbox /);
});
