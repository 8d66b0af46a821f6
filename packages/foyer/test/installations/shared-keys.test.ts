import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { pino } from 'pino';
import type { Database } from '../../src/database/database.ts';
import { createInstallationStore } from '../../src/installations/create-installation-store.ts';
import { createKeyring, type Keyring, KeyringError } from '../../src/installations/keyring.ts';
import { findKeyMisfit, keepHoldingKey, verifyKeyring } from '../../src/installations/verify-keyring.ts';
import { createClock, keyringOf, keysOf, teamInstall } from '../support/installations.ts';
import { isWaitedFor } from '../support/is-waited-for.ts';
import { engines } from '../support/open-test-database.ts';

const [oldKey, newKey] = keysOf('old', 'new');
if (!oldKey || !newKey) throw new Error('no keys');
const before = createKeyring([oldKey]);
const rotated = createKeyring([newKey, oldKey]);
const after = createKeyring([newKey]);

const storeOf = (database: Database, keyring: Keyring) =>
  createInstallationStore({
    database,
    keyring,
    clientId: '1.1',
    stepNames: [],
    now: Date.now,
    log: pino({ level: 'silent' }),
  });

/** The recorded keys, each with the time when it was retired. */
const recordOf = async ({ queries }: Database) =>
  Object.fromEntries(
    (await queries.selectFrom('encryption_keys').select(['id', 'retired_at']).execute()).map(
      ({ id, retired_at }) => [id, retired_at],
    ),
  );

const isRefusedFor =
  (keyId: string) =>
  (error: unknown): boolean =>
    error instanceof KeyringError &&
    error.message.includes(`the key ${keyId}`) &&
    /missing/.test(error.message);

it('on Postgres, a start waits until another start has finished its key check, and then sees the key that the other start recorded', async (t) => {
  const { database, reopen, close } = await engines.Postgres();
  t.after(close);
  const isRecorded = Promise.withResolvers<void>();
  const mayCommit = Promise.withResolvers<void>();
  const slow: Database = {
    ...database,
    write: (work, patienceMs) =>
      database.write(async (tx) => {
        const result = await work(tx);
        isRecorded.resolve();
        await mayCommit.promise;
        return result;
      }, patienceMs),
  };
  const first = verifyKeyring(slow, keyringOf('a'), { process: 'web-1 7 x' });
  await isRecorded.promise;
  const second = verifyKeyring(await reopen(), keyringOf('b'), { process: 'web-2 8 y' });
  const looking = await reopen();
  await Promise.race([second.catch(() => {}), isWaitedFor(looking)]);
  mayCommit.resolve();
  await first;
  await assert.rejects(second, isRefusedFor('a'));
  assert.deepEqual(await recordOf(database), { a: null });
});

