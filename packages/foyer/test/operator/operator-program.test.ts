import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseConfig } from '../../src/config/config.ts';
import { foyerVersion } from '../../src/config/version.ts';
import { DatabaseUnavailableError } from '../../src/database/database.ts';
import { fixtureManifest } from '../support/fixture-manifest.ts';
import { createOperatorHarness } from './operator-harness.ts';

const commands = [
  'setup',
  'doctor',
  'support-bundle',
  'review',
  'list',
  'show',
  'members',
  'requests',
  'retry',
  'jobs',
  'connect',
  'revoke',
  'export',
  'erase',
  'purge',
  'maintenance',
  'backup',
  'copy',
  'import',
  'keys',
  'manifest',
  'completion',
];

test('--help of a command prints an example to stdout and exits with code 0', async (t) => {
  const { run } = await createOperatorHarness(t);
  for (const command of commands) {
    const { exitCode, stdout, stderr } = await run([command, '--help']);
    assert.equal(exitCode, 0, command);
    assert.equal(stderr, '', command);
    assert.match(stdout, new RegExp(`Usage: npm run foyer -- ${command}`));
    assert.match(stdout, /\nExamples:\n {2}# .+\n {2}npm run foyer -- /);
    assert.match(stdout, new RegExp(`npm run foyer -- ${command} ?(?!\\[).*\\n`));
    // `completion` prints a script, which has no JSON form.
    if (command !== 'completion') assert.match(stdout, /--json/);
  }
  const all = await run(['--help']);
  assert.equal(all.exitCode, 0);
  const listed = [...all.stdout.matchAll(/^ {2}([a-z][a-z-]+) .*? {2}/gm)].map(([, command]) => command);
  assert.deepEqual(listed, [...commands, 'help']);
});

test('wrong usage of a subcommand exits with code 2', async (t) => {
  const { run } = await createOperatorHarness(t);
  for (const commandLine of [
    ['keys', 'rotate', 'main'],
    ['keys', 'rotate', '--nope'],
    ['keys', 'forget'],
  ]) {
    const { exitCode, stdout, stderr } = await run(commandLine);
    assert.deepEqual([exitCode, stdout], [2, ''], commandLine.join(' '));
    assert.match(stderr, /^error: .+\n\(add --help to see the usage\)/);
  }
});

test('wrong usage exits with code 2, prints an error to stderr and leaves stdout empty', async (t) => {
  const { run } = await createOperatorHarness(t);
  const wrong = [
    [],
    ['lsit'],
    ['list', 'T1'],
    ['list', '--status', 'gone'],
    ['list', '--nope'],
    ['show'],
    ['show', 'T1', 'T2'],
    ['retry'],
    ['purge'],
    ['purge', 'T1'],
    ['revoke'],
    ['revoke', 'T1'],
    ['revoke', 'T1', '--all', '--yes'],
    ['jobs', 'bill'],
    ['maintenance'],
    ['maintenance', 'later'],
    ['import'],
    ['review', 'all'],
    ['backup'],
    ['keys', 'turn'],
    ['setup'],
    ['doctor', 'all'],
    ['support-bundle', 'a.json', 'b.json'],
    ['support-bundle', 'a.json', '--json'],
    ['requests', '--day', '2026-02-30'],
    ['requests', '--day', 'today'],
    ['requests', '--limit', '0'],
    ['requests', '--outcome', 'lost'],
  ];
  for (const commandLine of wrong) {
    const { exitCode, stdout, stderr } = await run(commandLine);
    assert.equal(exitCode, 2, commandLine.join(' '));
    assert.equal(stdout, '', commandLine.join(' '));
    assert.notEqual(stderr, '', commandLine.join(' '));
  }
});

test('an unexpected failure exits with code 1 and shows no secret', async (t) => {
  const { run } = await createOperatorHarness(t);
  const { exitCode, stdout, stderr } = await run(['list', '--json'], {
    readConfig: () => {
      throw new Error('it broke at xoxb-1234-secret');
    },
  });
  assert.equal(exitCode, 1);
  assert.equal(stdout, '');
  assert.match(stderr, /bug in Foyer[\s\S]*it broke at \[secret\]/);
});

test('if the database cannot be used, a command reports that and points to doctor', async (t) => {
  const { run } = await createOperatorHarness(t);
  const { exitCode, stdout, stderr } = await run(['retry', 'run_1', '--json'], {
    openDatabase: async () => {
      throw new DatabaseUnavailableError('The database cannot be used: database is locked', {
        cause: new Error('database is locked'),
      });
    },
  });
  assert.deepEqual([exitCode, stdout], [1, '']);
  assert.match(stderr, /database is locked\.\n`npm run foyer -- doctor` says what is wrong/);
});

test('the example address in a fix is printed in full, but the password in a real address is hidden', async (t) => {
  const { run } = await createOperatorHarness(t);
  const adviceFor = async (environment: Record<string, string>) => {
    const readConfig = () => parseConfig(environment, fixtureManifest);
    return (await run(['list'], { readConfig })).stderr;
  };
  assert.match(
    await adviceFor({ DATABASE_URL: 'nowhere' }),
    /postgres:\/\/user:password@host\/database \(with/,
  );
  assert.match(await adviceFor({ NOTIFY_SMTP_URL: 'nowhere' }), /smtp:\/\/user:password@host:587 or/);
  const quoted = [
    'postgres://me:password@host.example/db',
    'smtp://me:password@host:587@db',
    'postgres://me:pa@ss@h/d',
  ];
  for (const url of quoted) {
    const { stderr } = await run(['list', url]);
    assert.match(stderr, /:\/\/me:\[secret\]@/);
    assert.doesNotMatch(stderr, /password@|pa@|ss@/);
  }
});

test('--version prints the version, without a configuration', async (t) => {
  const { run } = await createOperatorHarness(t);
  const readConfig = () => assert.fail('it needs no configuration');
  const { exitCode, stdout, stderr } = await run(['--version'], { readConfig });
  assert.deepEqual([exitCode, stdout, stderr], [0, `${foyerVersion}\n`, '']);
});
