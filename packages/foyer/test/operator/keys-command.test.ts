import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { type TestContext, test } from 'node:test';
import { promisify } from 'node:util';
import { createLogger } from '../../src/config/log.ts';
import type { Database } from '../../src/database/database.ts';
import { unstoredTokensPlace, unstoredTokensPurpose } from '../../src/install/unstored-tokens.ts';
import { createInstallationStore } from '../../src/installations/create-installation-store.ts';
import { createKeyring, type Keyring } from '../../src/installations/keyring.ts';
import { createSealer } from '../../src/installations/sealer.ts';
import { verifyKeyring } from '../../src/installations/verify-keyring.ts';
import { rotateKeys } from '../../src/operator/keys/rotate-keys.ts';
import { keysOf, teamInstall } from '../support/installations.ts';
import type { EngineName } from '../support/stage-database.ts';
import { createOperatorHarness, storeRequest, testOnBothEngines } from './operator-harness.ts';

const run = promisify(execFile);
const installOften = new URL('../installations/install-often.ts', import.meta.url).pathname;
const log = createLogger({ logLevel: 'silent', secrets: [] }, { pretty: false });

const [oldKey, newKey] = keysOf('old', 'new');
if (!oldKey || !newKey) throw new Error('no keys');
const before = createKeyring([oldKey]);
const rotated = createKeyring([newKey, oldKey]);
const after = createKeyring([newKey]);

function storeOf(database: Database, keyring: Keyring, clientId = '1.2') {
  return createInstallationStore({ database, keyring, clientId, stepNames: ['a'], now: Date.now, log });
}

const requestSealer = (keyring: Keyring) => createSealer({ keyring, purpose: unstoredTokensPurpose });

/** As many teams as given under the old key, each with a bot's and a person's token, and one interrupted install. */
async function prepare(t: TestContext, teams: number, engine?: EngineName) {
  const harness = await createOperatorHarness(t, {}, engine);
  await verifyKeyring(harness.database, before);
  const store = storeOf(harness.database, before);
  for (let team = 0; team < teams; team += 1) {
    const install = teamInstall({ teamId: `T${team}`, botToken: `xoxb-${team}`, userToken: `xoxp-${team}` });
    await store.recordInstall(install);
  }
  const sealed = requestSealer(before).seal('{"tokens":["xoxb-unstored"]}', unstoredTokensPlace('req_1'));
  await storeRequest(harness.database, { id: 'req_1', outcome: 'started', sealed_tokens: sealed });
  const progress: (string | null)[] = [];
  const keys = (commandLine: readonly string[], keyring: Keyring) =>
    harness.run(['keys', ...commandLine], {
      loadKeyring: () => keyring,
      progress: (text) => void progress.push(text),
    });
  return { ...harness, keys, progress };
}

testOnBothEngines(
  'keys rotate puts everything under the first key, and tells that the old one can go',
  async (t, engine) => {
    const { database, keys, progress } = await prepare(t, 130, engine);
    await keys(['rotate', '--dry-run'], before);
    const dry = await keys(['rotate', '--dry-run', '--json'], rotated);
    assert.equal(dry.exitCode, 0, dry.stderr);
    assert.deepEqual(JSON.parse(dry.stdout).keys, [
      { id: 'new', role: 'current', needed: true, total: 0, bots: 0, users: 0, requests: 0 },
      { id: 'old', role: 'given', needed: true, total: 261, bots: 130, users: 130, requests: 1 },
    ]);

    const { exitCode, stdout, stderr } = await keys(['rotate'], rotated);
    assert.equal(exitCode, 0, stderr);
    assert.match(stdout, /^new +encrypts +130 +130 +1 +yes$/m);
    assert.match(stdout, /^old +decrypts +0 +0 +0 +no$/m);
    assert.match(stderr, /Encrypted anew: 261\.\n.*Nothing needs old any more/);
    assert.deepEqual([progress[0], progress.at(-1)], ['100 of about 261 encrypted anew', null]);

    const stored = await storeOf(database, after).fetchInstallation({ teamId: 'T7', userId: 'U1' });
    assert.deepEqual([stored.bot?.token, stored.user.token], ['xoxb-7', 'xoxp-7']);
    const request = await database.queries
      .selectFrom('install_requests')
      .selectAll()
      .executeTakeFirstOrThrow();
    const opened = requestSealer(after).open(request.sealed_tokens ?? '', unstoredTokensPlace('req_1'));
    assert.equal(opened, '{"tokens":["xoxb-unstored"]}');

    const again = JSON.parse((await keys(['rotate', '--json'], after)).stdout);
    assert.equal(again.renewed, 0);
    assert.deepEqual(
      again.keys.map((key: { id: string }) => key.id),
      ['new'],
      'a key that nothing needs, and that is not given, is forgotten',
    );
  },
);

