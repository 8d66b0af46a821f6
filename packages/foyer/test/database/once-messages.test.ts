import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import {
  beginOnceMessage,
  keepMessageSearch,
  type OnceMessageKey,
  readOnceMessage,
  settleOnceMessage,
} from '../../src/database/once-messages.ts';
import type { OnceMessageRow } from '../../src/database/records.ts';
import { keyringOf } from '../support/installations.ts';
import { engines } from '../support/open-test-database.ts';
import { insertTenant, inviteStrangers, ownRows } from '../support/strangers.ts';

const own = { installationId: 'ins_OWN', life: 1 };
/**
 * A welcome and a post of one tenant. The database also has other messages of that tenant, messages of its second life
 * (the time after a reinstall), and another tenant's messages with the same keys.
 */
const messages: OnceMessageKey[] = [
  { ...own, kind: 'welcome', key: 'U1' },
  { ...own, kind: 'post', key: 'tips' },
];
/** The call to Slack that the database records for each of these messages. */
const call = { runId: 'run_OWN1', now: 1, settledBy: 9 };

for (const [engine, open] of Object.entries(engines)) {
  async function setUp(t: TestContext) {
    const { database, close } = await open();
    const strangers = await inviteStrangers(database);
    t.after(() => strangers.assertUntouched().finally(close));
    const same = { clientId: '1.1', enterpriseId: null, grantsOf: 'E1', dueAt: 9, madeAt: 1 };
    await database.write(async (tx) => {
      for (const [mark, teamId] of [
        ['OWN', 'T1'],
        ['NEXT', 'T2'],
      ] as const)
        await insertTenant(tx, { ...same, mark, teamId }, ['U1', 'U2'], keyringOf('k1'));
    });
    for (const table of ['welcomes', 'posts'] as const) {
      const rows = (await ownRows(database, table)).map((row) => ({ ...row, life: 2 }));
      await database.queries
        .insertInto(table as 'posts')
        .values(rows as never)
        .execute();
    }
    const texts = async () =>
      [...(await ownRows(database, 'welcomes')), ...(await ownRows(database, 'posts'))]
        .map((row) => JSON.stringify(Object.entries(row).sort()))
        .sort();
    /** Runs `work`, and returns the message's row afterward. Fails if the row of another message has changed. */
    const alone = async (message: OnceMessageKey, work: () => Promise<unknown>) => {
      const before = await texts();
      const row = await readOnceMessage(database.queries, message);
      await work();
      const after = await texts();
      const gone = before.filter((text) => !after.includes(text));
      assert.ok(gone.length <= 1, 'it changed more than one message');
      if (gone[0]) assert.equal(gone[0], JSON.stringify(Object.entries(row ?? {}).sort()));
      return readOnceMessage(database.queries, message);
    };
    const settle = (message: OnceMessageKey, end: Parameters<typeof settleOnceMessage>[2]) =>
      alone(message, () => database.write((tx) => settleOnceMessage(tx, message, end)));
    return { database, texts, alone, settle };
  }

  describe(`messages that are sent once, on ${engine}`, () => {
    it('if two callers try to begin a welcome at the same time, one succeeds, and the other gets false instead of an error', async (t) => {
      const { database } = await setUp(t);
      const message = { ...own, kind: 'welcome' as const, life: 3, key: 'U1' };
      const begin = (runId: string) => {
        const first = { runId, now: 5, settledBy: 9, channelId: 'D1', previous: undefined };
        return database.write((tx) => beginOnceMessage(tx, message, first));
      };
      const begun = await Promise.all([begin('run_OWN1'), begin('run_OWN2')]);
      assert.deepEqual(begun.sort(), [false, true]);
      const row = await readOnceMessage(database.queries, message);
      assert.deepEqual([row?.status, row?.sent_at], ['sending', 9]);
    });

    it('beginOnceMessage begins another attempt only if no one has changed the message’s row since it was read', async (t) => {
      const { database, texts, alone } = await setUp(t);
      for (const message of messages) {
        const begin = (previous: OnceMessageRow | undefined) =>
          database.write((tx) =>
            beginOnceMessage(tx, message, {
              ...{ runId: 'run_OWN2', now: 20, settledBy: 29, channelId: 'D2' },
              previous,
            }),
          );
        const row = await readOnceMessage(database.queries, message);
        assert.ok(row);
        const before = await texts();
        const others = [
          ...[{ status: 'unconfirmed' as const }, { run_id: 'run_OWN3' }, { attempted_at: 2 }],
          ...[{ sent_at: 8 }, { sent_at: null }],
        ];
        for (const other of others)
          assert.equal(await begin({ ...row, ...other }), false, JSON.stringify(other));
        assert.deepEqual(await texts(), before);
        const begun = await alone(message, async () => assert.equal(await begin(row), true));
        assert.deepEqual([begun?.run_id, begun?.sent_at, begun?.channel_id], ['run_OWN2', 29, 'D2']);
        const table = message.kind === 'post' ? 'posts' : 'welcomes';
        await database.queries
          .updateTable(table as 'posts')
          .set({ sent_at: null })
          .where('installation_id', '=', 'ins_OWN')
          .execute();
        const blank = await readOnceMessage(database.queries, message);
        await alone(message, async () => assert.equal(await begin(blank), true));
      }
    });

    it('Foyer records the outcome of a call that sends a message, unless a newer call for the same message has begun', async (t) => {
      const { settle } = await setUp(t);
      for (const message of messages) {
        for (const other of [{ runId: 'run_OWN2' }, { settledBy: 8 }])
          for (const end of [{ kind: 'in-doubt', settledBy: 5 }, { kind: 'not-sent' }] as const) {
            const row = await settle(message, { ...end, call: { ...call, ...other } });
            assert.equal(row?.sent_at, 9, `${end.kind} ${JSON.stringify(other)}`);
          }
        const inDoubt = await settle(message, { kind: 'in-doubt', call, settledBy: 5 });
        assert.equal(inDoubt?.sent_at, 5);
        // This call is not the first one. An earlier call may still reach Slack, so Foyer keeps the row.
        const later = await settle(message, { kind: 'not-sent', call: { ...call, now: 2, settledBy: 5 } });
        assert.deepEqual([later?.status, later?.sent_at], ['sending', 2]);
        assert.equal(await settle(message, { kind: 'not-sent', call: { ...call, settledBy: 2 } }), undefined);
      }
    });

    it('a message that must be sent once never changes after it is sent, and is not forgotten while it is unconfirmed', async (t) => {
      const { database, alone, settle } = await setUp(t);
      for (const message of messages) {
        const unconfirmed = await settle(message, { kind: 'unconfirmed' });
        assert.equal(unconfirmed?.status, 'unconfirmed');
        assert.equal((await settle(message, { kind: 'not-sent', call }))?.status, 'unconfirmed');
        const sent = { kind: 'sent', channelId: 'D9', messageTs: '9.0', now: 9 } as const;
        const row = await settle(message, sent);
        assert.deepEqual([row?.status, row?.message_ts], ['sent', '9.0']);
        await settle(message, { ...sent, messageTs: '10.0' });
        await settle(message, { kind: 'unconfirmed' });
        await settle(message, { kind: 'in-doubt', call, settledBy: 5 });
        await settle(message, { kind: 'not-sent', call });
        const search = { before: '1.0', calls: 3 };
        const kept = await alone(message, () =>
          database.write((tx) => keepMessageSearch(tx, message, search)),
        );
        assert.deepEqual(kept, row);
      }
    });

    it('storing the search position of one message changes no other message', async (t) => {
      const { database, alone } = await setUp(t);
      for (const message of messages) {
        const search = { before: '1.0', calls: 3 };
        const row = await alone(message, () =>
          database.write((tx) => keepMessageSearch(tx, message, search)),
        );
        assert.deepEqual([row?.search_before, row?.search_calls], ['1.0', 3]);
      }
    });
  });
}
