import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { sql } from 'kysely';
import { isKnownAdmin } from '../../src/database/connections.ts';
import type { Database } from '../../src/database/database.ts';
import { readInstallRecord } from '../../src/database/install-record.ts';
import { m0001Initial } from '../../src/database/migrations/0001-initial.ts';
import { m0006PeopleByTeam } from '../../src/database/migrations/0006-people-by-team.ts';
import { erasePerson } from '../../src/database/people/erase-person.ts';
import { countMembers, listMembersPage } from '../../src/database/people/member-lists.ts';
import {
  findExternalMember,
  isOfHost,
  recordExternalVisit,
  recordVisit,
} from '../../src/database/people/members.ts';
import {
  isKnownPerson,
  type PersonKey,
  prepareMember,
  readLocale,
  readNames,
  readUsers,
  recordUser,
  saveProfile,
  updatePerson,
} from '../../src/database/people/people.ts';
import { readPersonData } from '../../src/database/people/person-data.ts';
import { foyerTableNames, type Tables } from '../../src/database/records.ts';
import { createRun } from '../../src/database/runs.ts';
import { blankProfile } from '../../src/slack/slack-text.ts';
import { keyringOf } from '../support/installations.ts';
import { openEmptyDatabase } from '../support/open-empty-database.ts';
import { engines } from '../support/open-test-database.ts';
import { insertTenant, inviteStrangers, ownRows } from '../support/strangers.ts';

const clientId = '1.1';
const [U1, U2] = ['U1', 'U2'] as const;
const grace: PersonKey = { clientId, teamId: 'T1', userId: U1 };
const priya: PersonKey = { clientId, teamId: 'T1', userId: U2 };

/**
 * Sets up a team with Grace, who installed the app, and Priya. Some of Grace's rows mention Priya, and some of Priya's
 * rows mention Grace. In other teams and other apps, there are strangers with the ids of Grace and Priya.
 */
async function setTeam(t: TestContext, engine: keyof typeof engines) {
  const { database, close } = await engines[engine]();
  t.after(close);
  const strangers = await inviteStrangers(database, { clientId });
  const own = { mark: 'OWN', clientId, teamId: 'T1', enterpriseId: null, grantsOf: 'E1' };
  await database.write((tx) =>
    insertTenant(tx, { ...own, dueAt: 3000, madeAt: 1000 }, [U1, U2], keyringOf('k1')),
  );
  const firstOf = async <Name extends keyof Tables>(table: Name) => {
    const [row] = await ownRows(database, table);
    assert.ok(row);
    return row;
  };
  const add = async <Name extends keyof Tables>(table: Name, ...others: Partial<Tables[Name]>[]) => {
    const row = await firstOf(table);
    await database.queries
      .insertInto(table as keyof Tables)
      .values(others.map((other) => ({ ...row, ...other })))
      .execute();
  };
  const priyas = { user_id: U2 };
  // Adds two runs of Grace: the run of an earlier install, and an uninstall run that has not ended.
  await add(
    'runs',
    { id: 'run_OWN0', life: 0 },
    { id: 'run_OWN4', status: 'waiting', pipeline: 'uninstall', waiting_for: null },
  );
  await add('steps', { run_id: 'run_OWN0' }, { run_id: 'run_OWN4', status: 'retrying' });
  await add('step_attempts', { run_id: 'run_OWN0' }, { run_id: 'run_OWN4' });
  await add('welcomes', { life: 0 }, { ...priyas, life: 0 });
  const answer = { answer: 'OWN', answered_at: 9 };
  await add(
    'questions',
    { ...answer, run_id: 'run_OWN1', question_id: 'of Priya', answered_by: U2 },
    { ...answer, run_id: 'run_OWN4', question_id: 'of Priya', answered_by: U2 },
    { ...answer, run_id: 'run_OWN4', question_id: 'of Grace', answered_by: U1 },
    { ...answer, run_id: 'run_OWN2', question_id: 'of Grace', answered_by: U1 },
  );
  await add(
    'install_requests',
    { id: 'req_OWN_open', progress_hash: '1', outcome: 'started' },
    { id: 'req_OWN_kept', progress_hash: '2', outcome: 'failed', sealed_tokens: 'OWN' },
    { id: 'req_OWN_priya', progress_hash: '3', ...priyas },
  );
  await add('operator_notices', { cause_id: 'OWN', ...priyas });
  await add('history', { id: 'his_8_OWN', ...priyas, detail: 'U1 and U2' });
  await add(
    'sessions',
    { id: 'session_OWN_org', team_id: 'T7' },
    { id: 'session_OWN_team', registered_team_id: 'T7' },
  );
  // Adds three external members that another team (T8) met: Grace and Priya, whose home team is T1, and a person with
  // Grace's id, whose home team is T9.
  const met = { team_id: 'T8', home_team_id: 'T1' };
  await add('external_members', met, { ...met, ...priyas }, { ...met, home_team_id: 'T9' });
  await add('external_members', { ...met, client_id: '2.2', name: 'OWN of another app' });
  return { database, strangers };
}

