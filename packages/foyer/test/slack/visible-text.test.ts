import assert from 'node:assert/strict';
import { test } from 'node:test';
import { scopesIn, visibleText } from '../../src/slack/visible-text.ts';

test('a text in which nobody can see anything is none', () => {
  const blanks = [
    '',
    ' ',
    '\t\n',
    '\u0000',
    '\u200b\u200d',
    '\u00a0',
    '\u3164',
    '\u2800',
    '\ufeff',
    '\u202e',
  ];
  for (const text of [...blanks, null, undefined, 5, {}]) {
    assert.equal(visibleText(text), null, JSON.stringify(text));
  }
});

test('a text is kept without what a database cannot store', () => {
  assert.equal(visibleText('Gr\u0000ace\u0007'), 'Gr ace');
  assert.equal(visibleText('  Zoë 👩‍👩‍👧 '), 'Zoë 👩‍👩‍👧');
});

test('scopes are trimmed, each once, and none is empty', () => {
  assert.deepEqual(scopesIn(' team:read,users:read, users:read ,,'), ['team:read', 'users:read']);
  assert.deepEqual(scopesIn(['chat:write', ' chat:write ', '', null]), ['chat:write']);
  assert.deepEqual(scopesIn(''), []);
  assert.deepEqual(scopesIn(undefined), []);
});
