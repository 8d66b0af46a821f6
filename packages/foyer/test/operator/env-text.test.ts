import assert from 'node:assert/strict';
import { chownSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { parse as parseDotenv } from 'dotenv';
import fc from 'fast-check';
import { CommandError } from '../../src/operator/command-error.ts';
import { setVariables, writeEnvFile } from '../../src/operator/setup/write-env-file.ts';

const existing = `# Our own notes: don't lose them
export PORT=3100 # behind nginx
  LOG_LEVEL = debug
SLACK_CLIENT_SECRET="old
over two lines" # the old one's
EMPTY=

PRIVACY_URL='https://example.com/a#b'
# SLACK_CLIENT_SECRET=commented out
MULTI=\`it's
"fine"\`
`;

test('setVariables replaces the value of a variable in its line, adds a new variable at the end, and keeps every other line', () => {
  const text = setVariables(existing, { SLACK_CLIENT_SECRET: 'new', NEW_ONE: 'x y', EMPTY: '1' });
  assert.equal(
    text,
    existing
      .replace('"old\nover two lines" # the old one\'s', "new # the old one's")
      .replace('EMPTY=\n', 'EMPTY=1\n')
      .concat("NEW_ONE='x y'\n"),
  );
});

test('setVariables replaces the last of two assignments to one variable, since only the last one takes effect', () => {
  const text = setVariables('A=1\nB=2\nA=3', { A: '4' });
  assert.equal(text, 'A=1\nB=2\nA=4');
  assert.equal(setVariables('A=1', { B: '2' }), 'A=1\nB=2\n');
  assert.equal(setVariables('', { B: '2' }), 'B=2\n');
});

test('setVariables writes a value only if dotenv reads back exactly that value', () => {
  const character = fc.oneof(
    fc.constantFrom('"', "'", '`', '\\', '#', '$', '=', ' ', '\n', '\t', '{', 'n', 'é', '\u2028', '\\n'),
    fc.string({ minLength: 1, maxLength: 1 }),
  );
  const value = fc.array(character, { maxLength: 12 }).map((parts) => parts.join(''));
  let refused = 0;
  let written = 0;
  fc.assert(
    fc.property(value, value, (first, second) => {
      try {
        const text = setVariables(existing, { SLACK_CLIENT_SECRET: first, ADDED: second });
        written += 1;
        const read = parseDotenv(text);
        assert.deepEqual(read, { ...parseDotenv(existing), SLACK_CLIENT_SECRET: first, ADDED: second });
      } catch (error) {
        if (!(error instanceof CommandError)) throw error;
        refused += 1;
        assert.match(error.message, /^(SLACK_CLIENT_SECRET|ADDED) cannot be written/);
      }
    }),
    { numRuns: 2000 },
  );
  assert.ok(written > refused * 4, `${written} written, ${refused} refused`);
});

test('setVariables accepts every secret that consists of common characters', () => {
  const one = fc.string({
    unit: fc.constantFrom(...'abcXYZ019!"$%&/()=?+*~#-_.:,;<>|@^ \\'),
    minLength: 1,
    maxLength: 40,
  });
  fc.assert(
    fc.property(one, (secret) => {
      assert.equal(parseDotenv(setVariables(existing, { S: secret })).S, secret);
    }),
    { numRuns: 1000 },
  );
});

test('if root writes an existing .env, the file keeps its owner', {
  skip: process.getuid?.() !== 0 && 'only root may change the owner of a file',
}, (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'foyer-env-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const file = join(folder, '.env');
  writeFileSync(file, 'PORT=3100\n');
  chownSync(file, 4711, 4712);
  writeEnvFile(folder, { PUBLIC_URL: 'https://foyer.example.com' }, { template: '', now: 0 });
  const { uid, gid, mode } = statSync(file);
  assert.deepEqual([uid, gid, mode & 0o777], [4711, 4712, 0o600]);
});
