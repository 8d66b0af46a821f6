import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { pino } from 'pino';
import { recordUser } from '../../src/database/people/people.ts';
import { recordTeam } from '../../src/database/teams.ts';
import { createKeepNames } from '../../src/events/keep-names.ts';
import { createCommitLifecycle } from '../../src/events/lifecycle-events.ts';
import { createInstallationStore } from '../../src/installations/create-installation-store.ts';
import { createClock, keyringOf, orgInstall, teamInstall } from '../support/installations.ts';
import { engines } from '../support/open-test-database.ts';

/** Each test stores two teams and an enterprise. An event may change only the team or the person that it is about. */
for (const [engine, openBackend] of Object.entries(engines)) {
  async function prepare(t: TestContext) {
    const backend = await openBackend();
    t.after(backend.close);
    const { database } = backend;
    const clock = createClock();
    const lines: Record<string, unknown>[] = [];
    const log = pino({}, { write: (line: string) => void lines.push(JSON.parse(line)) });
    const clientId = '1.1';
    const store = createInstallationStore({
      ...{ database, keyring: keyringOf('k1'), clientId, stepNames: ['a-step'], now: clock.now, log },
    });
    for (const teamId of ['T1', 'T2']) {
      await store.storeInstallation(teamInstall({ teamId }));
      const seen = { seenAt: clock.now(), now: clock.now() };
      await database.write((tx) =>
        recordTeam(tx, { clientId, teamId, name: `old ${teamId}`, enterpriseId: null, ...seen }),
      );
      // Both teams have a person with the same user id: a change to one person must not affect the other.
      await database.write((tx) => recordUser(tx, { clientId, teamId, userId: 'U1', ...seen }));
    }
    await store.storeInstallation(orgInstall());
    const changed: unknown[] = [];
    const commit = createCommitLifecycle({
      store,
      keepNames: createKeepNames({ database, clientId, now: clock.now, log }),
      onChanged: (query) => changed.push(query.teamId),
      log,
    });
    return {
      clock,
      lines,
      changed,
      database,
      queries: database.queries,
      async deliver(event: object, more: object = {}) {
        const body = { type: 'event_callback', team_id: 'T1', event_id: 'Ev1', event, ...more };
        await commit({ event_time: Math.floor(clock.now() / 1000) + 5, ...body }, clock.now());
      },
      /** Selects the stored people with their memberships. */
      members: () =>
        database.queries
          .selectFrom('users')
          .innerJoin('memberships', (join) =>
            join
              .onRef('memberships.team_id', '=', 'users.team_id')
              .onRef('memberships.user_id', '=', 'users.user_id'),
          ),
      async teams() {
        const teams = await database.queries
          .selectFrom('teams')
          .select(['team_id', 'name', 'domain', 'enterprise_id'])
          .orderBy('team_id')
          .execute();
        const installs = await database.queries
          .selectFrom('installations')
          .select(['tenant', 'team_name', 'enterprise_id'])
          .orderBy('tenant')
          .execute();
        return { teams, installs };
      },
    };
  }

  describe(`names that change in Slack, on ${engine}`, () => {
    it('a team name or domain that changes in Slack is stored for that team only', async (t) => {
      const stage = await prepare(t);
      const before = await stage.teams();
      await stage.deliver({ type: 'team_rename', name: ' New\u0000 Name ' });
      await stage.deliver({ type: 'team_domain_change', domain: 'new', url: 'https://new.slack.com' });
      const after = await stage.teams();
      assert.deepEqual(after.teams, [
        { team_id: 'T1', name: 'New  Name', domain: 'new', enterprise_id: null },
        before.teams[1],
      ]);
      assert.deepEqual(
        after.installs.map(({ tenant, team_name }) => [tenant, team_name]),
        before.installs.map(({ tenant, team_name }) => [
          tenant,
          tenant === 'team:T1' ? 'New  Name' : team_name,
        ]),
      );
      assert.deepEqual(stage.changed, ['T1', 'T1']);
    });

    it('a stored team name stays unchanged if a rename event is older than that name', async (t) => {
      const stage = await prepare(t);
      await stage.deliver({ type: 'team_rename', name: 'Newest' });
      await stage.deliver(
        { type: 'team_rename', name: 'Late' },
        { event_time: Math.floor(stage.clock.now() / 1000) },
      );
      assert.equal((await stage.teams()).teams[0]?.name, 'Newest');
    });

    for (const name of [null, undefined, '', ' \u0000 ', 7, {}, ['x']]) {
      it(`a stored team name stays unchanged if a rename event has the invalid name ${JSON.stringify(name)}, and Foyer logs the event`, async (t) => {
        const stage = await prepare(t);
        const before = await stage.teams();
        await stage.deliver({ type: 'team_rename', name });
        assert.deepEqual(await stage.teams(), before);
        assert.equal(stage.lines.length, 1);
      });
    }

    it('a change to a person is stored only for the event’s team, and values of the wrong type change nothing', async (t) => {
      const stage = await prepare(t);
      const people = () =>
        stage
          .members()
          .select(['users.team_id', 'real_name', 'email', 'is_admin'])
          .orderBy('users.team_id')
          .execute();
      const user = {
        id: 'U1',
        is_admin: true,
        is_owner: false,
        profile: { real_name: 'Ada', email: 'a@x.example' },
      };
      await stage.deliver({ type: 'user_change', user });
      // Events with values of the wrong type, without values, or about unknown people change nothing.
      await stage.deliver({
        type: 'user_change',
        user: { id: 'U1', is_admin: 'no', profile: { real_name: 7 } },
      });
      await stage.deliver({ type: 'user_change', user: { id: 'U1', profile: null } });
      await stage.deliver({ type: 'user_change', user: { ...user, id: 'U2' } });
      await stage.deliver({ type: 'user_change', user: null });
      assert.deepEqual(await people(), [
        { team_id: 'T1', real_name: 'Ada', email: 'a@x.example', is_admin: 1 },
        { team_id: 'T2', real_name: null, email: null, is_admin: 0 },
      ]);
    });

    it('Foyer stores a change to a Grid member, but not a change to a person of another company who has the same user id', async (t) => {
      const stage = await prepare(t);
      const member = async () =>
        stage
          .members()
          .select(['real_name', 'is_admin', 'deactivated_at'])
          .where('users.team_id', '=', 'T1')
          .executeTakeFirst();
      const before = await member();
      const stranger = {
        id: 'U1',
        team_id: 'T9',
        is_admin: true,
        is_owner: false,
        profile: { real_name: 'Eve' },
      };
      const inOtherOrg = { ...stranger, enterprise_user: { enterprise_id: 'E9', teams: ['T9'] } };
      for (const user of [stranger, inOtherOrg, { ...stranger, deleted: true }])
        await stage.deliver({ type: 'user_change', user });
      assert.deepEqual(await member(), before);
      const ofGrid = { ...stranger, enterprise_user: { enterprise_id: 'E1', teams: ['T9', 'T1'] } };
      await stage.deliver({ type: 'user_change', user: ofGrid });
      assert.deepEqual(await member(), { real_name: 'Eve', is_admin: 1, deactivated_at: null });
    });

    it('Foyer stores a team’s new enterprise only once Slack reports that the team’s migration is finished', async (t) => {
      const stage = await prepare(t);
      const before = await stage.teams();
      await stage.deliver({ type: 'grid_migration_started', enterprise_id: 'E7' });
      assert.deepEqual(await stage.teams(), before);
      await stage.deliver({ type: 'grid_migration_finished', enterprise_id: 'E7' });
      const after = await stage.teams();
      assert.deepEqual(
        after.teams.map(({ team_id, enterprise_id }) => [team_id, enterprise_id]),
        [
          ['T1', 'E7'],
          ['T2', null],
        ],
      );
      assert.deepEqual(
        after.installs.filter(({ tenant }) => tenant !== 'team:T1'),
        before.installs.filter(({ tenant }) => tenant !== 'team:T1'),
      );
      assert.equal(after.installs.find(({ tenant }) => tenant === 'team:T1')?.enterprise_id, 'E7');
    });
  });

  describe(`Foyer handles reports of dropped events and events about an organization, on ${engine}`, () => {
    it('if Slack drops a team’s events, Foyer notifies the operators at most once an hour', async (t) => {
      const stage = await prepare(t);
      const hour = Math.floor(stage.clock.now() / 3_600_000) * 3600;
      const minute = hour + 60;
      const body = { type: 'app_rate_limited', event: undefined, event_time: undefined, event_id: undefined };
      await stage.deliver({}, { ...body, minute_rate_limited: minute });
      await stage.deliver({}, { ...body, minute_rate_limited: minute + 60 });
      await stage.deliver({}, { ...body, minute_rate_limited: minute + 3600 });
      await stage.deliver({}, { ...body, minute_rate_limited: minute, team_id: 'TUNKNOWN' });
      const notices = await stage.queries
        .selectFrom('operator_notices')
        .innerJoin('installations', 'installations.id', 'operator_notices.installation_id')
        .select(['kind', 'tenant', 'channel'])
        .execute();
      assert.deepEqual(
        notices.filter(({ channel }) => channel === 'mail').map(({ kind, tenant }) => [kind, tenant]),
        [
          ['rate_limited', 'team:T1'],
          ['rate_limited', 'team:T1'],
        ],
      );
      const warned = stage.lines.filter(({ level }) => level === 40).map(({ teamId }) => teamId);
      assert.deepEqual(warned, ['T1', 'T1', 'T1', 'TUNKNOWN']);
    });

    it('an event about an organization does not change the names of its workspaces', async (t) => {
      const stage = await prepare(t);
      const before = await stage.teams();
      const orgWide = { enterprise_id: 'E1', is_enterprise_install: true };
      for (const event of [
        { type: 'team_rename', name: 'The Organization' },
        { type: 'grid_migration_finished', enterprise_id: 'E1' },
      ])
        await stage.deliver(event, orgWide);
      assert.deepEqual(await stage.teams(), before);
    });

    it('an organization’s event about a deactivated person ends their operator sessions too', async (t) => {
      const { queries, clock, deliver } = await prepare(t);
      const session = {
        ...{ client_id: '1.1', kind: 'operator' as const, installation_id: null, life: null, team_id: 'T1' },
        ...{ registered_team_id: 'T1', slack_signed_at: clock.now(), began_at: clock.now() },
        ...{ seen_at: clock.now(), checked_at: null, browser: null, address: null },
      };
      const sessions = [
        { ...session, id: 'gone', user_id: 'U1', enterprise_id: 'E1' },
        { ...session, id: 'colleague', user_id: 'U2', enterprise_id: 'E1' },
        { ...session, id: 'stranger', user_id: 'U1', enterprise_id: 'E2' },
        { ...session, id: 'other app', client_id: '2.2', user_id: 'U1', enterprise_id: 'E1' },
      ];
      await queries.insertInto('sessions').values(sessions).execute();
      const user = { id: 'U1', deleted: true, enterprise_user: { enterprise_id: 'E1', teams: ['T1'] } };
      const orgWide = { team_id: undefined, enterprise_id: 'E1', is_enterprise_install: true };
      await deliver({ type: 'user_change', user }, orgWide);
      const left = await queries.selectFrom('sessions').select('id').orderBy('id').execute();
      assert.deepEqual(
        left.map(({ id }) => id),
        ['colleague', 'other app', 'stranger'],
      );
    });

    it('an organization’s event about a person stores their roles in the organization, not those in a workspace', async (t) => {
      const { database, queries, clock, deliver } = await prepare(t);
      const person = { clientId: '1.1', teamId: 'E1', userId: 'U1' };
      await database.write((tx) => recordUser(tx, { ...person, seenAt: clock.now(), now: clock.now() }));
      const roles = async () => {
        const columns = ['team_id', 'is_admin', 'is_owner'] as const;
        const rows = await queries.selectFrom('memberships').select(columns).orderBy('team_id').execute();
        return rows.map((row) => [row.team_id, row.is_admin, row.is_owner]);
      };
      const orgWide = { team_id: undefined, enterprise_id: 'E1', is_enterprise_install: true };
      const event = (workspace: boolean, organization: boolean) => ({
        type: 'user_change',
        user: {
          ...{ id: 'U1', is_admin: workspace, is_owner: workspace },
          enterprise_user: { is_admin: organization, is_owner: organization },
        },
      });
      const others = [
        ['T1', 0, 0],
        ['T2', 0, 0],
      ];
      await deliver(event(true, false), orgWide);
      assert.deepEqual(await roles(), [['E1', 0, 0], ...others]);
      await deliver(event(false, true), orgWide);
      assert.deepEqual(await roles(), [['E1', 1, 1], ...others]);
    });
  });
}