test('keys rotate that was cut off goes on where it was', async (t) => {
  const { database, keys } = await prepare(t, 3);
  const one = await storeOf(database, rotated).findInstallation({ teamId: 'T1', userId: 'U1' });
  assert.ok(one);
  const refreshed = { token: 'xoxb-fresh', refreshToken: 'xoxe-1-fresh', expiresAt: 2_000_000_000 };
  const holder = { installationId: one.installationId };
  assert.equal(await storeOf(database, rotated).saveRefreshed(holder, one.version, refreshed), true);
  const { renewed } = JSON.parse((await keys(['rotate', '--json'], rotated)).stdout);
  assert.equal(renewed, 6, 'the one that was done is left alone');
  const stored = await storeOf(database, after).fetchInstallation({ teamId: 'T1', userId: 'U1' });
  assert.deepEqual([stored.bot?.token, stored.user.token], ['xoxb-fresh', 'xoxp-1']);
});

for (const [what, at] of [
  ['the bot’s', 1],
  ['a person’s', 2],
] as const) {
  testOnBothEngines(
    `keys rotate leaves ${what} token as it is that was replaced since it was read`,
    async (t, engine) => {
      const { database } = await prepare(t, 1, engine);
      const working = storeOf(database, createKeyring([oldKey, newKey]));
      const newer = teamInstall({ teamId: 'T0', botToken: 'xoxb-newer', userToken: 'xoxp-newer' });
      let writes = 0;
      const interrupted: Database = {
        ...database,
        async write(work, patienceMs) {
          writes += 1;
          if (writes === at) await working.recordInstall(newer);
          return database.write(work, patienceMs);
        },
      };
      await rotateKeys({ database: interrupted, keyring: rotated });
      const stored = await storeOf(database, rotated).fetchInstallation({ teamId: 'T0', userId: 'U1' });
      assert.deepEqual([stored.bot?.token, stored.user.token], ['xoxb-newer', 'xoxp-newer']);
    },
  );
}

test('keys rotate without the old key changes nothing, and names it', async (t) => {
  const { keys, database } = await prepare(t, 2);
  const { exitCode, stdout, stderr } = await keys(['rotate', '--json'], after);
  assert.deepEqual([exitCode, stdout], [1, '']);
  assert.match(stderr, /encrypted with the key old, which is missing/);
  assert.ok(await storeOf(database, before).fetchInstallation({ teamId: 'T1' }));
});

testOnBothEngines(
  'keys rotate beside a process that still encrypts with the old key loses no token',
  async (t, engine) => {
    const { database, keys, config } = await prepare(t, 1, engine);
    const rounds = 30;
    const working = run(process.execPath, [
      installOften,
      JSON.stringify(config.database),
      oldKey.base64,
      'A',
      String(rounds),
      'old',
      // Whoever rotates has given the new key to all: one that has not heard that it is the first now can read it.
      `new:${newKey.base64}`,
    ]);
    let done = false;
    const ended = working.finally(() => {
      done = true;
    });
    let turns = 0;
    while (!done) {
      const { exitCode, stderr } = await keys(['rotate', '--json'], rotated);
      // What the other has written in between is told, and is no loss.
      assert.ok(exitCode === 0 || /Something is still encrypted with old/.test(stderr), stderr);
      turns += 1;
      // Everything above may be done without a turn of the event loop, which the other's end comes by.
      await new Promise((next) => setTimeout(next, 5));
    }
    assert.equal((await ended).stdout, 'done\n');
    assert.ok(turns > 2);
    assert.equal((await keys(['rotate', '--json'], rotated)).exitCode, 0);
    const stored = await storeOf(database, after, '1.1').fetchInstallation({ teamId: 'T1', userId: 'UA' });
    assert.deepEqual(
      [stored.bot?.token, stored.user.token],
      [`xoxb-A-${rounds - 1}`, `xoxp-A-${rounds - 1}`],
    );
  },
);
