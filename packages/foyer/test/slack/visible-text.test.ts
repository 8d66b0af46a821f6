import assert from 'node:assert/strict';
import { test } from 'node:test';
import { scopesIn, visibleText, visibleValue } from '../../src/slack/slack-text.ts';

test('visibleText returns null for a text without visible characters', () => {
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

test('visibleText trims a text, and replaces its control characters by a space, since Postgres refuses U+0000', () => {
  assert.equal(visibleText('Gr\u0000ace\u0007'), 'Gr ace');
  assert.equal(visibleText('  Zoë 👩‍👩‍👧 '), 'Zoë 👩‍👩‍👧');
});

test('visibleText cuts a long text to 255 characters, never inside a character, and visibleValue drops a value that is too long', () => {
  assert.equal(visibleText('x'.repeat(255)), 'x'.repeat(255));
  assert.equal(visibleText('x'.repeat(10_000)), `${'x'.repeat(254)}…`);
  assert.equal(visibleText(`x${'😀'.repeat(200)}`), `x${'😀'.repeat(126)}…`);
  assert.equal(visibleText('half \ud83d of a character'), 'half \ufffd of a character');
  const address = `https://avatars.example/${'a'.repeat(500)}`;
  assert.equal(visibleValue(address), address);
  assert.equal(visibleValue(`${address}${'a'.repeat(2000)}`), null);
});

test('scopesIn trims scopes, and drops empty and repeated ones', () => {
  assert.deepEqual(scopesIn(' team:read,users:read, users:read ,,'), ['team:read', 'users:read']);
  assert.deepEqual(scopesIn(['chat:write', ' chat:write ', '', null]), ['chat:write']);
  assert.deepEqual(scopesIn(''), []);
  assert.deepEqual(scopesIn(undefined), []);
});
