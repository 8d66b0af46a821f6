import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readInstallRecord } from '../../src/database/install-record.ts';
import { listMembersPage } from '../../src/database/people/member-lists.ts';
import { recordExternalVisit, recordVisit } from '../../src/database/people/members.ts';
import {
  createOperatorHarness,
  installedAt,
  storeInstallation,
  testOnBothEngines,
} from './operator-harness.ts';

const blank = { name: null, realName: null, email: null, timezone: null, locale: null, avatarUrl: null };
const standing = { isAdmin: false, isOwner: false, isGuest: false, isDeactivated: false };

async function createTeam(
  ...[t, engine]: [Parameters<typeof createOperatorHarness>[0], ('SQLite' | 'Postgres')?]
) {
  const harness = await createOperatorHarness(t, {}, engine);
  const { database } = harness;
  await storeInstallation(database, { id: 'ins_1' });
  await storeInstallation(database, { id: 'ins_2', team_id: 'T2', team_name: 'Globex' });
  const [host, other] = [
    await readInstallRecord(database.queries, 'ins_1'),
    await readInstallRecord(database.queries, 'ins_2'),
  ];
  assert.ok(host && other);
  await database.write(async (tx) => {
    const visit = { host, seen: true };
    const reported = {
      ...standing,
      isAdmin: true,
      profile: { ...blank, realName: 'Ada', email: 'ada@acme.example' },
    };
    await recordVisit(tx, { ...visit, userId: 'U1', now: installedAt, reported });
    await recordVisit(tx, { ...visit, userId: 'U2', now: installedAt + 1, reported: undefined });
    const external = { ...visit, userId: 'U1', homeTeamId: 'T9', wasAsked: true };
    await recordExternalVisit(tx, {
      ...external,
      now: installedAt + 2,
      reported: { ...blank, realName: 'Eve' },
    });
    await recordVisit(tx, { ...visit, host: other, userId: 'U1', now: installedAt, reported: undefined });
  });
  return { ...harness, host };
}

testOnBothEngines('`members` lists the people of one team, most recently met first', async (t, engine) => {
  const { run } = await createTeam(t, engine);
  const { exitCode, stdout, stderr } = await run(['members', 'T1', '--json']);
  assert.deepEqual([exitCode, stderr], [0, '']);
  const listed = JSON.parse(stdout) as { userId: string; teamId: string; role: string }[];
  assert.deepEqual(
    listed.map(({ userId, teamId, role }) => [userId, teamId, role]),
    [
      ['U1', 'T9', 'external'],
      ['U2', 'T1', 'member'],
      ['U1', 'T1', 'admin'],
    ],
  );
  assert.deepEqual(listed.at(-1), {
    userId: 'U1',
    teamId: 'T1',
    role: 'admin',
    name: null,
    realName: 'Ada',
    email: 'ada@acme.example',
    timezone: null,
    locale: null,
    avatarUrl: null,
    hasUserToken: false,
    isDeactivated: false,
    firstSeenAt: '2026-11-22T01:47:03.000Z',
    lastSeenAt: '2026-11-22T01:47:03.000Z',
  });
  const found = JSON.parse((await run(['members', 'T1', 'ADA@', '--json'])).stdout) as unknown[];
  assert.equal(found.length, 1);
});

test('`members` prints a table, says when there is no one, and refuses an unknown team', async (t) => {
  const { run } = await createTeam(t);
  const { stdout } = await run(['members', 'T1', '--limit', '1']);
  assert.match(stdout, /Eve .*external \(T9\)/);
  assert.doesNotMatch(stdout, /Ada/);
  assert.match((await run(['members', 'T1', 'nobody'])).stdout, /No member matches/);
  const unknown = await run(['members', 'TX']);
  assert.equal(unknown.exitCode, 1);
  assert.match(unknown.stderr, /There is no installation of TX/);
});

testOnBothEngines(
  'a member list shows each person once, page by page, even if several people were met at the same time',
  async (t, engine) => {
    const { database, host } = await createTeam(t, engine);
    await database.write(async (tx) => {
      for (const userId of ['U5', 'U4', 'U3']) {
        const visit = { host, userId, now: installedAt + 1, seen: true };
        await recordVisit(tx, { ...visit, reported: undefined });
        await recordExternalVisit(tx, { ...visit, homeTeamId: 'T8', wasAsked: false, reported: undefined });
      }
    });
    const limit = 2;
    const first = await listMembersPage(database.queries, host, { limit });
    let page = first;
    const pages = [page];
    while (page.older) {
      page = await listMembersPage(database.queries, host, {
        limit,
        cursor: { ...page.older, towards: 'older' },
      });
      pages.push(page);
      assert.ok(pages.length < 20, 'the pages never end');
    }
    const keys = pages.flatMap(({ rows }) => rows.map(({ userId, teamId }) => `${userId} ${teamId}`));
    assert.equal(new Set(keys).size, 9);
    assert.equal(keys.length, 9);
    for (let n = pages.length - 2; n >= 0; n -= 1) {
      assert.ok(page.newer);
      page = await listMembersPage(database.queries, host, {
        limit,
        cursor: { ...page.newer, towards: 'newer' },
      });
      assert.deepEqual(page.rows, pages[n]?.rows);
    }
    assert.equal(page.newer, null);
    // A made-up cursor, which Foyer never issued.
    const odd = { at: installedAt, id: 'nothing', towards: 'older' as const };
    assert.equal((await listMembersPage(database.queries, host, { limit, cursor: odd })).rows.length, 1);
  },
);
