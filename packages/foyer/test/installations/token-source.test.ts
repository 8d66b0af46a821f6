import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { pino } from 'pino';
import type { Database } from '../../src/database/database.ts';
import { createInstallationStore } from '../../src/installations/create-installation-store.ts';
import { createTokenSource } from '../../src/installations/create-token-source.ts';
import {
  InstallationNotFoundError,
  type InstallationStore,
} from '../../src/installations/installation-store.ts';
import type { Keyring } from '../../src/installations/keyring.ts';
import { TokenRefreshError, type TokenSource } from '../../src/installations/token-source.ts';
import { createSlackClientFactory } from '../../src/slack/create-slack-client.ts';
import { type FakeTokenEndpoint, startFakeTokenEndpoint } from '../support/fake-token-endpoint.ts';
import { createClock, keyringOf, orgInstall, teamInstall } from '../support/installations.ts';
import { openTestDatabase, type TestDatabase } from '../support/open-test-database.ts';
import { inviteStrangers, ownRows, type Strangers } from '../support/strangers.ts';

const hour = 3_600_000;
const T1 = { teamId: 'T1' };

describe('the token source', () => {
  let opened: TestDatabase;
  let endpoint: FakeTokenEndpoint;
  let keyring: Keyring;
  let clock: ReturnType<typeof createClock>;
  let store: InstallationStore;
  let tokens: TokenSource;
  let lines: string[];
  let uninstalls: number;
  let strangers: Strangers;

  /** Creates a token source with its own store, as another process would have. */
  const sourceOn = (database: Database): TokenSource => {
    const log = pino({ level: 'debug' }, { write: (line: string) => lines.push(line) });
    const slackConfig = { apiUrl: endpoint.apiUrl, clientId: '1.1', clientSecret: 'client-secret' };
    const shared = { database, now: clock.now, log };
    const ownStore = createInstallationStore({ ...shared, keyring, clientId: '1.1', stepNames: ['only'] });
    store ??= ownStore;
    const slack = createSlackClientFactory({ config: { slack: slackConfig } as never, log });
    return createTokenSource({
      ...{ ...shared, store: ownStore, slack, config: { slack: slackConfig } },
      onUninstalled() {
        uninstalls += 1;
      },
    });
  };

  beforeEach(async () => {
    [opened, endpoint] = await Promise.all([openTestDatabase(), startFakeTokenEndpoint()]);
    keyring = keyringOf('k1');
    clock = createClock();
    lines = [];
    uninstalls = 0;
    store = undefined as never;
    tokens = sourceOn(opened.database);
    strangers = await inviteStrangers(opened.database, { keyring });
  });
  afterEach(async () => {
    await tokens.settle();
    try {
      await strangers.assertUntouched();
    } finally {
      await Promise.all([opened.close(), endpoint.close()]);
    }
    const log = lines.join('');
    for (const secret of ['xox', 'client-secret'])
      assert.equal(log.includes(secret), false, `${secret} in ${log}`);
  });

  /** The time `ms` milliseconds from now, in seconds since 1970. */
  const expiresIn = (ms: number) => Math.floor((clock.now() + ms) / 1000);
  const installed = async (botMs: number | undefined, userMs?: number) =>
    store.recordInstall(
      teamInstall({
        botExpiresAt: botMs === undefined ? undefined : expiresIn(botMs),
        userToken: userMs === undefined ? null : 'xoxp-1',
        userExpiresAt: userMs === undefined ? undefined : expiresIn(userMs),
      }),
    );
  const statusOf = async () => (await store.findInstallation(T1))?.status;

  describe('authorizing', () => {
    it('the token source returns the bot token of a team, and a user token only for the user who owns it', async () => {
      const { installationId } = await store.recordInstall(teamInstall({ userToken: 'xoxp-1' }));
      const bot = {
        installationId,
        teamId: 'T1',
        enterpriseId: undefined,
        botToken: 'xoxb-bot-1',
        botId: 'B1',
        botUserId: 'UBOT',
      };
      assert.deepEqual(await tokens.authorize(T1), bot);
      assert.deepEqual(await tokens.authorize({ ...T1, userId: 'U2' }), bot);
      assert.deepEqual(await tokens.authorize({ ...T1, userId: 'U1' }), { ...bot, userToken: 'xoxp-1' });
      assert.equal(await tokens.botToken(installationId), 'xoxb-bot-1');
      assert.equal(await tokens.botToken(T1), 'xoxb-bot-1');
    });

    it('for an org-wide install, the token source returns the team that the event comes from', async () => {
      await store.recordInstall(orgInstall());
      const source = { teamId: 'T9', enterpriseId: 'E1', isEnterpriseInstall: true };
      const { teamId, enterpriseId, botToken } = await tokens.authorize(source);
      assert.deepEqual([teamId, enterpriseId, botToken], ['T9', 'E1', 'xoxb-bot-1']);
    });

    it('the token source distinguishes an unknown team from a team without a bot', async () => {
      const isReason = (reason: string) => (error: unknown) =>
        error instanceof InstallationNotFoundError && error.reason === reason;
      await assert.rejects(tokens.authorize(T1), isReason('unknown'));
      await assert.rejects(tokens.bot('ins_404'), isReason('unknown'));
      await store.recordInstall(teamInstall({ botToken: null, userToken: 'xoxp-1' }));
      await assert.rejects(tokens.authorize(T1), isReason('no_bot'));
      await assert.rejects(tokens.botToken(T1), isReason('no_bot'));
      assert.equal((await tokens.authorize({ ...T1, userId: 'U1' })).userToken, 'xoxp-1');
    });

    it('the token source returns a person’s own token, renewed if it has expired, even if the bot’s expired token is dead', async () => {
      const { installationId } = await installed(3 * hour, 3 * hour);
      endpoint.answerWith({ ok: false, error: 'invalid_refresh_token' });
      clock.advance(2 * hour);
      await tokens.refreshLapsing();
      assert.equal(await statusOf(), 'broken');
      endpoint.answerWith(undefined);
      await store.recordMember(
        teamInstall({
          botToken: null,
          userId: 'U2',
          userToken: 'xoxp-2',
          userExpiresAt: expiresIn(3 * hour),
        }),
      );
      clock.advance(2 * hour);
      assert.equal(await tokens.userToken(installationId, 'U2'), 'xoxe.xoxp-new-3');
      assert.equal(await tokens.userToken(installationId, 'U3'), undefined);
      await assert.rejects(tokens.userToken('ins_404', 'U2'), InstallationNotFoundError);
    });
  });

  describe('refreshing', () => {
    it('the token source does not refresh a token that never expires, or that is valid for more than two hours', async () => {
      await installed(undefined);
      assert.equal(await tokens.botToken(T1), 'xoxb-bot-1');
      await installed(2 * hour + 2000);
      assert.equal(await tokens.botToken(T1), 'xoxb-bot-1');
      assert.deepEqual(endpoint.used, []);
    });

    it('the token source refreshes once for thirty concurrent readers, and stores the new tokens', async () => {
      await installed(2 * hour);
      const given = await Promise.all(Array.from({ length: 30 }, () => tokens.botToken(T1)));
      assert.deepEqual(new Set(given), new Set(['xoxe.xoxb-new-1']));
      assert.deepEqual(endpoint.used, ['xoxe-1-bot-xoxb-bot-1']);
      const found = await store.fetchInstallation(T1);
      assert.deepEqual(
        [found.bot?.refreshToken, found.bot?.expiresAt],
        ['xoxe-1-bot-new-1', expiresIn(12 * hour)],
      );
      assert.equal(await tokens.botToken(T1), 'xoxe.xoxb-new-1');
      clock.advance(10 * hour);
      assert.equal(await tokens.botToken(T1), 'xoxe.xoxb-new-2', 'and again when that one expires');
      assert.equal((await ownRows(opened.database, 'history')).length, 1);
      assert.equal((await ownRows(opened.database, 'runs')).length, 1);
    });

    it('if several processes need an expired token at the same time, the token source refreshes it only once', async () => {
      await installed(-hour, -hour);
      const others = await Promise.all([opened.reopen(), opened.reopen()]);
      const sources = [tokens, ...others.map(sourceOn)];
      const source = { ...T1, userId: 'U1' };
      const given = await Promise.all(
        Array.from({ length: 30 }, (_, index) => sources[index % 3]?.authorize(source)),
      );
      assert.deepEqual(endpoint.used.sort(), ['xoxe-1-bot-xoxb-bot-1', 'xoxe-1-user-xoxp-1']);
      assert.equal(new Set(given.map((result) => result?.botToken)).size, 1);
      assert.equal(new Set(given.map((result) => result?.userToken)).size, 1);
      assert.match(String(given[0]?.botToken), /^xoxe\.xoxb-new-/);
      assert.match(String(given[0]?.userToken), /^xoxe\.xoxp-new-/);
    });

    it('if the app is reinstalled during a refresh, the token source returns and keeps the token of the new install', async () => {
      await installed(-hour);
      const held = endpoint.hold();
      const waiting = tokens.botToken(T1);
      while (endpoint.used.length === 0) await new Promise(setImmediate);
      await store.recordInstall(teamInstall({ botToken: 'xoxb-reinstalled' }));
      held.release();
      assert.equal(await waiting, 'xoxb-reinstalled');
      assert.equal(await tokens.botToken(T1), 'xoxb-reinstalled');
      assert.equal((await store.fetchInstallation(T1)).bot?.token, 'xoxb-reinstalled');
    });

    it('the token source refreshes the token of a newer install without waiting for a slow refresh of the earlier token', async () => {
      await installed(-hour);
      const held = endpoint.hold();
      const waiting = tokens.botToken(T1);
      while (endpoint.used.length === 0) await new Promise(setImmediate);
      await store.recordInstall(teamInstall({ botToken: 'xoxb-2', botExpiresAt: expiresIn(-hour) }));
      const newer = tokens.botToken(T1);
      while (endpoint.used.length === 1) await new Promise(setImmediate);
      held.release();
      assert.match(await newer, /^xoxe\.xoxb-new-/);
      await waiting;
      assert.deepEqual(endpoint.used, ['xoxe-1-bot-xoxb-bot-1', 'xoxe-1-bot-xoxb-2']);
    });

    it('the token source does not wait for a slow Slack while the old token works', async () => {
      await installed(hour);
      const held = endpoint.hold();
      assert.equal(await tokens.botToken(T1), 'xoxb-bot-1');
      held.release();
      await tokens.settle();
      assert.equal(await tokens.botToken(T1), 'xoxe.xoxb-new-1');
      assert.equal(endpoint.used.length, 1);
    });

    it('after a failed refresh, the token source uses the old token while that token is valid, but not after it has expired', async () => {
      await installed(hour);
      endpoint.answerWith(503);
      assert.equal(await tokens.botToken(T1), 'xoxb-bot-1');
      assert.equal(await tokens.botToken(T1), 'xoxb-bot-1');
      assert.equal(endpoint.used.length, 1, 'no second attempt right after a failure');
      clock.advance(hour);
      await assert.rejects(
        tokens.botToken(T1),
        (error) => error instanceof TokenRefreshError && error.reason === 'http_503',
      );
      await assert.rejects(tokens.authorize(T1), { reason: 'failed_a_moment_ago' });
      assert.equal(await statusOf(), 'active', 'an outage of Slack does not break the installation');
      endpoint.answerWith(undefined);
      clock.advance(10_000);
      await assert.rejects(
        tokens.botToken(T1),
        TokenRefreshError,
        'the fake endpoint accepts a refresh token once',
      );
    });

    it('the token source waits thirty seconds before the next refresh if Slack rate-limits it without saying how long to wait', async () => {
      await installed(-hour);
      endpoint.answerWith({ ok: false, error: 'ratelimited' });
      await assert.rejects(tokens.botToken(T1), TokenRefreshError);
      clock.advance(29_000);
      await assert.rejects(tokens.botToken(T1), TokenRefreshError);
      assert.equal(endpoint.used.length, 1);
      clock.advance(2000);
      await assert.rejects(tokens.botToken(T1), TokenRefreshError);
      assert.equal(endpoint.used.length, 2);
    });

    it('the token source marks an installation with a dead refresh token as broken, and stops refreshing', async () => {
      const { installationId } = await installed(hour);
      endpoint.answerWith({ ok: false, error: 'invalid_refresh_token' });
      assert.equal(await tokens.botToken(T1), 'xoxb-bot-1', 'it works for another hour');
      assert.equal(await statusOf(), 'broken');
      clock.advance(hour);
      await assert.rejects(tokens.botToken(installationId), TokenRefreshError);
      assert.equal(endpoint.used.length, 1);
    });

    it('the token source uses new tokens even if their expiry time is missing or invalid', async () => {
      for (const expires_in of [undefined, null, '43200', 0, 43_200.123, 1e300]) {
        await installed(-hour);
        endpoint.answerWith({ ok: true, access_token: 'xoxb-new', refresh_token: 'xoxe-new', expires_in });
        assert.equal(await tokens.botToken(T1), 'xoxb-new', String(expires_in));
      }
    });

    it('if Slack’s response cannot be parsed, the token source stores the new tokens that are complete in the response, and never part of a token', async () => {
      const pair = '"access_token":"xoxe.xoxb-1-new","refresh_token":"xoxe-1-new"';
      const deep = `${'['.repeat(20_000)}${']'.repeat(20_000)}`;
      for (const [text, breaksOff] of [
        [`{"ok":true,${pair},"expires`, true],
        [`{"ok":true,${pair},"expires`, false],
        [`{"ok":true,${pair},"more":${deep}}`, false],
        [`{"ok":true,${pair}}<!-- cached -->`, false],
      ] as const) {
        await installed(-hour);
        endpoint.answerWith({ text, breaksOff });
        assert.equal(await tokens.botToken(T1), 'xoxe.xoxb-1-new', text.slice(0, 90));
        const stored = await store.findInstallation(T1);
        assert.equal(stored?.installation.bot?.refreshToken, 'xoxe-1-new');
      }
      for (const text of [
        `{"ok":true,${pair.slice(0, -4)}`,
        `{"ok":true,${pair},"refresh_token":"xoxe-1-other"`,
        `{"ok":false,"error":"fatal_error"}`,
      ]) {
        await installed(-hour);
        endpoint.answerWith({ text, breaksOff: false });
        await assert.rejects(tokens.botToken(T1), TokenRefreshError, text);
        assert.equal(await statusOf(), 'active');
      }
    });

    it('the token source rejects a refresh response that has no new refresh token', async () => {
      await installed(-hour);
      endpoint.answerWith({ ok: true, access_token: 'xoxb-half-an-answer' });
      await assert.rejects(
        tokens.botToken(T1),
        (error) => error instanceof TokenRefreshError && error.reason === 'malformed_answer',
      );
      assert.equal(await statusOf(), 'active');
    });

    it('the token source also refreshes user tokens, and returns only the bot token if the user token is dead', async () => {
      await installed(12 * hour, hour);
      const source = { ...T1, userId: 'U1' };
      assert.equal((await tokens.authorize(T1)).userToken, undefined);
      assert.deepEqual(endpoint.used, [], 'no one asked for the user token');
      assert.equal((await tokens.authorize(source)).userToken, 'xoxe.xoxp-new-1');
      clock.advance(11 * hour);
      await store.recordInstall(teamInstall({ botToken: 'xoxb-2' }));
      endpoint.answerWith({ ok: false, error: 'token_revoked' });
      clock.advance(2 * hour);
      const [dead] = await ownRows(opened.database, 'user_tokens');
      assert.ok((await opened.rawBytes()).includes(dead?.sealed_user ?? 'nothing'));
      const result = await tokens.authorize(source);
      assert.ok(!(await opened.rawBytes()).includes(dead?.sealed_user ?? ''), 'it is still in the files');
      assert.deepEqual([result.botToken, result.userToken], ['xoxb-2', undefined]);
      assert.equal(await statusOf(), 'active', 'a dead user token does not break the installation');
      assert.equal((await store.fetchInstallation(source)).user.token, undefined);
      const history = await ownRows(opened.database, 'history');
      const died = history.filter((line) => line.kind === 'token_died');
      assert.deepEqual(
        died.map((line) => [line.user_id, line.detail]),
        [['U1', 'token_revoked']],
      );
    });

    it('a caller waits only for the refresh of its own token, not for other refreshes', async () => {
      const { installationId } = await installed(12 * hour, -hour);
      const other = await store.recordInstall(
        teamInstall({ teamId: 'T2', userToken: 'xoxp-2', userExpiresAt: expiresIn(-hour) }),
      );
      const owner = { refresh_owner: 'another process', refresh_until: clock.now() + 20_000 };
      const { queries } = opened.database;
      await queries
        .updateTable('user_tokens')
        .set(owner)
        .where('installation_id', '=', installationId)
        .execute();
      // Gives the other installation's token a newer version. A caller that read that row by mistake would conclude
      // that its own token is already refreshed.
      await queries
        .updateTable('user_tokens')
        .set({ version: 1 })
        .where('installation_id', '=', other.installationId)
        .execute();
      const authorized = tokens.authorize({ ...T1, userId: 'U1' });
      await sleep(200);
      await store.saveRefreshed(
        { installationId, userId: 'U1' },
        (await store.readInstallation(installationId, 'U1'))?.userVersion ?? 0,
        { token: 'xoxp-of-another-process', refreshToken: 'xoxe-1', expiresAt: expiresIn(12 * hour) },
      );
      assert.equal((await authorized).userToken, 'xoxp-of-another-process');
      assert.deepEqual(endpoint.used, []);
    });

    it('if a process dies while it refreshes a token, another process refreshes the token once the lease has expired', async () => {
      const { installationId } = await installed(-hour);
      await opened.database.queries
        .updateTable('installations')
        .set({ refresh_owner: 'a dead process', refresh_until: clock.now() + 20_000 })
        .where('id', '=', installationId)
        .execute();
      clock.advance(20_000);
      assert.equal(await tokens.botToken(T1), 'xoxe.xoxb-new-1');
    });
  });

  describe('the refresh of expiring tokens', () => {
    it('the refresh of expiring tokens skips the bot token of a broken installation', async () => {
      const { installationId } = await installed(hour);
      await store.markBroken(installationId, 'token_revoked');
      assert.deepEqual(await tokens.refreshLapsing(), { refreshed: 0, failed: 0 });
      assert.deepEqual(endpoint.used, []);
    });

    it('the refresh of expiring tokens covers bot and user tokens, and skips long-valid tokens and uninstalled teams', async () => {
      await installed(hour, hour);
      const lasting = { teamId: 'T2', botToken: 'xoxb-lasting', botExpiresAt: expiresIn(12 * hour) };
      await store.recordInstall(teamInstall(lasting));
      const gone = { teamId: 'T3', botToken: 'xoxb-gone', botExpiresAt: expiresIn(hour) };
      await store.recordInstall(teamInstall(gone));
      await store.deleteInstallation({ teamId: 'T3' });
      assert.deepEqual(await tokens.refreshLapsing(), { refreshed: 2, failed: 0 });
      assert.deepEqual(endpoint.used.sort(), ['xoxe-1-bot-xoxb-bot-1', 'xoxe-1-user-xoxp-1']);
      assert.deepEqual(await tokens.refreshLapsing(), { refreshed: 0, failed: 0 });
    });

    it('the refresh of expiring tokens begins with those that expire first, and stops at its limit', async () => {
      for (const [index, ms] of [hour, hour / 2, hour * 1.5].entries()) {
        const wish = { teamId: `T${index}`, botToken: `xoxb-${index}`, botExpiresAt: expiresIn(ms) };
        await store.recordInstall(teamInstall(wish));
      }
      assert.deepEqual(await tokens.refreshLapsing(1), { refreshed: 1, failed: 0 });
      assert.deepEqual(endpoint.used, ['xoxe-1-bot-xoxb-1']);
    });

    it('the refresh of expiring tokens counts a failed refresh, and does not retry it at once', async () => {
      await installed(hour);
      endpoint.answerWith(500);
      assert.deepEqual(await tokens.refreshLapsing(), { refreshed: 0, failed: 1 });
      assert.deepEqual(await tokens.refreshLapsing(), { refreshed: 0, failed: 0 });
    });
  });

  describe('what the token source does after a failed call', () => {
    const platformError = (error: string) =>
      Object.assign(new Error(error), { code: 'slack_webapi_platform_error', data: { ok: false, error } });

    it('after a failed call, the token source marks the installation as broken if its token is dead', async () => {
      const { installationId } = await installed(undefined);
      const call = { installationId, token: 'xoxb-bot-1' };
      assert.equal(
        await tokens.reportDeadToken({ ...call, error: platformError('channel_not_found') }),
        false,
      );
      assert.equal(await tokens.reportDeadToken({ ...call, error: new Error('account_inactive') }), false);
      assert.equal(await statusOf(), 'active');
      assert.equal(await tokens.reportDeadToken({ ...call, error: platformError('account_inactive') }), true);
      assert.equal(await statusOf(), 'broken');
      assert.equal(
        await tokens.reportDeadToken({ ...call, error: platformError('account_inactive') }),
        false,
      );
    });

    it('after a failed call, the token source marks the installation as uninstalled if auth.test confirms that the app was removed, but does not change a newer install', async () => {
      const error = platformError('account_inactive');
      await strangers.leave();
      await store.recordInstall(teamInstall({ teamId: 'T2', botToken: 'xoxb-witness' }));
      endpoint.answerTo('xoxb-witness', { ok: true });
      const { installationId } = await installed(undefined);
      endpoint.answerWith({ ok: false, error: 'account_inactive' });
      const hold = endpoint.hold();
      const reported = tokens.tokenDied({ installationId, code: 'account_inactive' });
      await store.recordInstall(teamInstall({ botToken: 'xoxb-2' }));
      hold.release();
      assert.equal(await reported, false);
      assert.equal(await statusOf(), 'active');

      // If auth.test says that the earlier token was revoked, a newer install is not marked as broken.
      endpoint.answerWith({ ok: false, error: 'token_revoked' });
      const calls = endpoint.used.length;
      const again = endpoint.hold();
      const doubted = tokens.tokenDied({ installationId, code: 'account_inactive' });
      while (endpoint.used.length === calls) await new Promise(setImmediate);
      await store.recordInstall(teamInstall({ botToken: 'xoxb-2' }));
      again.release();
      assert.equal(await doubted, false);
      assert.equal(await statusOf(), 'active');

      assert.equal(await tokens.reportDeadToken({ installationId, token: 'xoxb-2', error }), true);
      assert.equal(await statusOf(), 'broken');
      endpoint.answerWith({ ok: false, error: 'account_inactive' });
      assert.equal(await tokens.reportDeadToken({ installationId, token: 'xoxb-2', error }), true);
      assert.equal(await statusOf(), undefined, 'an uninstalled app has no tokens');
      assert.equal(uninstalls, 1);
    });

    it('after a failed call with an older token, the token source does not mark a newer install as broken', async () => {
      const { installationId } = await installed(undefined);
      await store.recordInstall(teamInstall({ botToken: 'xoxb-2' }));
      const error = platformError('token_revoked');
      assert.equal(await tokens.reportDeadToken({ installationId, token: 'xoxb-bot-1', error }), false);
      assert.equal(await statusOf(), 'active');
    });
  });
});
