import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { sql } from 'kysely';
import type { Database } from '../../src/database/database.ts';
import type { InstallationStatus } from '../../src/database/records.ts';
import {
  keepCounts,
  mostProblems,
  readDays,
  readInstallationCounts,
} from '../../src/operator/kept-counts.ts';
import { countFailingRuns } from '../../src/operator/queue-state.ts';
import { engines } from '../support/open-test-database.ts';
import { storeInstallation, storeRequest } from './operator-harness.ts';

const clientId = '1.2';
const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
const minuteMs = 60_000;
const today = Date.UTC(2026, 10, 22);

/** Inserts `count` copies of the row with this id, each with new ids. One statement inserts many rows. */
async function multiply(
  { queries }: Database,
  table: 'installations' | 'install_requests',
  id: string,
  count: number,
): Promise<void> {
  const row = await queries.selectFrom(table).selectAll().where('id', '=', id).executeTakeFirstOrThrow();
  for (let from = 0; from < count; from += 500) {
    const numbers = Array.from({ length: Math.min(500, count - from) }, (_, at) => from + at);
    const own = (number: number) =>
      table === 'installations'
        ? { tenant: `team:T${id}${number}`, team_id: `T${id}${number}` }
        : { progress_hash: `${id} ${number}` };
    await queries
      .insertInto(table)
      .values(numbers.map((number) => ({ ...row, ...own(number), id: `${id}_${number}` })))
      .execute();
  }
}

async function installations(database: Database, id: string, status: InstallationStatus, count: number) {
  await storeInstallation(database, { id, team_id: `T${id}`, status });
  await multiply(database, 'installations', id, count - 1);
}

async function requests(database: Database, id: string, startedAt: number, count: number) {
  await storeRequest(database, { id, outcome: 'installed', started_at: startedAt });
  await multiply(database, 'install_requests', id, count - 1);
}

/** Stores a count as if the counting chore had stored it one hour after the start of `today`. */
async function kept({ queries }: Database, client_id: string, name: string, value: unknown) {
  const row = { client_id, name, value: JSON.stringify(value), counted_at: today + hourMs };
  await queries.insertInto('kept_counts').values(row).execute();
}

