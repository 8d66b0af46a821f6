import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { type PageCursor, toPage } from '../../../src/database/page.ts';
import { type InstallationSearch, listInstallationsPage } from '../../../src/operator/installation-lists.ts';
import { listInstallRequests } from '../../../src/operator/request-lists.ts';
import { openTestDatabase, type TestDatabase } from '../../support/open-test-database.ts';
import { installedAt, storeInstallation, storeRun } from '../operator-harness.ts';
import { storeMany, storeManyRequests } from './operator-stage.ts';

describe('a page of installations', () => {
  let test: TestDatabase;
  before(async () => {
    test = await openTestDatabase();
    await storeMany(test.database, '1.2', 2345);
    await storeInstallation(test.database, {
      id: 'ins_foreign',
      client_id: 'other',
      team_id: 'TF',
      team_name: 'Company F',
    });
  });
  after(() => test.close());

  const page = (search: Partial<InstallationSearch> = {}) =>
    listInstallationsPage(test.database.queries, { clientId: '1.2', limit: 100, ...search });

  async function walk(search: Partial<InstallationSearch> = {}): Promise<string[][]> {
    const pages: string[][] = [];
    let cursor: PageCursor | undefined;
    for (;;) {
      const found = await page({ ...search, cursor });
      pages.push(found.rows.map((row) => row.id));
      if (!found.older) return pages;
      cursor = { ...found.older, towards: 'older' };
    }
  }

  it('the pages of installations list each installation once, newest first', async () => {
    const pages = await walk();
    const ids = pages.flat();
    assert.equal(pages.length, 24);
    assert.equal(ids.length, 2345);
    assert.equal(new Set(ids).size, 2345);
    // Of two installations with the same time, the one with the greater id comes first.
    assert.deepEqual(ids.slice(0, 4), ['ins_00001', 'ins_00000', 'ins_00003', 'ins_00002']);
  });

  it('the second page of installations leads back to the first', async () => {
    const first = await page();
    assert.equal(first.newer, null);
    const second = await page({ cursor: first.older ? { ...first.older, towards: 'older' } : undefined });
    assert.ok(second.newer);
    const back = await page({ cursor: { ...second.newer, towards: 'newer' } });
    assert.deepEqual(back, { ...first, older: back.older });
    assert.deepEqual(
      back.rows.map((row) => row.id),
      first.rows.map((row) => row.id),
    );
  });

  it('a search for installations finds part of a name in upper or lower case, and treats no character as a wildcard', async () => {
    await storeInstallation(test.database, {
      id: 'ins_odd',
      team_id: 'TODD',
      team_name: '100% Ünïque_Team \\o/',
    });
    const found = async (text: string) => (await page({ text })).rows.map((row) => row.id);
    for (const text of ['ÜNÏQUE', 'ünïque', '100%', 'e_team', '\\o/', 'que_t']) {
      assert.deepEqual(await found(text), ['ins_odd'], text);
    }
    assert.deepEqual(await found('e%t'), []);
    assert.deepEqual(await found("' or 1=1 --"), []);
    assert.equal((await found('company')).length, 100);
    assert.deepEqual(await found('COMPANY 00042'), ['ins_00042']);
  });

  it('a search for installations accepts the full id of a team, enterprise, person, installation or run, and finds nothing of another app', async () => {
    await storeInstallation(test.database, {
      id: 'ins_org',
      team_id: null,
      enterprise_id: 'EGRID',
      enterprise_name: 'Grid',
      installer_user_id: 'UADA',
    });
    const runId = await storeRun(test.database, 'ins_org', [{ name: 'register-team', status: 'succeeded' }]);
    await test.database.queries
      .insertInto('memberships')
      .values({
        client_id: '1.2',
        team_id: 'TMANY00007',
        user_id: 'UBOB',
        is_admin: 0,
        is_owner: 0,
        first_seen_at: 1,
        updated_at: 1,
      })
      .execute();
    const found = async (text: string) => (await page({ text })).rows.map((row) => row.id);
    assert.deepEqual(await found('tmany00007'), ['ins_00007']);
    assert.deepEqual(await found('EGRID'), ['ins_org']);
    assert.deepEqual(await found('UADA'), ['ins_org']);
    assert.deepEqual(await found('UBOB'), ['ins_00007']);
    assert.deepEqual(await found('ins_00009'), ['ins_00009']);
    assert.deepEqual(await found(runId), ['ins_org']);
    assert.deepEqual(await found('TF'), []);
    await storeInstallation(test.database, {
      ...{ id: 'ins_named', team_id: 'TNAMED', team_name: 'TMANY00007 and T0NOSUCH12' },
    });
    assert.deepEqual(
      await found('TMANY00007'),
      ['ins_00007'],
      'an id that is found is not searched in names',
    );
    assert.deepEqual(await found('T0NOSUCH12'), [], 'nor is a text that can only be an id');
    assert.deepEqual(await found('t0nosuch12'), ['ins_named']);
    assert.deepEqual(await found('ins_foreign'), []);
  });

  it('a filter by the status of runs looks only at the newest run of each installation', async () => {
    for (const [id, status] of [
      ['ins_00100', 'failed'],
      ['ins_00101', 'failed'],
      ['ins_00102', 'succeeded'],
    ] as const) {
      await storeRun(test.database, id, [
        { name: 'send-welcome', status, errors: status === 'failed' ? ['timeout'] : [] },
      ]);
    }
    const again = await storeRun(test.database, 'ins_00101', [{ name: 'send-welcome', status: 'succeeded' }]);
    await test.database.queries
      .updateTable('runs')
      .set({ created_at: installedAt + 60_000 })
      .where('id', '=', again)
      .execute();
    const found = async (search: Partial<InstallationSearch>) =>
      (await page(search)).rows.map((row) => row.id).toSorted();
    assert.deepEqual(await found({ runStatus: 'failed' }), ['ins_00100']);
    assert.deepEqual(await found({ runStatus: 'succeeded' }), ['ins_00101', 'ins_00102', 'ins_org']);
    assert.deepEqual(await found({ runStatus: 'failed', text: '00101' }), []);
    assert.deepEqual(await found({ runStatus: 'failed', statuses: ['uninstalled'] }), []);
  });

  it('across all pages, the filter for a failed newest run lists each matching installation once', async () => {
    for (let index = 200; index < 225; index += 1) {
      await storeRun(test.database, `ins_00${index}`, [
        { name: 'send-welcome', status: 'failed', errors: ['timeout'] },
      ]);
    }
    const pages = await walk({ runStatus: 'failed', limit: 10 });
    assert.deepEqual(
      pages.map((each) => each.length),
      [10, 10, 6],
    );
    assert.equal(new Set(pages.flat()).size, 26);
  });
});

