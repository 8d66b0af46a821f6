import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { type TestContext, test } from 'node:test';
import { promisify } from 'node:util';
import { createLogger } from '../../src/config/log.ts';
import type { Database } from '../../src/database/database.ts';
import { holdKey } from '../../src/database/encryption-keys.ts';
import { unstoredTokensPlace, unstoredTokensPurpose } from '../../src/install/unstored-tokens.ts';
import { createInstallationStore } from '../../src/installations/create-installation-store.ts';
import { createKeyring, type Keyring } from '../../src/installations/keyring.ts';
import { createSealer } from '../../src/installations/sealer.ts';
import { findNewKeyMisfit, verifyKeyring } from '../../src/installations/verify-keyring.ts';
import { forgetKey } from '../../src/operator/keys/forget-key.ts';
import { rotateKeys } from '../../src/operator/keys/rotate-keys.ts';
import { loadExistingKeyring } from '../../src/operator/open-existing-database.ts';
import type { WorkProgress } from '../../src/operator/terminal/progress-bar.ts';
import { keysOf, teamInstall } from '../support/installations.ts';
import type { EngineName } from '../support/stage-database.ts';
import { createOperatorHarness, installedAt, storeRequest, testOnBothEngines } from './operator-harness.ts';

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

/**
 * Stores `teams` teams, each with a bot token and a user token, and the token of one interrupted install, all encrypted
 * with the old key.
 */
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
  const progress: (WorkProgress | null)[] = [];
  const keys = (commandLine: readonly string[], keyring: Keyring) =>
    harness.run(['keys', ...commandLine], {
      loadKeyring: () => keyring,
      progress: (at) => void progress.push(at),
    });
  return { ...harness, keys, progress };
}

testOnBothEngines(
  '`keys rotate` re-encrypts every token with the new key, and says that nothing needs the old key anymore',
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
    assert.match(stderr, /Re-encrypted: 261\.\n.*Nothing needs old anymore/);
    assert.deepEqual(progress[0], { doing: 're-encrypting', done: 100, of: 261, unit: 'tokens' });
    assert.equal(progress.at(-1), null);

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
      'a key that nothing needs and that is not configured is forgotten',
    );
  },
);

test('if a running Foyer lacks the new key, `keys rotate` changes nothing, and another Foyer cannot start with that key even after a dry run', async (t) => {
  const { database, keys } = await prepare(t, 1);
  const now = () => installedAt;
  await verifyKeyring(database, before, { now, process: 'web-1 7 x' });
  const dry = await keys(['rotate', '--dry-run', '--json'], rotated);
  assert.equal(dry.exitCode, 0, dry.stderr);
  await assert.rejects(
    verifyKeyring(database, rotated, { now, process: 'web-2 8 y' }),
    /process 7 on web-1\) does not have the key new/,
  );
  const { exitCode, stderr } = await keys(['rotate'], rotated);
  assert.equal(exitCode, 1);
  assert.match(stderr, /process 7 on web-1\) does not have the key new/);
  const stored = await storeOf(database, before).fetchInstallation({ teamId: 'T0', userId: 'U1' });
  assert.equal(stored.bot?.token, 'xoxb-0', 'the running Foyer can still read the token');
});

test('`keys rotate` does not re-encrypt a token that is already encrypted with the new key', async (t) => {
  const { database, keys } = await prepare(t, 3);
  const one = await storeOf(database, rotated).findInstallation({ teamId: 'T1', userId: 'U1' });
  assert.ok(one);
  const refreshed = { token: 'xoxb-fresh', refreshToken: 'xoxe-1-fresh', expiresAt: 2_000_000_000 };
  const holder = { installationId: one.installationId };
  assert.equal(await storeOf(database, rotated).saveRefreshed(holder, one.version, refreshed), true);
  const { renewed } = JSON.parse((await keys(['rotate', '--json'], rotated)).stdout);
  assert.equal(renewed, 6, 'the token that was already done is left alone');
  const stored = await storeOf(database, after).fetchInstallation({ teamId: 'T1', userId: 'U1' });
  assert.deepEqual([stored.bot?.token, stored.user.token], ['xoxb-fresh', 'xoxp-1']);
});