for (const [engine, open] of Object.entries(engines)) {
  describe(`the key check of two Foyers on one database (${engine})`, () => {
    it('the key check refuses a second Foyer that lacks the key of the first, even if nothing is stored yet', async (t) => {
      const { database, reopen, close } = await open();
      t.after(close);
      const { now, advance } = createClock();
      await verifyKeyring(database, keyringOf('a'), { now, process: 'web-1 7 x' });
      const second = await reopen();
      const other = keyringOf('b');
      await assert.rejects(verifyKeyring(second, other, { now, process: 'web-2 8 y' }), (error: unknown) => {
        assert.match(String(error), /process 7 on web-1\) encrypts with the key a, which is missing here/);
        return isRefusedFor('a')(error);
      });
      assert.deepEqual(await recordOf(database), { a: null }, 'a refused start records nothing');
      advance(80_000);
      await assert.rejects(verifyKeyring(second, other, { now, process: 'web-2 8 y' }), isRefusedFor('a'));
    });

    it('if several Foyers with different keys start on an empty database at the same time, the key check admits only one of them', async (t) => {
      const { database, reopen, close } = await open();
      t.after(close);
      const databases = [database, await reopen(), await reopen()];
      const results = await Promise.allSettled(
        databases.map((each, index) =>
          verifyKeyring(each, keyringOf(`key-${index}`), { process: `host ${index} x` }),
        ),
      );
      assert.deepEqual(results.map(({ status }) => status).sort(), ['fulfilled', 'rejected', 'rejected']);
      const winner = results.findIndex(({ status }) => status === 'fulfilled');
      assert.deepEqual(Object.keys(await recordOf(database)), [`key-${winner}`]);
      for (const result of results)
        if (result.status === 'rejected') assert.ok(isRefusedFor(`key-${winner}`)(result.reason));
    });

    it('the key check refuses one of two Foyers that have different keys under the same id', async (t) => {
      const { database, reopen, close } = await open();
      t.after(close);
      const results = await Promise.allSettled([
        verifyKeyring(database, keyringOf('twin')),
        verifyKeyring(await reopen(), keyringOf('twin')),
      ]);
      assert.deepEqual(results.map(({ status }) => status).sort(), ['fulfilled', 'rejected']);
      const refused = results.find(({ status }) => status === 'rejected');
      assert.ok(refused?.status === 'rejected' && refused.reason instanceof KeyringError);
    });

    it('the key check retires a key that no one needs, keeps its id, and refuses another key under that id', async (t) => {
      const { database, close } = await open();
      t.after(close);
      const { now, advance } = createClock();
      await verifyKeyring(database, before, { now, process: 'web-1 7 x' });
      await verifyKeyring(database, rotated, { now, process: 'web-1 7 x' });
      await verifyKeyring(database, after, { now, process: 'web-1 7 x' });
      assert.deepEqual(await recordOf(database), { old: now(), new: null });
      const fake = createKeyring([newKey, ...keysOf('old')]);
      await assert.rejects(verifyKeyring(database, fake, { now }), /key old is not the one/);
      advance(1000);
      await verifyKeyring(database, rotated, { now });
      assert.deepEqual(await recordOf(database), { old: null, new: null });
    });

    it('if a Foyer continues after it seemed dead, it records that its key is in use again, and each of the two Foyers reports the other’s key', async (t) => {
      const { database, reopen, close } = await open();
      t.after(close);
      const { now, advance } = createClock();
      const paused = { now, process: 'web-1 7 x' };
      await verifyKeyring(database, before, paused);
      advance(91_000);
      const second = await reopen();
      await verifyKeyring(second, after, { now, process: 'web-2 8 y' });
      assert.deepEqual(await recordOf(database), { old: now(), new: null });
      await storeOf(database, before).recordInstall(teamInstall());
      assert.match(
        String(await findKeyMisfit(second.queries, after, { now: now(), everySeal: true })),
        /encrypted with the key old, which is missing/,
        'doctor checks the stored seals',
      );
      assert.match(String(await keepHoldingKey(database, before, paused)), /process 8 on web-2.*key new/);
      assert.deepEqual(await recordOf(database), { old: null, new: null });
      assert.match(
        String(await keepHoldingKey(second, after, { now, process: 'web-2 8 y' })),
        /process 7 on web-1.*key old/,
      );
      await assert.rejects(verifyKeyring(second, after, { now }), isRefusedFor('old'));
    });

    it('the key check refuses a second Foyer with a new encryption key until the running Foyer has that key too or is gone', async (t) => {
      const { database, reopen, close } = await open();
      t.after(close);
      const { now, advance } = createClock();
      const [first, second] = [
        { now, process: 'web-1 7 x' },
        { now, process: 'web-2 8 y' },
      ];
      await verifyKeyring(database, before, first);
      const beside = await reopen();
      await assert.rejects(verifyKeyring(beside, rotated, second), (error: unknown) => {
        assert.ok(error instanceof KeyringError);
        assert.match(error.message, /process 7 on web-1\) does not have the key new/);
        return true;
      });
      assert.deepEqual(await recordOf(database), { old: null }, 'a refused start records nothing');
      await verifyKeyring(database, createKeyring([oldKey, newKey]), first);
      await verifyKeyring(beside, rotated, second);

      const lone = await open();
      t.after(lone.close);
      await verifyKeyring(lone.database, before, first);
      advance(91_000);
      await verifyKeyring(lone.database, rotated, second);
    });

    it('two Foyers that have the same two keys pass the key check, even if they encrypt with different keys', async (t) => {
      const { database, reopen, close } = await open();
      t.after(close);
      await verifyKeyring(database, createKeyring([oldKey, newKey]), { process: 'web-1 7 x' });
      const second = await reopen();
      await verifyKeyring(second, rotated, { process: 'web-2 8 y' });
      assert.equal(
        await keepHoldingKey(database, createKeyring([oldKey, newKey]), {
          now: Date.now,
          process: 'web-1 7 x',
        }),
        undefined,
      );
    });
  });
}