for (const [engine, openDatabase] of Object.entries(engines)) {
  describe(`counts of many rows (${engine})`, () => {
    it('Foyer counts up to 10,000 rows exactly, and above that uses the counting chore’s last count if it is recent', async (t) => {
      const { database, close } = await openDatabase();
      t.after(close);
      const { queries } = database;
      const read = (now = today) => readInstallationCounts(queries, { clientId, now });
      await installations(database, 'many', 'active', 10_001);
      await installations(database, 'few', 'broken', 2);
      await installations(database, 'gone', 'uninstalled', 10_000);
      await kept(database, '3.4', 'installations', { active: 77_777, broken: 0, uninstalled: 0 });
      await kept(database, clientId, 'day 2026-11-21', {});
      const counted = { active: 10_001, broken: 2, uninstalled: 10_000 };
      assert.deepEqual(await read(), counted, 'without a kept number, the rows are counted');
      await keepCounts(database, { clientId, now: today });
      assert.deepEqual(await read(), counted);

      await installations(database, 'more', 'active', 3);
      await installations(database, 'bad', 'broken', 1);
      assert.deepEqual(await read(), { ...counted, broken: 3 }, 'what can be counted at once is exact');
      await keepCounts(database, { clientId, now: today + 5 * minuteMs });
      assert.deepEqual(await read(), { ...counted, active: 10_004, broken: 3 });

      await installations(database, 'late', 'active', 1);
      const { active } = await read(today + 21 * minuteMs);
      assert.equal(active, 10_005, 'a number that no chore has renewed is not used');
      const ofOther = await readInstallationCounts(queries, { clientId: '3.4', now: today });
      assert.deepEqual(ofOther, { active: 0, broken: 0, uninstalled: 0 });
    });

    it('the counting chore stores the counts of a past day once they can no longer change, and drops old days', async (t) => {
      const { database, close } = await openDatabase();
      t.after(close);
      const { queries } = database;
      const installed = async (now: number) =>
        (await readDays(queries, { clientId, now })).requests.slice(-3).map((day) => day.installed);
      const none = { failed: 0, refused: 0, cancelled: 0 };
      for (const day of [today - dayMs, today - 40 * dayMs]) {
        const name = `day ${new Date(day).toISOString().slice(0, 10)}`;
        await kept(database, '3.4', name, { requests: { day, installed: 99, ...none }, welcomes: { day } });
      }
      await kept(database, clientId, 'installations', { active: 1, broken: 0, uninstalled: 0 });
      await requests(database, 'before', today - dayMs - 5000, 2000);
      await requests(database, 'yesterday', today - 5000, 20);
      await requests(database, 'today', today + 5000, 7);
      assert.deepEqual(await installed(today + hourMs), [2000, 20, 7]);

      await keepCounts(database, { clientId, now: today + hourMs / 2 });
      await requests(database, 'late', today - 4000, 1);
      await requests(database, 'now', today + 6000, 1);
      assert.deepEqual(await installed(today + hourMs / 2), [2000, 21, 8], 'yesterday is not settled yet');

      await keepCounts(database, { clientId, now: today + 2 * hourMs });
      await queries.deleteFrom('install_requests').where('id', 'like', 'yesterday%').execute();
      const [, yesterday] = await installed(today + 2 * hourMs);
      assert.equal(yesterday, 21, 'an erased installation does not change what happened');
      const { requests: days, welcomes } = await readDays(queries, { clientId, now: today + 2 * hourMs });
      const expected = Array.from({ length: 30 }, (_, at) => today - (29 - at) * dayMs);
      assert.deepEqual(
        [days, welcomes].map((list) => list.map(({ day }) => day)),
        [expected, expected],
      );

      const later = today + 35 * dayMs;
      await requests(database, 'later', later - 5000, 2001);
      await keepCounts(database, { clientId, now: later + 2 * hourMs });
      const rows = await queries
        .selectFrom('kept_counts')
        .select(['client_id', 'name'])
        .orderBy('name')
        .execute();
      const names = rows.filter(({ client_id }) => client_id === clientId).map(({ name }) => name);
      const edges = [names.length, names[0], names.at(-1)];
      assert.deepEqual(edges, [30, 'day 2026-11-28', 'installations'], 'older days are dropped');
      assert.equal(rows.length - names.length, 2, 'the days of another app stay');
    });

    it('readDays counts a welcome even if 2,500 runs without a welcome follow on the same day', async (t) => {
      const { database, close } = await openDatabase();
      t.after(close);
      const { queries } = database;
      await installations(database, 'one', 'active', 1);
      const run = {
        ...{ installation_id: 'one', life: 1, user_id: 'U1', status: 'succeeded' as const },
        ...{ started_at: null, finished_at: null, due_at: null },
        ...{ waiting_for: null, lease_owner: null, lease_until: null },
      };
      const created_at = today;
      await queries
        .insertInto('runs')
        .values({ ...run, id: 'run_install', pipeline: 'install', created_at })
        .execute();
      for (let from = 0; from < 2500; from += 500) {
        const ids = Array.from({ length: 500 }, (_, at) => `run_${from + at}`);
        const rows = ids.map((id) => ({ ...run, id, pipeline: 'opened' as const, created_at: today + 1 }));
        await queries.insertInto('runs').values(rows).execute();
      }
      await queries
        .insertInto('welcomes')
        .values({
          ...{ installation_id: 'one', life: 1, user_id: 'U1', run_id: 'run_install', status: 'sent' },
          ...{ attempted_at: today + 1, sent_at: today + 700 },
          ...{ channel_id: 'D1', message_ts: '1.1' },
        } as never)
        .execute();
      const { welcomes } = await readDays(queries, { clientId, now: today + hourMs });
      assert.deepEqual(welcomes.at(-1), { day: today, welcomes: 1, medianMs: 700, slowestMs: 700 });
    });

    it('readDays measures the newest 2,000 welcomes of each day, no matter how many welcomes the next day has', async (t) => {
      const { database, close } = await openDatabase();
      t.after(close);
      const { queries } = database;
      await installations(database, 'one', 'active', 1);
      await requests(database, 'many', today + 1, 2001);
      const sentAfter = async (from: number, times: readonly number[]): Promise<void> => {
        const rows = times.map((ms, index) => ({ id: `run_${from + index}`, at: from + index, ms }));
        for (let index = 0; index < rows.length; index += 500) {
          const some = rows.slice(index, index + 500);
          const run = {
            ...{ installation_id: 'one', life: 1, user_id: 'U1', pipeline: 'install' as const },
            ...{ status: 'succeeded' as const, started_at: null, finished_at: null, due_at: null },
            ...{ waiting_for: null, lease_owner: null, lease_until: null },
          };
          await queries
            .insertInto('runs')
            .values(some.map(({ id, at }) => ({ ...run, id, created_at: at })))
            .execute();
          const welcome = {
            installation_id: 'one',
            life: 1,
            status: 'sent',
            channel_id: 'D1',
            message_ts: '1.1',
          };
          await queries
            .insertInto('welcomes')
            .values(
              some.map(
                ({ id, at, ms }) =>
                  ({ ...welcome, user_id: id, run_id: id, attempted_at: at, sent_at: at + ms }) as never,
              ),
            )
            .execute();
        }
      };
      await sentAfter(today - 60_000, [400, 700, 300, 9000]);
      await sentAfter(today + 1000, [99_999, ...Array.from({ length: 2000 }, (_, index) => index)]);
      const { welcomes } = await readDays(queries, { clientId, now: today + hourMs });
      assert.deepEqual(welcomes.slice(-3), [
        { day: today - 2 * dayMs, welcomes: 0, medianMs: null, slowestMs: null },
        { day: today - dayMs, welcomes: 4, medianMs: 400, slowestMs: 9000 },
        { day: today, welcomes: 2000, medianMs: 999, slowestMs: 1999 },
      ]);
    });

    it('countFailingRuns stops counting at 1,001', async (t) => {
      const { database, close } = await openDatabase();
      t.after(close);
      await installations(database, 'failing', 'active', mostProblems + 5);
      const ids = await database.queries.selectFrom('installations').select('id').execute();
      const noTimes = { started_at: null, finished_at: null, due_at: null };
      for (let from = 0; from < ids.length; from += 500) {
        const rows = ids.slice(from, from + 500).map(({ id }) => ({
          ...{ id: `run_${id}`, pipeline: 'install' as const, installation_id: id, life: 1, user_id: 'U1' },
          ...{ status: 'failed' as const, created_at: today, ...noTimes },
          ...{ waiting_for: null, lease_owner: null, lease_until: null },
        }));
        await database.queries.insertInto('runs').values(rows).execute();
      }
      assert.equal(await countFailingRuns(database.queries, clientId), mostProblems + 1);
    });
  });
}

it('readDays uses the stored counts even if the database’s collation sorts punctuation before digits (Postgres)', async (t) => {
  const { database, close } = await engines.Postgres();
  t.after(close);
  const { queries } = database;
  // Most Postgres servers sort text by the rules of a language, as this collation does. The tests' server sorts by
  // bytes.
  await sql`alter table kept_counts alter column name type text collate "und-x-icu"`.execute(queries);
  await requests(database, 'before', today - dayMs - 5000, 2001);
  await keepCounts(database, { clientId, now: today + 2 * hourMs });
  await queries.deleteFrom('install_requests').where('id', 'like', 'before_1%').execute();
  await requests(database, 'today', today + 1, 2001);
  const { requests: days } = await readDays(queries, { clientId, now: today + 2 * hourMs });
  assert.equal(days.at(-3)?.installed, 2001, 'the kept number is used');
});
