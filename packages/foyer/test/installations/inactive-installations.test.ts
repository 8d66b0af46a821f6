import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, it, type TestContext } from 'node:test';
import { pino } from 'pino';
import { createInstallationStore } from '../../src/installations/create-installation-store.ts';
import { createTokenSource } from '../../src/installations/create-token-source.ts';
import { createDisconnectMember } from '../../src/installations/disconnect-member.ts';
import { createInactiveInstallations } from '../../src/installations/inactive-installations.ts';
import { createSlackClientFactory } from '../../src/slack/create-slack-client.ts';
import { createClock, keyringOf, orgInstall, teamInstall } from '../support/installations.ts';
import { engines } from '../support/open-test-database.ts';
import { inviteStrangers, ownRows } from '../support/strangers.ts';

/** Slack's answer to a call with a token or refresh token: an error code, an HTTP status, or `ok`. */
type Said = string | number | 'ok';

/** Starts a fake Slack that answers `auth.test` and token refreshes. `say` sets its answer for one token. */
async function startSlack(t: TestContext) {
  const said = new Map<string, Said>();
  const asked: string[] = [];
  let suspended = false;
  const server = createServer(async (req, res) => {
    let body = '';
    for await (const chunk of req) body += chunk;
    const refreshToken = new URLSearchParams(body).get('refresh_token');
    const token = refreshToken ?? req.headers.authorization?.replace('Bearer ', '') ?? '';
    asked.push(token);
    const own = said.get(token);
    const answer = typeof own === 'number' ? own : suspended ? 'account_inactive' : (own ?? 'ok');
    if (typeof answer === 'number') return void res.writeHead(answer, { 'Retry-After': '30' }).end();
    const renewed = { access_token: `${token}-new`, refresh_token: `${token}-next`, expires_in: 43_200 };
    const json =
      answer === 'ok' ? { ok: true, ...(refreshToken ? renewed : {}) } : { ok: false, error: answer };
    res.writeHead(200, { 'Content-Type': 'application/json' }).end(JSON.stringify(json));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return {
    apiUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}/api/`,
    asked,
    /**
     * Suspends the app, or ends the suspension. While the app is suspended, Slack answers `account_inactive` for every
     * token, except for a token for which `say` has set an HTTP status.
     */
    suspend(is: boolean) {
      suspended = is;
    },
    say: (token: string, answer: Said) => void said.set(token, answer),
  };
}

async function setTeams(t: TestContext, open: (typeof engines)[keyof typeof engines]) {
  const [opened, slack] = await Promise.all([open(), startSlack(t)]);
  const keyring = keyringOf('k1');
  const clock = createClock();
  const lines: string[] = [];
  const log = pino({ level: 'debug' }, { write: (line: string) => void lines.push(line) });
  const strangers = await inviteStrangers(opened.database, { keyring });
  const ends = { uninstalled: 0, working: [] as string[] };
  /** Creates the store and the token source of another machine, by default for the same app. */
  const machine = (clientId = '1.1') => {
    const config = { slack: { apiUrl: slack.apiUrl, clientId, clientSecret: 'secret' } };
    const shared = { database: opened.database, now: clock.now, log };
    const names = { stepNames: ['only'], uninstallStepNames: ['cancel-plan'] };
    const store = createInstallationStore({ ...shared, ...names, keyring, clientId });
    const slackClients = createSlackClientFactory({ config: config as never, log });
    const tokens = createTokenSource({
      ...{ ...shared, store, config, slack: slackClients },
      onUninstalled() {
        ends.uninstalled += 1;
      },
      onWorksAgain: (installationId) => void ends.working.push(installationId),
    });
    return { store, tokens, slackClients };
  };
  const { store, tokens, slackClients } = machine();
  /** Installs the app in a team, a minute after the previous install. The tokens are named after the team. */
  const installed = async (teamId: string, expiresAt?: number) => {
    clock.advance(60_000);
    const wish = { teamId, botToken: `xoxb-${teamId}`, userToken: `xoxp-${teamId}`, botExpiresAt: expiresAt };
    return (await store.recordInstall(teamInstall(wish))).installationId;
  };
  const died = (installationId: string) => tokens.tokenDied({ installationId, code: 'account_inactive' });
  const rows = async () =>
    (await ownRows(opened.database, 'installations'))
      .sort((one, other) => one.installed_at - other.installed_at || (one.tenant < other.tenant ? -1 : 1))
      .map(({ status, broken_reason }) => (broken_reason ? `${status} ${broken_reason}` : status));
  const uninstallRuns = async () =>
    (await ownRows(opened.database, 'runs')).filter((run) => run.pipeline === 'uninstall').length;
  t.after(async () => {
    await strangers.assertUntouched();
    await opened.close();
    for (const secret of ['xox', 'secret'])
      assert.ok(!lines.join('').includes(secret), `${secret} is in the log`);
  });
  return {
    ...{ opened, slack, clock, lines, strangers, store, tokens, slackClients, machine },
    ...{ installed, died, rows, uninstallRuns, ends },
  };
}

const held = 'broken account_inactive';

for (const [engine, open] of Object.entries(engines)) {
  describe(`an installation that Slack calls inactive, on ${engine}`, () => {
    it('if two machines check an installation that Slack calls inactive while another installation works, it is uninstalled exactly once', async (t) => {
      const { slack, installed, died, rows, uninstallRuns, ends, machine } = await setTeams(t, open);
      const gone = await installed('T1');
      await installed('T2');
      slack.say('xoxb-T1', 'account_inactive');
      const other = machine().tokens.tokenDied({ installationId: gone, code: 'account_inactive' });
      assert.deepEqual((await Promise.all([died(gone), other])).sort(), [false, true]);
      assert.deepEqual(await rows(), ['uninstalled', 'active']);
      assert.deepEqual([await uninstallRuns(), ends.uninstalled], [1, 1]);
    });

    it('while the app is suspended, an installation that Slack calls inactive is broken but keeps its tokens; after the suspension, it is active again', async (t) => {
      const stage = await setTeams(t, open);
      const { slack, strangers, installed, died, rows, uninstallRuns, ends, store, tokens, lines } = stage;
      await strangers.leave();
      const ids = [await installed('T1'), await installed('T2'), await installed('T3')];
      slack.suspend(true);
      for (const id of ids) await died(id);
      assert.deepEqual(await rows(), [held, held, held]);
      for (const id of ids) {
        const { bot, user } = (await store.readInstallation(id))?.installation ?? {};
        assert.match(`${bot?.token} ${user?.token}`, /^xoxb-T\d xoxp-T\d$/);
      }
      assert.deepEqual(await tokens.settleHeld(), { active: 0, uninstalled: 0, broken: 0, held: 3 });
      const errors = lines.filter((line) => line.includes('"level":50'));
      assert.equal(errors.length, 3);
      assert.match(
        errors[0] ?? '',
        /account_inactive.*Foyer marks the installation broken and keeps its tokens/,
      );

      slack.suspend(false);
      assert.deepEqual(await tokens.settleHeld(), { active: 3, uninstalled: 0, broken: 0, held: 0 });
      assert.deepEqual(await rows(), ['active', 'active', 'active']);
      assert.deepEqual(ends.working.sort(), ids.sort());
      assert.deepEqual([await uninstallRuns(), ends.uninstalled], [0, 0]);
      const history = (await ownRows(stage.opened.database, 'history')).map(({ kind }) => kind);
      assert.equal(history.filter((kind) => kind === 'token_works').length, 3);
    });

    it('if two machines check, after a suspension of the app, an installation whose workspace has removed the app, only one of them uninstalls it', async (t) => {
      const { slack, strangers, installed, died, rows, uninstallRuns, ends, tokens, machine } =
        await setTeams(t, open);
      await strangers.leave();
      const ids = [await installed('T1'), await installed('T2'), await installed('T3')];
      slack.suspend(true);
      for (const id of ids) await died(id);
      slack.suspend(false);
      slack.say('xoxb-T2', 'account_inactive');
      const passes = () => Promise.all([tokens.settleHeld(), machine().tokens.settleHeld()]);
      // The first pass may check T2 before any other installation is active again. In that case, only the second pass
      // uninstalls T2.
      await passes();
      await passes();
      assert.deepEqual(await rows(), ['active', 'uninstalled', 'active']);
      assert.deepEqual([await uninstallRuns(), ends.uninstalled], [1, 1]);
    });

    it('an installation that Slack calls inactive is not uninstalled until another installation shows that the app itself still works', async (t) => {
      const { slack, strangers, installed, died, rows, uninstallRuns, tokens } = await setTeams(t, open);
      await strangers.leave();
      const lone = await installed('T1');
      slack.say('xoxb-T1', 'account_inactive');
      await died(lone);
      assert.deepEqual(await rows(), [held], 'a lone customer');
      await installed('T2');
      await installed('T3');
      slack.say('xoxb-T2', 429);
      slack.say('xoxb-T3', 503);
      assert.deepEqual(await tokens.settleHeld(), { active: 0, uninstalled: 0, broken: 0, held: 1 });
      assert.deepEqual(await rows(), [held, 'active', 'active'], 'and those that did not answer stay active');
      slack.say('xoxb-T3', 'token_revoked');
      await tokens.settleHeld();
      assert.deepEqual(await rows(), [held, 'active', 'broken token_revoked']);
      assert.equal(await uninstallRuns(), 0);
      // T3 is broken now, so the next pass asks only T2.
      slack.say('xoxb-T2', 'ok');
      assert.deepEqual(await tokens.settleHeld(), { active: 0, uninstalled: 1, broken: 0, held: 0 });
      assert.deepEqual(await rows(), ['uninstalled', 'active', 'broken token_revoked']);
      assert.equal(await uninstallRuns(), 1);
    });

    it('an installation that Slack calls inactive does not count as proof that the app itself still works', async (t) => {
      const { slack, strangers, installed, died, rows, tokens } = await setTeams(t, open);
      await strangers.leave();
      const ids = [
        await installed('T1'),
        await installed('T2'),
        await installed('T3'),
        await installed('T4'),
      ];
      for (const team of ['T2', 'T3', 'T4']) slack.say(`xoxb-${team}`, 'account_inactive');
      await died(ids[1] ?? '');
      assert.deepEqual(
        await rows(),
        ['active', held, held, held],
        'two witnesses were asked, and T1 was not',
      );
      await tokens.settleHeld();
      assert.deepEqual(await rows(), ['active', 'uninstalled', 'uninstalled', 'uninstalled']);
    });

    it('a pass over inactive installations makes at most six calls while the app is suspended; later it ends after `limit` installations or when `signal` aborts', async (t) => {
      const { slack, strangers, installed, died, tokens } = await setTeams(t, open);
      await strangers.leave();
      const ids: string[] = [];
      for (let n = 0; n < 20; n += 1) ids.push(await installed(`T${n}`));
      slack.suspend(true);
      for (const id of ids) await died(id);
      slack.asked.length = 0;
      const { held: tested } = await tokens.settleHeld();
      assert.ok(tested <= 6 && slack.asked.length <= 6, `${tested} tested by ${slack.asked.length} calls`);
      slack.suspend(false);
      assert.equal((await tokens.settleHeld({ limit: 5 })).active, 5, 'a pass is bounded');
      assert.equal(
        (await tokens.settleHeld({ signal: AbortSignal.abort() })).active,
        0,
        'and ends with a stop',
      );
      assert.equal((await tokens.settleHeld()).active, 15);
    });

    it('an installation that Slack calls inactive stays broken if Slack later says that its token was revoked, and is active after a reinstall', async (t) => {
      const { slack, strangers, installed, died, rows, tokens } = await setTeams(t, open);
      await strangers.leave();
      const ids = [await installed('T1'), await installed('T2')];
      slack.suspend(true);
      for (const id of ids) await died(id);
      slack.suspend(false);
      slack.say('xoxb-T1', 'token_revoked');
      await installed('T2');
      assert.deepEqual(await tokens.settleHeld(), { active: 0, uninstalled: 0, broken: 1, held: 0 });
      assert.deepEqual(await rows(), ['broken token_revoked', 'active']);
    });

    it('if Slack calls an installation inactive and its token expires, Foyer refreshes the token before it checks the installation again, and keeps the user tokens', async (t) => {
      const { slack, strangers, clock, installed, rows, store, tokens } = await setTeams(t, open);
      await strangers.leave();
      const inOneHour = Math.floor(clock.now() / 1000) + 3600;
      const ids = [await installed('T1', inOneHour), await installed('T2', inOneHour)];
      const person = { botToken: 'xoxb-T3', userToken: 'xoxp-T3', userExpiresAt: inOneHour };
      const { installationId: peopled } = await store.recordInstall(teamInstall({ teamId: 'T3', ...person }));
      slack.suspend(true);
      await tokens.refreshLapsing();
      assert.deepEqual(await rows(), [held, held, held], 'T3 was asked as a witness for its person');
      assert.equal((await store.readInstallation(peopled))?.installation.user.token, 'xoxp-T3');
      clock.advance(24 * 3_600_000);
      assert.equal((await tokens.settleHeld()).held, 3);
      slack.suspend(false);
      slack.say('xoxe-1-bot-xoxb-T2', 'account_inactive');
      clock.advance(120_000);
      await tokens.settleHeld();
      clock.advance(120_000);
      await tokens.settleHeld();
      assert.deepEqual(await rows(), ['active', 'uninstalled', 'active']);
      assert.equal(await tokens.botToken(ids[0] ?? ''), 'xoxe-1-bot-xoxb-T1-new');
    });

    it('a member can disconnect an account even if Slack refuses to refresh the bot’s expired token, but not while the app is suspended', async (t) => {
      const { slack, strangers, clock, installed, store, tokens, slackClients } = await setTeams(t, open);
      await strangers.leave();
      const disconnect = createDisconnectMember({
        ...{ store, tokens, slack: slackClients, log: pino({ level: 'silent' }) },
        reportConnection: async () => {},
      });
      const lone = await installed('T1', Math.floor(clock.now() / 1000) + 3600);
      slack.suspend(true);
      assert.equal(await disconnect(lone, 'U1'), 'unreachable');
      assert.equal((await store.readInstallation(lone))?.installation.user.token, 'xoxp-T1');
      slack.suspend(false);
      slack.say('xoxe-1-bot-xoxb-T1', 'invalid_refresh_token');
      clock.advance(3_600_000);
      await assert.rejects(tokens.botToken(lone));
      assert.equal(await disconnect(lone, 'U1'), 'disconnected');
      assert.equal(slack.asked.at(-1), 'xoxp-T1');
      assert.equal(await disconnect(lone, 'U1'), 'not_connected');
    });

    it('an installation that Slack calls inactive is uninstalled only if a second call confirms it, and is held if Slack does not answer', async (t) => {
      const { slack, installed, died, rows, uninstallRuns, tokens } = await setTeams(t, open);
      // Most tests here remove the strangers (see strangers.ts). In this test, the strangers' installations of this app
      // stay: their working tokens prove that the app is not suspended.
      const ids = [
        await installed('T1'),
        await installed('T2'),
        await installed('T3'),
        await installed('T4'),
      ];
      slack.say('xoxb-T2', 503);
      slack.say('xoxb-T3', 'token_revoked');
      slack.say('xoxb-T4', 'account_inactive');
      for (const id of ids) await died(id);
      assert.deepEqual(await rows(), [held, held, 'broken token_revoked', 'uninstalled']);
      assert.equal(await uninstallRuns(), 1);
      assert.deepEqual(await tokens.settleHeld(), { active: 1, uninstalled: 0, broken: 0, held: 1 });
      assert.deepEqual(await rows(), ['active', held, 'broken token_revoked', 'uninstalled']);
    });

    it('an installation that Slack calls inactive, even an org-wide one, is uninstalled only if another installation of the same app works', async (t) => {
      const { opened, slack, strangers, installed, died, store, machine } = await setTeams(t, open);
      const rows = async () =>
        (await ownRows(opened.database, 'installations'))
          .filter((row) => row.client_id === '1.1')
          .map(({ tenant, status }) => `${tenant} ${status}`)
          .sort();
      const org = await store.recordInstall(orgInstall({ botToken: 'xoxb-E1' }));
      slack.say('xoxb-E1', 'account_inactive');
      await died(org.installationId);
      assert.deepEqual(await rows(), ['enterprise:E1 uninstalled'], 'the strangers of this app vouch for it');
      await strangers.leave();
      const otherApp = machine('9.9');
      const theirs = await otherApp.store.recordInstall(teamInstall({ botToken: 'xoxb-other' }));
      await otherApp.tokens.tokenDied({ installationId: theirs.installationId, code: 'account_inactive' });
      await otherApp.store.recordInstall(teamInstall({ teamId: 'T9', botToken: 'xoxb-T9' }));
      const next = await installed('T1');
      slack.say('xoxb-T1', 'account_inactive');
      await died(next);
      assert.deepEqual(await rows(), ['enterprise:E1 uninstalled', 'team:T1 broken']);
      assert.deepEqual(await machine().tokens.settleHeld(), {
        active: 0,
        uninstalled: 0,
        broken: 0,
        held: 1,
      });
    });
  });
}

it('one pass checks at most 500 of the installations that Slack called inactive', async (t) => {
  const { opened, strangers, installed, died, slack } = await setTeams(t, engines.SQLite);
  await strangers.leave();
  slack.suspend(true);
  await died(await installed('T0'));
  const [row] = await ownRows(opened.database, 'installations');
  assert.ok(row);
  const more = Array.from({ length: 500 }, (_, n) => ({ ...row, id: `ins_${n}`, tenant: `team:TX${n}` }));
  await opened.database.queries.insertInto('installations').values(more).execute();
  const asked = new Set<string>();
  // A stub refuses each renewal. With 500 calls over HTTP, the test would take seconds, and timeouts could end the pass
  // before it has checked all 500 installations.
  const { settleHeld } = createInactiveInstallations({
    ...{ database: opened.database, config: { slack: { clientId: '1.1' } }, now: Date.now },
    slack: () => assert.fail('no token is tested'),
    log: pino({ level: 'silent' }),
    store: {
      readInstallation: async (installationId: string) => ({ installationId, status: 'broken' }),
      markBroken: async (installationId: string) => Boolean(asked.add(installationId)),
    } as never,
    renewExpired: async () => 'token_revoked',
  });
  assert.deepEqual(await settleHeld(), { active: 0, uninstalled: 0, broken: 500, held: 0 });
  assert.equal(asked.size, 500);
});