for (const [what, at] of [
  ['the bot’s', 1],
  ['a person’s', 2],
] as const) {
  testOnBothEngines(
    `\`keys rotate\` does not overwrite ${what} token if a new install replaces the token while the command runs`,
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

test('`keys rotate` changes nothing if the old key is missing, and names that key', async (t) => {
  const { keys, database } = await prepare(t, 2);
  const { exitCode, stdout, stderr } = await keys(['rotate', '--json'], after);
  assert.deepEqual([exitCode, stdout], [1, '']);
  assert.match(stderr, /encrypted with the key old, which is missing/);
  assert.ok(await storeOf(database, before).fetchInstallation({ teamId: 'T1' }));
});

testOnBothEngines(
  '`keys rotate` loses no token while another process still encrypts with the old key',
  async (t, engine) => {
    const { database, keys, config } = await prepare(t, 1, engine);
    const rounds = 30;
    assert.equal((await keys(['rotate', '--json'], rotated)).exitCode, 0);
    const installUntilDone = () =>
      run(process.execPath, [
        installOften,
        JSON.stringify(config.database),
        oldKey.base64,
        'A',
        String(rounds),
        'old',
        // Before a rotation, every process gets the new key. So a process that still encrypts with the old key can read
        // what the new key encrypts.
        `new:${newKey.base64}`,
      ]);
    let renewed = 0;
    // On a busy machine, the installing process may end before a rotation has re-encrypted any token. In that case, the
    // loop starts another installing process.
    while (renewed === 0) {
      let done = false;
      const ended = installUntilDone().finally(() => {
        done = true;
      });
      while (!done) {
        const { exitCode, stdout, stderr } = await keys(['rotate', '--json'], rotated);
        // If the other process has used the old key in the meantime, the command reports it.
        assert.ok(exitCode === 0 || /Some tokens are still encrypted with old/.test(stderr), stderr);
        const outcome: { renewed: number } = JSON.parse(stdout);
        if (!done) renewed += outcome.renewed;
        // Waits for the event loop: otherwise, this process would never learn that the other one has exited.
        await new Promise((next) => setTimeout(next, 5));
      }
      assert.equal((await ended).stdout, 'done\n');
    }
    assert.equal((await keys(['rotate', '--json'], rotated)).exitCode, 0);
    const stored = await storeOf(database, after, '1.1').fetchInstallation({ teamId: 'T1', userId: 'UA' });
    assert.deepEqual(
      [stored.bot?.token, stored.user.token],
      [`xoxb-A-${rounds - 1}`, `xoxp-A-${rounds - 1}`],
    );
  },
);

/** The rows that `keys forget` may change, except the record of the keys. */
async function everything({ queries }: Database) {
  const installations = await queries.selectFrom('installations').selectAll().orderBy('id').execute();
  const people = await queries.selectFrom('user_tokens').selectAll().orderBy('installation_id').execute();
  const runs = await queries.selectFrom('runs').select(['id', 'status']).orderBy('id').execute();
  const history = await queries.selectFrom('history').select(['kind', 'user_id', 'detail']).execute();
  const requests = await queries.selectFrom('install_requests').selectAll().orderBy('id').execute();
  return { installations, people, runs, history, requests };
}

test('`keys forget` prints reconnect links only for this app’s teams, and counts the installations of other apps', async (t) => {
  const { database, keys } = await prepare(t, 1);
  await storeOf(database, before, '9.9').recordInstall(teamInstall({ teamId: 'T9' }));
  const { exitCode, stdout, stderr } = await keys(['forget', 'old', '--yes', '--json'], after);
  assert.equal(exitCode, 0, stderr);
  const forgotten = JSON.parse(stdout);
  assert.deepEqual(
    forgotten.installations.map(({ teamId }: { teamId: string }) => teamId),
    ['T0'],
  );
  assert.doesNotMatch(stderr, /T9/);
  assert.match(stderr, /1 installation of another app in this database lost its token too/);
});

testOnBothEngines(
  '`keys forget` erases the tokens that a lost key encrypted, keeps every record, and prints a reconnect link for each team',
  async (t, engine) => {
    const { database, keys } = await prepare(t, 2, engine);
    await verifyKeyring(database, rotated);
    // The tokens of another app's team, and of a person in it, are encrypted with the key that is not lost.
    await storeOf(database, rotated, '9.9').recordInstall(
      teamInstall({ teamId: 'T9', botToken: 'xoxb-kept', userToken: 'xoxp-kept' }),
    );
    const stored = await everything(database);
    await assert.rejects(verifyKeyring(database, after), /run: npm run foyer -- keys forget old/);

    const { exitCode, stdout, stderr } = await keys(['forget', 'old', '--yes', '--json'], after);
    assert.equal(exitCode, 0, stderr);
    assert.deepEqual(JSON.parse(stdout), {
      key: 'old',
      installations: ['T0', 'T1'].map((teamId) => ({
        teamId,
        enterpriseId: null,
        reconnectUrl: `http://localhost:3000/slack/install?team=${teamId}`,
      })),
      people: 2,
      requests: 1,
    });
    await verifyKeyring(database, after);

    const left = await everything(database);
    const lost = left.installations.filter(({ client_id }) => client_id === '1.2');
    for (const row of lost) {
      assert.deepEqual([row.status, row.broken_reason, row.sealed_bot], ['broken', 'key_lost', null]);
      assert.equal(row.team_name, `Team ${row.team_id}`);
    }
    const isOther = ({ client_id }: { client_id: string }) => client_id === '9.9';
    assert.deepEqual(left.installations.filter(isOther), stored.installations.filter(isOther));
    assert.deepEqual(
      left.people,
      stored.people.filter(({ sealed_user }) => sealed_user.startsWith('v1.new.')),
    );
    const lines = left.history.filter(({ kind }) => kind === 'tokens_revoked');
    assert.deepEqual(
      lines.map(({ user_id }) => user_id).sort(),
      ['U1', 'U1', null, null],
      'one line for each token that was lost',
    );
    assert.deepEqual(
      left.runs.map(({ status }) => status).sort(),
      ['cancelled', 'cancelled', 'queued'],
      'the other app’s run continues',
    );
    assert.deepEqual(
      left.requests.map(({ id, outcome, error_code, sealed_tokens }) => [
        id,
        outcome,
        error_code,
        sealed_tokens,
      ]),
      [['req_1', 'failed', 'key_lost', null]],
    );
    const kept = await storeOf(database, after, '9.9').fetchInstallation({ teamId: 'T9', userId: 'U1' });
    assert.deepEqual([kept.bot?.token, kept.user.token], ['xoxb-kept', 'xoxp-kept']);

    const again = await storeOf(database, after).recordInstall(
      teamInstall({ teamId: 'T1', botToken: 'xoxb-again' }),
    );
    assert.equal(again.installationId, lost.find(({ team_id }) => team_id === 'T1')?.id, 'the same record');
    assert.equal(again.life, 1);
  },
);

testOnBothEngines(
  '`keys forget` refuses a key that is configured, unknown or in use, and changes nothing',
  async (t, engine) => {
    const { database, keys } = await prepare(t, 1, engine);
    const stored = await everything(database);
    const given = await keys(['forget', 'old', '--yes'], rotated);
    assert.deepEqual([given.exitCode, given.stdout], [1, '']);
    assert.match(given.stderr, /The key old is not lost: TOKEN_ENCRYPTION_KEYS/);
    assert.match(given.stderr, /If that key is a new one, give it another id/);
    const unknown = await keys(['forget', 'none', '--yes'], after);
    assert.equal(unknown.exitCode, 1);
    assert.match(unknown.stderr, /has never used a key none\. It has used: old\./);
    const holder = { process: 'web-1 7 x', keyId: 'old', now: installedAt - 60_000 };
    await database.write((tx) => holdKey(tx, holder));
    const held = await keys(['forget', 'old', '--yes'], after);
    assert.equal(held.exitCode, 1);
    assert.match(held.stderr, /process 7 on web-1 encrypts with this key, so the key is not lost/);
    assert.deepEqual(await everything(database), stored);
  },
);

test('`keys forget` does not forget a key that another process starts to use, and scrubs the database files after it forgets a key', async (t) => {
  const { database } = await prepare(t, 1);
  let writes = 0;
  let scrubs = 0;
  const watched = (onWrite: (count: number) => Promise<unknown>): Database => ({
    ...database,
    async write(work, patienceMs) {
      writes += 1;
      await onWrite(writes);
      return database.write(work, patienceMs);
    },
    async scrub() {
      scrubs += 1;
      await database.scrub();
    },
  });
  // The first transaction erases the lost tokens, the second finds no more, and the third deletes the key.
  const sealing = watched(async (count) => {
    if (count === 3) await storeOf(database, before).recordInstall(teamInstall({ teamId: 'T8' }));
  });
  const lost = { id: 'old', now: () => installedAt + 600_000 };
  await assert.rejects(forgetKey(sealing, lost), /a process has just encrypted something with this key/);
  const ids = async () =>
    (await database.queries.selectFrom('encryption_keys').select('id').execute()).length;
  assert.equal(await ids(), 1);
  const idle = watched(async () => {});
  await forgetKey(idle, lost);
  assert.deepEqual([await ids(), scrubs], [0, 1]);
});

test('`keys rotate` scrubs the database files twice: after it re-encrypts the installations, and after it re-encrypts the install requests', async (t) => {
  const { database } = await prepare(t, 1);
  /** Lists, for each scrub, the groups of rows in which something was still encrypted with the old key. */
  const left: string[][] = [];
  const scrub = async () => {
    const rows = Object.entries(await everything(database));
    left.push(rows.filter(([, row]) => JSON.stringify(row).includes('v1.old.')).map(([name]) => name));
    await database.scrub();
  };
  assert.equal(await rotateKeys({ database: { ...database, scrub }, keyring: rotated }), 3);
  assert.deepEqual(left, [['requests'], []]);
});

test('if the key file was lost, `keys forget` can still forget the key', async (t) => {
  const { database, run } = await prepare(t, 1);
  const { exitCode, stdout, stderr } = await run(['keys', 'forget', 'old', '--yes', '--json'], {
    loadKeyring: loadExistingKeyring,
  });
  assert.equal(exitCode, 0, stderr);
  assert.deepEqual([JSON.parse(stdout).people, JSON.parse(stdout).requests], [1, 1]);
  // Nothing in the database needs the lost key anymore, so the next start can create a new key file.
  assert.equal(await findNewKeyMisfit(database.queries, installedAt), undefined);
});

test('`keys forget` asks for confirmation, and says what will be lost', async (t) => {
  const { database, keys, run, config } = await prepare(t, 3);
  const silent = await keys(['forget', 'old'], after);
  assert.equal(silent.exitCode, 2);
  assert.match(silent.stderr, /Add --yes/);
  const stored = await everything(database);
  const asked: string[] = [];
  const ask = (answer: boolean) =>
    run(['keys', 'forget', 'old'], {
      loadKeyring: () => after,
      confirm: async (question) => {
        asked.push(question);
        return answer;
      },
    });
  const no = await ask(false);
  assert.equal(no.exitCode, 1);
  assert.match(no.stderr, /Installations that lose their token: 3; people: 3; interrupted installs: 1\./);
  assert.deepEqual(await everything(database), stored);
  const yes = await ask(true);
  assert.equal(yes.exitCode, 0, yes.stderr);
  assert.deepEqual(asked, ['Is the key old lost?', 'Is the key old lost?']);
  assert.match(yes.stdout, /Installations that lost their token: 3; people: 3/);
  assert.ok(yes.stderr.includes(`T2  ${config.http.baseUrl}/slack/install?team=T2`), yes.stderr);
});
