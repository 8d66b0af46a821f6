import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import fc from 'fast-check';
import { pino } from 'pino';
import { createCommitLifecycle } from '../../src/events/lifecycle-events.ts';
import {
  MalformedBodyError,
  parseSlackBody,
  personIn,
  readEnvelope,
} from '../../src/events/slack-request.ts';
import { createInstallationStore } from '../../src/installations/create-installation-store.ts';
import { createClock, keyringOf, orgInstall, teamInstall } from '../support/installations.ts';
import { engines } from '../support/open-test-database.ts';

/**
 * Lifecycle events with odd fields. Foyer must not lose an event because of a field that the event does not need
 * (invariant 6), and a stale event must change nothing (invariant 7). Most tests also store other tenants, inside and
 * outside the same enterprise, which an event must not change.
 */

it('Foyer reads at most a thousand ids of each kind from an event', () => {
  const ids = Array.from({ length: 50_000 }, (_, n) => `T${n}`);
  const read = readEnvelope({
    team_id: 'T1',
    authorizations: ids.map((team_id) => ({ team_id })),
    event: { type: 'team_access_granted', team_ids: ids, tokens: { oauth: ids, bot: ids } },
  });
  for (const list of [read.teamIds, read.userIds, read.botUserIds]) assert.equal(list.length, 1000);
  assert.ok(read.candidates.length <= 200);
});

it('an event is recognized even if its envelope’s `type` is missing or wrong, but refused if `type` is an object or an array', () => {
  const event = { type: 'app_uninstalled' };
  const typeOf = (type: unknown, contentType = 'application/json') =>
    parseSlackBody(contentType, Buffer.from(JSON.stringify({ type, event }))).type;
  for (const type of [undefined, null, '', 'event', 'Event_Callback', 5, true, 'event_callback'])
    assert.equal(typeOf(type), 'event_callback', String(type));
  for (const type of [{}, [], ['event_callback']]) assert.throws(() => typeOf(type), MalformedBodyError);
  const press = { type: 'block_actions', event: 'app_uninstalled' };
  assert.equal(parseSlackBody('application/json', Buffer.from(JSON.stringify(press))).type, 'block_actions');
  const form = new URLSearchParams({ payload: JSON.stringify({ type: 'block_actions', event }) });
  const formType = 'application/x-www-form-urlencoded';
  assert.equal(parseSlackBody(formType, Buffer.from(String(form))).type, 'block_actions');
});

it('Foyer removes each of an event’s authorizations that is not an object, because Bolt does not check the first authorization', () => {
  const parse = (body: object) =>
    parseSlackBody('application/json', Buffer.from(JSON.stringify({ event: { type: 'message' }, ...body })));
  const known = { team_id: 'T1' };
  for (const [given, expected] of [
    [[null], []],
    [[null, 'T1', 5, known], [known]],
    [[known], [known]],
    ['T1', 'T1'],
    [undefined, undefined],
  ])
    assert.deepEqual(parse({ authorizations: given }).authorizations, expected);
});

it('a person from another workspace does not count as a member of the workspace in which they open a dialog', () => {
  const user = { id: 'U1', team_id: 'T1' };
  assert.deepEqual(personIn({ user, team: { id: 'T1' } }), { userId: 'U1' });
  assert.deepEqual(personIn({ user, team: { id: 'T2' } }), { userId: 'U1', from: 'T1' });
  const view = { app_installed_team_id: 'T2' };
  assert.deepEqual(personIn({ user, team: { id: 'T1' }, view }), { userId: 'U1', from: 'T1' });
});

it('an event with `is_enterprise_install: false` is not applied to the org-wide install', () => {
  const body = { team_id: 'T1', enterprise_id: 'E1', event: { type: 'app_uninstalled' } };
  const flags = (more: object) =>
    readEnvelope({ ...body, ...more }).candidates.map(({ isEnterpriseInstall }) => isEnterpriseInstall);
  assert.deepEqual(flags({ is_enterprise_install: false }), [false]);
  assert.deepEqual(flags({}), [false, true]);
});

