import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { parseConfig } from '../../src/config/config.ts';
import { createKeyring } from '../../src/installations/keyring.ts';
import { createSealer } from '../../src/installations/sealer.ts';
import { checkKey } from '../../src/operator/doctor/check-key.ts';
import { loadExistingKeyring } from '../../src/operator/open-existing-database.ts';
import { fixtureManifest } from '../support/fixture-manifest.ts';
import { openTestDatabase } from '../support/open-test-database.ts';
import { storeInstallation } from './operator-harness.ts';

test('doctor reports a missing key file only if something is encrypted', async (t) => {
  const { database, close } = await openTestDatabase();
  t.after(close);
  const environment = {
    ...{ SLACK_CLIENT_ID: '1.2', SLACK_CLIENT_SECRET: 'client-secret', SLACK_SIGNING_SECRET: 'secret' },
    DATABASE_URL: 'file:/nowhere/foyer.db',
  };
  const config = parseConfig(environment, fixtureManifest);
  const check = async () => (await checkKey(config, loadExistingKeyring, database.queries, false))[0];
  assert.deepEqual(await check(), {
    check: 'key',
    status: 'ok',
    detail:
      'Nothing in the database is encrypted, so Foyer creates the key file /nowhere/foyer.db.key when it next starts.',
    fix: null,
  });
  await storeInstallation(database, { id: 'ins_1', sealed_bot: 'v1.lost.x' });
  const lost = await check();
  assert.deepEqual(
    [lost?.status, lost?.detail],
    ['fault', 'The key file /nowhere/foyer.db.key is missing. Restore it, or set TOKEN_ENCRYPTION_KEYS.'],
  );
});

test('doctor tries to decrypt the tokens of the 10,000 oldest and the 10,000 newest installations, and says that it tried no others', async (t) => {
  const { database, close } = await openTestDatabase();
  t.after(close);
  const { queries } = database;
  const key = { id: 'main', base64: randomBytes(32).toString('base64') };
  const keyring = createKeyring([key]);
  const sealer = createSealer({ keyring, purpose: 'tokens' });
  const config = parseConfig(
    {
      ...{ SLACK_CLIENT_ID: '1.2', SLACK_CLIENT_SECRET: 'client-secret', SLACK_SIGNING_SECRET: 'secret' },
      TOKEN_ENCRYPTION_KEYS: `main:${key.base64}`,
    },
    fixtureManifest,
  );
  const idOf = (number: number) => `ins_${String(number).padStart(6, '0')}`;
  async function store(from: number, to: number) {
    await storeInstallation(database, { id: idOf(from), team_id: `T${from}`, sealed_bot: sealOf(from) });
    const row = await queries
      .selectFrom('installations')
      .selectAll()
      .where('id', '=', idOf(from))
      .executeTakeFirstOrThrow();
    for (let first = from + 1; first < to; first += 500) {
      const numbers = Array.from({ length: Math.min(500, to - first) }, (_, at) => first + at);
      const rows = numbers.map((number) => ({
        ...row,
        ...{ id: idOf(number), team_id: `T${number}`, tenant: `team:T${number}`, sealed_bot: sealOf(number) },
      }));
      await database.write((tx) => tx.insertInto('installations').values(rows).execute());
    }
  }
  const sealOf = (number: number) => sealer.seal('{}', `installation:${idOf(number)}:bot`);
  /** Gives an installation the token of another one. */
  const copyToken = (to: number, from: number) =>
    queries
      .updateTable('installations')
      .set({ sealed_bot: sealOf(from) })
      .where('id', '=', idOf(to))
      .execute();
  const check = async () => (await checkKey(config, () => keyring, queries, false))[0];

  await store(0, 10_001);
  assert.equal(
    (await check())?.detail,
    'Everything stored is encrypted with a known key (main), and every installation’s token decrypts.',
  );
  await copyToken(10_000, 1);
  assert.match(
    (await check())?.detail ?? '',
    /^1 installation \(ins_010000\) holds a token .*another row\.$/,
  );

  await store(10_001, 20_002);
  assert.match(
    (await check())?.detail ?? '',
    /^Everything stored is encrypted with a known key \(main\), and the tokens of the 10000 oldest and the 10000 newest installations decrypt; the others were not tried\.$/,
  );
  await copyToken(20_001, 1);
  const newest = await check();
  assert.equal(newest?.status, 'fault');
  assert.match(
    newest?.detail ?? '',
    / \(ins_020001\) holds a token .*another row\. Of all installations, only the 10000 oldest and the 10000 newest were tried\.$/,
  );
  await queries
    .updateTable('installations')
    .set({ sealed_bot: sealOf(1) })
    .execute();
  assert.match((await check())?.detail ?? '', /^More than 100 installations \(.*, …\) hold a token /);
});