describe('a page of install requests', () => {
  let test: TestDatabase;
  before(async () => {
    test = await openTestDatabase();
    await storeManyRequests(test.database, '1.2', 1500);
  });
  after(() => test.close());

  it('the pages of failed install requests list each such request once', async () => {
    const seen: string[] = [];
    let cursor: PageCursor | undefined;
    for (;;) {
      const found = await listInstallRequests(test.database.queries, {
        clientId: '1.2',
        outcome: 'failed',
        limit: 51,
        cursor,
      });
      const page = toPage(found, { limit: 50, cursor, positionOf: ({ startedAt: at, id }) => ({ at, id }) });
      seen.push(...page.rows.map((row) => row.id));
      if (!page.older) break;
      cursor = { ...page.older, towards: 'older' };
    }
    assert.equal(seen.length, 500);
    assert.deepEqual(seen, seen.toSorted());
  });

  it('a filter by team or by day finds only the install requests of that team or day', async () => {
    const list = async (filter: object) =>
      (await listInstallRequests(test.database.queries, { clientId: '1.2', limit: 2000, ...filter })).map(
        (row) => row.id,
      );
    assert.deepEqual(await list({ teamId: 'TMANY00012' }), ['req00012']);
    const day = Date.UTC(2026, 4, 31);
    // One request a minute for 24 hours, the last of them a minute before midnight.
    assert.equal((await list({ from: day, before: day + 86_400_000 })).length, 1440);
  });
});