for (const [engine, openBackend] of Object.entries(engines)) {
  async function prepare(t: TestContext) {
    const backend = await openBackend();
    t.after(backend.close);
    const clock = createClock();
    const lines: { level: number }[] = [];
    const log = pino({}, { write: (line: string) => void lines.push(JSON.parse(line)) });
    const store = createInstallationStore({
      database: backend.database,
      keyring: keyringOf('k1'),
      clientId: '1.1',
      stepNames: ['a-step'],
      now: clock.now,
      log,
    });
    const commit = createCommitLifecycle({ store, onChanged() {}, log });
    const { queries } = backend.database;
    return {
      store,
      clock,
      lines,
      deliver: async (body: object) => commit(body as Record<string, unknown>, clock.now()),
      async statuses() {
        const rows = await queries.selectFrom('installations').select(['tenant', 'status']).execute();
        return Object.fromEntries(rows.map(({ tenant, status }) => [tenant, status]));
      },
      async tokens() {
        const bots = await queries.selectFrom('installations').select(['tenant', 'sealed_bot']).execute();
        const users = await queries
          .selectFrom('user_tokens')
          .select(['installation_id', 'user_id'])
          .execute();
        return {
          bots: bots
            .filter((row) => row.sealed_bot !== null)
            .map((row) => row.tenant)
            .sort(),
          users,
        };
      },
    };
  }

  const envelope = (clock: { now(): number }, more: object = {}) => ({
    type: 'event_callback',
    api_app_id: 'A1',
    team_id: 'T1',
    enterprise_id: 'E1',
    event_id: 'Ev1',
    event_time: Math.floor(clock.now() / 1000) + 60,
    authorizations: [
      { enterprise_id: 'E1', team_id: 'T1', user_id: 'UBOT', is_bot: true, is_enterprise_install: false },
    ],
    event: { type: 'app_uninstalled' },
    ...more,
  });

  describe(`an uninstall event with odd fields, on ${engine}`, () => {
    const odd: Record<string, object> = {
      'without an event id': { event_id: null },
      'without an event time': { event_time: null },
      'with an event time that is a string': { event_time: '1900000000' },
      'with an event time before Slack existed': { event_time: 5 },
      'without an app id': { api_app_id: null },
      'with an empty enterprise id': { enterprise_id: '' },
      'with a null among its authorizations': {
        authorizations: [null, { team_id: 'T1', enterprise_id: 'E1', is_enterprise_install: false }],
      },
      'with an authorization that names no team': {
        authorizations: [{ team_id: null, enterprise_id: null }],
      },
      'with an authorization that names only the enterprise': {
        authorizations: [{ team_id: null, enterprise_id: 'E1', is_enterprise_install: false }],
      },
      'with authorizations that are not a list': { authorizations: 'T1' },
      'with an empty list of authorizations': { authorizations: [] },
      'with `is_enterprise_install` as a string': {
        authorizations: undefined,
        is_enterprise_install: 'false',
      },
      'with a list of tokens, which it does not need,': { event: { type: 'app_uninstalled', tokens: [] } },
      'marked as org-wide but without an enterprise id': {
        enterprise_id: '',
        authorizations: [{ team_id: 'T1', enterprise_id: '', is_enterprise_install: true }],
      },
      'with another tenant’s authorization first': {
        authorizations: [
          { team_id: 'TELSE', enterprise_id: null, is_enterprise_install: false },
          { team_id: 'T1', enterprise_id: 'E1', is_enterprise_install: false },
        ],
      },
    };
    for (const [name, fields] of Object.entries(odd)) {
      it(`an uninstall event ${name} is applied to its own team`, async (t) => {
        const stage = await prepare(t);
        await stage.store.storeInstallation(teamInstall({ enterpriseId: 'E1' }));
        await stage.store.storeInstallation(teamInstall({ teamId: 'T2' }));
        await stage.store.storeInstallation(orgInstall());
        await stage.deliver(envelope(stage.clock, fields));
        const statuses = await stage.statuses();
        assert.deepEqual(statuses, {
          'team:T1': 'uninstalled',
          'team:T2': 'active',
          'enterprise:E1': 'active',
        });
      });
    }

    it('an uninstall event without authorizations is applied to the org-wide install if no workspace install matches', async (t) => {
      const stage = await prepare(t);
      await stage.store.storeInstallation(orgInstall());
      await stage.store.storeInstallation(teamInstall({ teamId: 'T2', enterpriseId: 'E1' }));
      await stage.deliver(envelope(stage.clock, { authorizations: undefined }));
      assert.deepEqual(await stage.statuses(), { 'enterprise:E1': 'uninstalled', 'team:T2': 'active' });
    });

    for (const how of ['uninstalled', 'purged'] as const) {
      it(`an uninstall event without authorizations does not change the org-wide install if the workspace’s own install was just ${how}`, async (t) => {
        const stage = await prepare(t);
        const own = teamInstall({ enterpriseId: 'E1', userToken: 'xoxp-own' });
        const { installationId } = await stage.store.recordInstall(own);
        await stage.store.storeInstallation(orgInstall({ userToken: 'xoxp-org' }));
        await stage.store.storeInstallation(teamInstall({ teamId: 'T12', enterpriseId: 'E1' }));
        stage.clock.advance(60_000);
        const uninstall = envelope(stage.clock, { authorizations: undefined });
        const revoked = { type: 'tokens_revoked', tokens: { oauth: ['U1'], bot: ['UBOT'] } };
        if (how === 'uninstalled') await stage.deliver(uninstall);
        else await stage.store.purgeInstallation(installationId);
        // For one uninstall, Slack sends app_uninstalled and tokens_revoked, and repeats each event that Foyer did not
        // answer.
        stage.clock.advance(5000);
        for (let time = 0; time < 2; time += 1) {
          await stage.deliver(uninstall);
          await stage.deliver({ ...uninstall, event_id: 'EvTokens', event: revoked });
        }
        const left = await stage.statuses();
        assert.deepEqual([left['enterprise:E1'], left['team:T12']], ['active', 'active']);
        const org = { enterpriseId: 'E1', isEnterpriseInstall: true, userId: 'U1' };
        const kept = await stage.store.fetchInstallation(org);
        assert.deepEqual([kept.bot?.token, kept.user.token], ['xoxb-bot-1', 'xoxp-org']);

        // If the event is minutes later than the workspace's own uninstall, it can only be about the org-wide install.
        stage.clock.advance(2 * 60_000);
        await stage.deliver(envelope(stage.clock, { authorizations: undefined, event_id: 'EvLater' }));
        assert.equal((await stage.statuses())['enterprise:E1'], 'uninstalled');
      });
    }

    it('an uninstall event for a workspace install that Foyer does not know leaves the org-wide install unchanged', async (t) => {
      const stage = await prepare(t);
      await stage.store.storeInstallation(orgInstall());
      await stage.deliver(envelope(stage.clock));
      assert.deepEqual(await stage.statuses(), { 'enterprise:E1': 'active' });
    });

    it('an uninstall event is applied to its own team and logged, even if a field is missing, empty or of the wrong type', async (t) => {
      const stage = await prepare(t);
      const values = fc.constantFrom<unknown>(
        null,
        undefined,
        '',
        0,
        -1,
        'x',
        '5',
        true,
        [],
        {},
        [null],
        { a: 1 },
        1e308,
      );
      const fields = [
        'api_app_id',
        'team_id',
        'enterprise_id',
        'event_id',
        'event_time',
        'authorizations',
        'is_enterprise_install',
      ];
      await stage.store.storeInstallation(teamInstall({ teamId: 'T2' }));
      await fc.assert(
        fc.asyncProperty(fc.constantFrom(...fields), values, async (field, value) => {
          stage.clock.advance(120_000);
          await stage.store.storeInstallation(teamInstall({ enterpriseId: 'E1' }));
          stage.lines.length = 0;
          await stage.deliver({ ...envelope(stage.clock), [field]: value });
          const statuses = await stage.statuses();
          assert.equal(statuses['team:T2'], 'active');
          assert.equal(statuses['team:T1'], 'uninstalled');
          assert.ok(stage.lines.length > 0);
        }),
        { numRuns: 60 },
      );
    });
  });

  describe(`a tokens_revoked event, on ${engine}`, () => {
    const tokensRevoked = (tokens: unknown) => ({ event: { type: 'tokens_revoked', tokens } });

    it('a tokens_revoked event for another app’s bot changes nothing', async (t) => {
      const stage = await prepare(t);
      await stage.store.storeInstallation(teamInstall({ enterpriseId: 'E1', userToken: 'xoxp-1' }));
      const before = await stage.tokens();
      await stage.deliver(envelope(stage.clock, tokensRevoked({ bot: ['USOMEONE'] })));
      assert.deepEqual(await stage.statuses(), { 'team:T1': 'active' });
      assert.deepEqual(await stage.tokens(), before);
    });

    it('a tokens_revoked event deletes exactly the named users’ tokens, and ignores values that are not ids', async (t) => {
      const stage = await prepare(t);
      await stage.store.storeInstallation(
        teamInstall({ enterpriseId: 'E1', userId: 'U1', userToken: 'xoxp-1' }),
      );
      await stage.store.storeInstallation(
        teamInstall({ enterpriseId: 'E1', userId: 'U2', userToken: 'xoxp-2' }),
      );
      await stage.store.storeInstallation(teamInstall({ teamId: 'T2', userId: 'U1', userToken: 'xoxp-3' }));
      await stage.deliver(envelope(stage.clock, tokensRevoked({ oauth: [null, 'U1', 7], bot: null })));
      const { bots, users } = await stage.tokens();
      assert.deepEqual(bots, ['team:T1', 'team:T2']);
      assert.deepEqual(users.map(({ user_id }) => user_id).sort(), ['U1', 'U2']);
    });
  });
}