async function rowsOf(database: Pick<Database, 'queries'>): Promise<string[]> {
  const found: string[] = [];
  for (const table of foyerTableNames)
    for (const row of await ownRows(database, table as keyof Tables))
      found.push(`${table} ${JSON.stringify(row)}`);
  return found.sort();
}

const people = process.env.FOYER_FULL === 'all' ? 1_000_000 : 100_000;

for (const engine of Object.keys(engines) as (keyof typeof engines)[]) {
  describe(`people of several teams, on ${engine}`, () => {
    it(`migrating an older database of ${people} people gives each person one row for each team membership`, async (t) => {
      const { db, close } = await openEmptyDatabase(engine);
      t.after(close);
      await m0001Initial.up(db);
      const numbers = sql.raw(
        engine === 'SQLite'
          ? `(with recursive n(i) as (select 1 union all select i + 1 from n where i < ${people}) select i from n)`
          : `(select i from generate_series(1, ${people}) i)`,
      );
      await sql`insert into users select '1.1', 'U' || i, 'name' || i, null, 'u' || i || '@x.example', null, null, null, i, i from ${numbers} s`.execute(
        db,
      );
      await sql`insert into memberships select '1.1', 'T' || (i % 1000), 'U' || i, 1, 0, i, i from ${numbers} s`.execute(
        db,
      );
      // U1 and U2 are each in two workspaces, and another app has a person with the id U1.
      await sql`insert into memberships values ('1.1', 'TOTHER', 'U1', 0, 0, 7, 7), ('1.1', 'TOTHER', 'U2', 0, 1, 8, 8), ('2.2', 'T1', 'U1', 0, 0, 9, 9)`.execute(
        db,
      );
      await sql`insert into users values ('2.2', 'U1', 'another app', null, 'u1@app2.example', null, null, null, 9, 9)`.execute(
        db,
      );
      const startedAt = performance.now();
      await m0006PeopleByTeam.up(db);
      t.diagnostic(`${people} people in ${Math.round(performance.now() - startedAt)} ms`);
      const { rows } = await sql<{ n: number | string }>`select count(*) as n from users`.execute(db);
      assert.equal(Number(rows[0]?.n), people + 3);
      const found = await sql<Record<string, unknown>>`
        select u.client_id, u.team_id, u.user_id, u.email, u.first_seen_at, m.updated_at from users u
        join memberships m on m.client_id = u.client_id and m.team_id = u.team_id and m.user_id = u.user_id
        where u.user_id in ('U1', 'U2', 'U3') order by u.client_id, u.user_id, u.team_id`.execute(db);
      const plain = (value: unknown) => (/^\d+$/.test(String(value)) ? Number(value) : value);
      assert.deepEqual(
        found.rows.map((row) => Object.values(row).map(plain)),
        [
          ['1.1', 'T1', 'U1', null, 1, 0],
          ['1.1', 'TOTHER', 'U1', null, 7, 0],
          ['1.1', 'T2', 'U2', null, 2, 0],
          ['1.1', 'TOTHER', 'U2', null, 8, 0],
          ['1.1', 'T3', 'U3', 'u3@x.example', 3, 3],
          ['2.2', 'T1', 'U1', 'u1@app2.example', 9, 9],
        ],
      );
    });

    it('a person’s data export contains only that person’s rows, and only from this team and this app', async (t) => {
      const { database } = await setTeam(t, engine);
      const { queries } = database;
      const count = async (person: PersonKey) =>
        Object.entries(await readPersonData(queries, person)).map(([name, rows]) => `${name} ${rows.length}`);
      const data = await readPersonData(queries, grace);
      assert.doesNotMatch(JSON.stringify(data), /STRANGER|another app/);
      assert.deepEqual(data.runs.map(({ id, steps }) => [id, steps.length]).sort(), [
        ['run_OWN0', 1],
        ['run_OWN1', 3],
        ['run_OWN3', 3],
        ['run_OWN4', 1],
      ]);
      assert.deepEqual(await count(grace), [
        ...['profile 1', 'membership 1', 'metByOtherTeams 1', 'installed 1', 'ownTokens 1', 'sessions 3'],
        ...[
          'installRequests 4',
          'runs 4',
          'welcomes 2',
          'posts 0',
          'answers 3',
          'homeViews 1',
          'history 4',
          'notices 2',
        ],
      ]);
      assert.deepEqual(await count(priya), [
        ...['profile 1', 'membership 1', 'metByOtherTeams 1', 'installed 0', 'ownTokens 1', 'sessions 1'],
        ...[
          'installRequests 1',
          'runs 1',
          'welcomes 2',
          'posts 0',
          'answers 2',
          'homeViews 1',
          'history 1',
          'notices 1',
        ],
      ]);
    });

    it('people are listed, counted and looked up only in teams that they belong to or have visited from another team', async (t) => {
      const { database, strangers } = await setTeam(t, engine);
      const { queries } = database;
      const host = await readInstallRecord(queries, 'ins_OWN');
      assert.ok(host);
      const { rows } = await listMembersPage(queries, host, { limit: 50 });
      assert.deepEqual(rows.map(({ userId, teamId }) => `${userId} ${teamId}`).sort(), [
        ...['U1 T1', 'U1 THOMEOWN', 'U2 T1', 'U2 THOMEOWN'],
      ]);
      assert.equal(await countMembers(queries, host), 4);
      const rest = { is_admin: 0, is_owner: 0, first_seen_at: 1, updated_at: 1 };
      await queries
        .insertInto('memberships')
        .values({ client_id: clientId, team_id: 'T1', user_id: 'U3', ...rest })
        .execute();
      assert.equal((await listMembersPage(queries, host, { limit: 50 })).rows.length, 4, 'without a profile');
      assert.equal((await readUsers(queries, host)).length, 2);
      // Two external members of the team have the same id as Priya. The one from THOMEOWN was last seen at 500, and the
      // one from TNEWER at 700.
      const met = { client_id: clientId, team_id: 'T1', user_id: U2, home_team_id: 'TNEWER', name: 'OWN' };
      await queries
        .insertInto('external_members')
        .values({ ...met, first_seen_at: 1, last_seen_at: 700, updated_at: 1 })
        .execute();
      const own = queries.updateTable('external_members').where('home_team_id', '=', 'THOMEOWN');
      await own.set({ last_seen_at: 900 }).where('user_id', '=', U1).execute();
      await own.set({ last_seen_at: 500 }).where('user_id', '=', U2).execute();
      const find = async (userId: string, homeTeamId?: string) =>
        (await findExternalMember(queries, { host, userId, homeTeamId }))?.record;
      assert.equal((await find(U2))?.teamId, 'TNEWER');
      assert.deepEqual((await find(U2, 'THOMEOWN'))?.lastSeenAt, 500);
      assert.equal(await find(U2, 'T9'), undefined);
      assert.equal(await find('U9'), undefined);
      const inGrid = { ...host, enterpriseId: 'E1' };
      const asked = ['TOWN', 'TSTRANGER_a', 'TSTRANGER_c', 'T404'];
      assert.deepEqual(await Promise.all(asked.map((team) => isOfHost(queries, inGrid, team))), [
        ...[true, false, false, false],
      ]);
      assert.equal((await prepareMember(database)(host, U2))?.profile?.userId, U2);
      const one = { clientId, teamId: 'T1', userIds: [U1] };
      assert.deepEqual([...(await readNames(queries, one))], [[U1, 'U1 OWN']]);
      await queries.deleteFrom('users').where('name', '=', 'OWN').where('user_id', '=', U2).execute();
      await queries
        .deleteFrom('memberships')
        .where('team_id', '=', 'T1')
        .where('user_id', '=', 'U3')
        .execute();
      const two = { clientId, teamId: 'T1', userIds: [U1, U2] };
      assert.deepEqual([...(await readNames(queries, two))], [[U1, 'U1 OWN']]);
      assert.deepEqual([await readLocale(queries, grace), await readLocale(queries, priya)], ['ja-JP', null]);
      assert.equal(await isKnownPerson(queries, { ...grace, userId: 'U3' }), false);
      await queries
        .updateTable('memberships')
        .set({ is_admin: 0, is_owner: 0 })
        .where('client_id', '=', clientId)
        .where('team_id', '=', 'T1')
        .where('user_id', '=', U2)
        .execute();
      assert.deepEqual(
        [await isKnownAdmin(queries, grace), await isKnownAdmin(queries, priya)],
        [true, false],
      );
      await strangers.assertUntouched();
    });

    it('a person’s row is updated only by newer data about that person, and never after the app is uninstalled', async (t) => {
      const { database, strangers } = await setTeam(t, engine);
      const { queries } = database;
      const memberships = async () =>
        (await ownRows(database, 'memberships'))
          .filter((row) => row.client_id === clientId && row.team_id === 'T1')
          .map((row) => [row.user_id, row.last_seen_at, row.deactivated_at])
          .sort();
      await database.write((tx) => recordUser(tx, { ...grace, seenAt: 9000, now: 9000 }));
      await database.write((tx) => recordUser(tx, { ...grace, seenAt: 8000, now: 8000 }));
      assert.deepEqual(await memberships(), [
        [U1, 9000, null],
        [U2, null, null],
      ]);
      const [user] = await ownRows(database, 'users');
      assert.ok(user);
      // Adds a person with the same id as Grace to another team of this app. This person's profile was updated long
      // ago.
      await queries
        .insertInto('users')
        .values({ ...user, team_id: 'T8', updated_at: 1 })
        .execute();
      const gone = { ...grace, ...blankProfile, isDeactivated: true };
      assert.equal(await database.write((tx) => updatePerson(tx, { ...gone, at: 6000, now: 1 })), false);
      assert.equal(await database.write((tx) => updatePerson(tx, { ...gone, at: 10_000, now: 1 })), true);
      assert.deepEqual(await memberships(), [
        [U1, 9000, 10_000],
        [U2, null, null],
      ]);
      const elsewhere = (await ownRows(database, 'users')).find((row) => row.team_id === 'T8');
      assert.equal(elsewhere?.updated_at, 1);
      await strangers.assertUntouched();
      const host = await readInstallRecord(queries, 'ins_OWN');
      assert.ok(host);
      await queries
        .updateTable('installations')
        .set({ status: 'uninstalled' })
        .where('id', '=', 'ins_OWN')
        .execute();
      const before = await rowsOf(database);
      const visit = { host, userId: 'U8', now: 9000, seen: true };
      const met = { ...visit, homeTeamId: 'T9', wasAsked: true, reported: undefined };
      assert.equal(
        await database.write((tx) => recordVisit(tx, { ...visit, reported: undefined })),
        undefined,
      );
      await database.write((tx) => recordExternalVisit(tx, met));
      assert.deepEqual(await rowsOf(database), before, 'an uninstalled app registers no one');
    });

    it('erasing a person leaves everything that is stored about other people unchanged', async (t) => {
      const { database, strangers } = await setTeam(t, engine);
      const { queries } = database;
      const before = await rowsOf(database);
      const of = (id: string) => new RegExp(`"${id}"|run_OWN2"|U1 and U2`);
      // Whole words only: a sealed text may contain the id by chance.
      const whole = (id: string) => new RegExp(`(?<![\\w-])${id}(?![\\w-])`);
      const erased = await database.write((tx) => erasePerson(tx, { ...priya, now: 5000 }));
      assert.deepEqual(erased, {
        ...{ profiles: 2, sessions: 1, ownTokens: 1, homeViews: 1, welcomes: 2, installRequests: 1, runs: 1 },
        ...{ answers: 2, history: 2, notices: 1, cancelledRuns: ['run_OWN2'], kept: [] },
      });
      const after = await rowsOf(database);
      assert.deepEqual(
        before.filter((row) => !of(U2).test(row) && !after.includes(row)),
        [],
      );
      assert.deepEqual(
        // Rows with `THOME` are about an external member: a person from another workspace who has the same id as Priya.
        after.filter((row) => whole(U2).test(row) && !row.includes('THOME')),
        [],
      );
      const answers = async () =>
        (await ownRows(database, 'questions'))
          .map((row) => `${row.run_id} ${row.question_id}: ${row.answer} ${row.answered_by}`)
          .sort();
      assert.deepEqual(await answers(), [
        'run_OWN1 channel: an answer of OWN U1',
        'run_OWN1 of Priya: null null',
        'run_OWN3 channel: null null',
        'run_OWN4 of Grace: OWN U1',
        'run_OWN4 of Priya: OWN null',
      ]);
      await strangers.assertUntouched();
      // Grace installed the app. While it is installed, her id stays only where the current install needs it.
      const first = await database.write((tx) => erasePerson(tx, { ...grace, now: 6000 }));
      assert.deepEqual(
        [first.cancelledRuns, first.kept.length, first.welcomes, first.runs],
        [['run_OWN3'], 2, 1, 1],
      );
      assert.deepEqual([first.sessions, first.profiles, first.installRequests], [3, 2, 1]);
      const idOf = (row: string) => /"id":"(\w+)"/.exec(row)?.[1] ?? row.split(' ', 1)[0];
      const named = async () => (await rowsOf(database)).filter((row) => row.includes(`"${U1}"`)).map(idOf);
      const waits = ['req_OWN_kept', 'req_OWN_open', 'req_OWN_started'];
      // Other people with Grace's id: one of another app, and two of other workspaces.
      const others = ['external_members', 'external_members', 'external_members'];
      assert.deepEqual(await named(), [
        ...others,
        ...waits,
        'ins_OWN',
        ...['run_OWN1', 'run_OWN3', 'run_OWN4', 'welcomes'],
      ]);
      const outputs = async () =>
        (await ownRows(database, 'steps'))
          .filter(({ output, error_message }) => /OWN/.test(`${output} ${error_message}`))
          .map(({ run_id }) => run_id);
      assert.deepEqual(await outputs(), ['run_OWN4'], 'a step that has not ended needs its output');
      assert.deepEqual(
        (await ownRows(database, 'step_attempts'))
          .filter((row) => row.error_message)
          .map((row) => row.run_id),
        ['run_OWN4'],
      );
      assert.deepEqual(await answers(), ['run_OWN4 of Grace: OWN null', 'run_OWN4 of Priya: OWN null']);
      await queries
        .updateTable('installations')
        .set({ status: 'uninstalled' })
        .where('id', '=', 'ins_OWN')
        .execute();
      const second = await database.write((tx) => erasePerson(tx, { ...grace, now: 7000 }));
      assert.match(
        second.kept.map(({ what }) => what).join(),
        /^the person’s user id in the uninstall run run_OWN4 of/,
      );
      assert.deepEqual(await named(), [...others, ...waits, 'ins_OWN', 'run_OWN4']);
      await queries.updateTable('runs').set({ status: 'failed' }).where('id', '=', 'run_OWN4').execute();
      const third = await database.write((tx) => erasePerson(tx, { ...grace, now: 8000 }));
      assert.deepEqual(third.kept, []);
      assert.deepEqual(await named(), [...others, ...waits]);
      assert.deepEqual(await answers(), []);
      assert.deepEqual(await outputs(), []);
      await strangers.assertUntouched();
    });

    it('a person’s data export lists the DM posts of their `opened` runs, and erasing the person erases those posts', async (t) => {
      const { database, strangers } = await setTeam(t, engine);
      const { queries } = database;
      const moment = { kind: 'opened', userId: U2, tab: 'home', channelId: 'DPRIYA' } as const;
      const of = { installationId: 'ins_OWN', life: 1, userId: U2, stepNames: ['greet'], now: 1000 };
      const runId = await database.write((tx) => createRun(tx, { ...of, pipeline: 'opened', moment }));
      await queries.updateTable('runs').set({ status: 'succeeded' }).where('id', '=', runId).execute();
      const sent = {
        status: 'sent',
        channel_id: 'DPRIYA',
        message_ts: '1.2',
        attempted_at: 1,
        sent_at: 1,
      } as const;
      const post = {
        installation_id: 'ins_OWN',
        life: 1,
        key: `${runId}/greeting`,
        run_id: runId,
        search_calls: 0,
        ...sent,
      };
      await queries.insertInto('posts').values(post).execute();
      const posts = async () => (await ownRows(database, 'posts')).map((row) => row.channel_id);
      const others = (await posts()).filter((id) => id !== 'DPRIYA');
      assert.deepEqual(
        (await readPersonData(queries, priya)).posts.map((row) => [row.run_id, row.channel_id]),
        [[runId, 'DPRIYA']],
      );
      await database.write((tx) => erasePerson(tx, { ...priya, now: 5000 }));
      assert.deepEqual(await posts(), others);
      await strangers.assertUntouched();
    });

    it('a person has a separate profile in each team', async (t) => {
      const { database, close } = await engines[engine]();
      t.after(close);
      const reported = { clientId: '1.1', userId: 'U1', now: 2 };
      const profile = {
        name: null,
        realName: null,
        timezone: null,
        locale: null,
        avatarUrl: null,
        isOwner: false,
      };
      for (const teamId of ['T1', 'T2', 'E1']) {
        await database.write(async (tx) => {
          const { firstSeenAt } = await recordUser(tx, {
            ...reported,
            teamId,
            seenAt: teamId === 'T2' ? 5 : 1,
          });
          assert.equal(firstSeenAt, teamId === 'T2' ? 5 : 1);
          const user = { ...profile, email: `u1@${teamId}`, isAdmin: teamId === 'T1' };
          await saveProfile(tx, { ...reported, teamId }, { user, team: null });
        });
      }
      const rows = await database.queries
        .selectFrom('users')
        .select(['team_id', 'email'])
        .orderBy('team_id')
        .execute();
      assert.deepEqual(
        rows.map(({ team_id, email }) => [team_id, email]),
        [
          ['E1', 'u1@E1'],
          ['T1', 'u1@T1'],
          ['T2', 'u1@T2'],
        ],
      );
    });
  });
}
