import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  type Installation,
  InstallProvider,
  type InstallationStore as SlackInstallationStore,
} from '@slack/oauth';
import { pino } from 'pino';
import { createInstallationStore } from '../../src/installations/create-installation-store.ts';
import {
  InstallationNotFoundError,
  type InstallationStore,
  TenantUnclearError,
} from '../../src/installations/installation-store.ts';
import { slackInstallationStore } from '../../src/installations/slack-installation-store.ts';
import { type FakeTokenEndpoint, startFakeTokenEndpoint } from '../support/fake-token-endpoint.ts';
import { createClock, keyringOf, orgInstall, teamInstall } from '../support/installations.ts';
import { engines, type TestDatabase } from '../support/open-test-database.ts';
import { inviteStrangers, ownRows, type Strangers } from '../support/strangers.ts';

const T1 = { teamId: 'T1', enterpriseId: undefined, isEnterpriseInstall: false as const };
const logger = {
  debug() {},
  info() {},
  warn() {},
  error() {},
  setLevel() {},
  getLevel: () => 'info' as never,
  setName() {},
};

/**
 * Tests the store as a stock Bolt app uses it: through Slack's InstallProvider, and with the odd arguments that plain
 * JavaScript can pass.
 */
for (const [engine, open] of Object.entries(engines)) {
  describe(`Slack's own InstallationStore on ${engine}`, () => {
    let backend: TestDatabase;
    let store: InstallationStore;
    let slackStore: SlackInstallationStore;
    let endpoint: FakeTokenEndpoint;
    let strangers: Strangers;
    let changes: number;

    beforeEach(async () => {
      backend = await open();
      endpoint = await startFakeTokenEndpoint();
      const keyring = keyringOf('k1');
      const log = pino({ level: 'silent' });
      const shared = { database: backend.database, keyring, clientId: '1.1', log };
      store = createInstallationStore({ ...shared, stepNames: ['only'], now: createClock(Date.now()).now });
      changes = 0;
      const noteChange = () => {
        changes += 1;
      };
      slackStore = slackInstallationStore(store, { onChanged: noteChange });
      strangers = await inviteStrangers(backend.database, { keyring });
    });
    afterEach(async () => {
      try {
        await strangers.assertUntouched();
      } finally {
        await endpoint.close();
        await backend.close();
      }
    });

    const expired = () => Math.floor(Date.now() / 1000) - 10;
    const rotating = (token: string, expiresAt: number) =>
      teamInstall({
        botToken: `xoxb-${token}`,
        userToken: `xoxp-${token}`,
        botExpiresAt: expiresAt,
        userExpiresAt: expiresAt,
      });
    const fetchAs = (userId?: string) => slackStore.fetchInstallation({ ...T1, userId });
    const countOf = async (table: 'installations' | 'runs' | 'history') =>
      (await ownRows(backend.database, table)).length;
    /** Calls the SDK's `authorize`, which a stock Bolt app calls for each event. */
    const authorize = (installationStore: SlackInstallationStore = slackStore) =>
      new InstallProvider({
        clientId: '1.1',
        clientSecret: 'client-secret',
        stateSecret: 'state-secret',
        installationStore,
        clientOptions: { slackApiUrl: endpoint.apiUrl, retryConfig: { retries: 0 } },
        logger,
      }).authorize({ ...T1, userId: 'U1' });
    const askedTwice = async () => {
      while (endpoint.used.length < 2) await sleep(5);
    };

    it('case 19: the store saves tokens that the SDK has refreshed, and adds no run and no history entry', async () => {
      endpoint.answerWith({
        ok: true,
        access_token: 'xoxb-new',
        refresh_token: 'xoxe-new',
        expires_in: 43_200,
        token_type: 'bot',
      });
      await slackStore.storeInstallation(
        teamInstall({ userToken: 'xoxp-1', botExpiresAt: expired() }),
        logger,
      );
      await authorize();
      const found = await fetchAs('U1');
      assert.deepEqual([found.bot?.token, found.bot?.refreshToken], ['xoxb-new', 'xoxe-new']);
      assert.equal(found.user.token, 'xoxp-1');
      assert.deepEqual([await countOf('runs'), await countOf('history'), changes], [1, 1, 1]);
    });

    it('case 19: the store saves tokens that the SDK has refreshed, even if a wrapper between the SDK and the store copies the objects', async () => {
      const plain = <T>(value: T): T => JSON.parse(JSON.stringify(value)) as T;
      await slackStore.storeInstallation(rotating('old', expired()), logger);
      const between: SlackInstallationStore = {
        fetchInstallation: async (query) => plain(await slackStore.fetchInstallation(query)),
        storeInstallation: (installation) => slackStore.storeInstallation(plain(installation)),
      };
      endpoint.answerWith({
        ok: true,
        access_token: 'xoxp-new',
        refresh_token: 'xoxe-new',
        expires_in: 43_200,
        token_type: 'user',
      });
      await authorize(between);
      assert.equal((await fetchAs('U1')).user.token, 'xoxp-new');
      assert.deepEqual([await countOf('runs'), await countOf('history')], [1, 1]);
    });

    for (const meanwhile of ['a reinstall', 'an uninstall and an install', 'an uninstall'] as const) {
      it(`case 20: the SDK’s token refresh writes nothing if it ends after ${meanwhile}`, async () => {
        await slackStore.storeInstallation(rotating('old', expired()), logger);
        const held = endpoint.hold();
        endpoint.answerWith({
          ok: true,
          access_token: 'xoxb-late',
          refresh_token: 'xoxe-late',
          expires_in: 43_200,
          token_type: 'bot',
        });
        const authorized = authorize();
        await askedTwice();
        if (meanwhile !== 'a reinstall') await slackStore.deleteInstallation?.(T1);
        if (meanwhile !== 'an uninstall') {
          await slackStore.storeInstallation(rotating('fresh', 2_000_000_000), logger);
        }
        const before = await Promise.all([countOf('runs'), countOf('history')]);
        held.release();
        await authorized;
        if (meanwhile === 'an uninstall') await assert.rejects(fetchAs(), InstallationNotFoundError);
        else assert.equal((await fetchAs()).bot?.token, 'xoxb-fresh');
        assert.deepEqual(await Promise.all([countOf('runs'), countOf('history')]), before);
      });
    }

    /** Slack's interface does not require a logger: a script that moves installations into the store passes none. */
    for (const given of [logger, undefined]) {
      describe(given ? 'with a logger' : 'without a logger', () => {
        const save = (...installs: Installation[]) =>
          installs.reduce(
            (done, install) => done.then(() => slackStore.storeInstallation(install, given)),
            Promise.resolve(),
          );

        it('case 14: the store saves a later install of the bot alone, and keeps the user’s token', async () => {
          await save(
            teamInstall({ botToken: 'xoxb-1', userToken: 'xoxp-1' }),
            teamInstall({ botToken: 'xoxb-2' }),
          );
          const found = await fetchAs('U1');
          assert.deepEqual([found.bot?.token, found.user.token], ['xoxb-2', 'xoxp-1']);
        });

        it('case 15: the store saves the token of another person who authorizes the app after the install', async () => {
          await save(teamInstall(), teamInstall({ userId: 'U2', botToken: null, userToken: 'xoxp-2' }));
          const found = await fetchAs('U2');
          assert.deepEqual([found.bot?.token, found.user.token], ['xoxb-bot-1', 'xoxp-2']);
        });

        it('case 17: the store saves a reinstall by another person, with its scopes and rotating tokens', async () => {
          const wider = rotating('2', 2_000_000_000);
          wider.bot?.scopes.push('team:read');
          await save(rotating('1', 2_000_000_000), { ...wider, user: { ...wider.user, id: 'U2' } });
          const found = await fetchAs();
          assert.deepEqual(
            [found.bot?.token, found.bot?.scopes.at(-1), found.user.id],
            ['xoxb-2', 'team:read', 'U2'],
          );
        });

        it('case 18: the last of many saves wins', async () => {
          for (const n of [1, 2, 3])
            await save(teamInstall({ botToken: `xoxb-${n}`, userToken: `xoxp-${n}` }));
          const found = await fetchAs('U1');
          assert.deepEqual([found.bot?.token, found.user.token], ['xoxb-3', 'xoxp-3']);
        });
      });
    }

    for (const expiresAt of [1_900_000_000.123, 1e300, Number.POSITIVE_INFINITY, '1900000000', null]) {
      it(`case 1: the store accepts a token with the expiry time ${expiresAt}, and returns the token`, async () => {
        await slackStore.storeInstallation(teamInstall({ botExpiresAt: expiresAt as number }), logger);
        assert.equal((await fetchAs()).bot?.token, 'xoxb-bot-1');
        const [row] = await ownRows(backend.database, 'installations');
        const wanted = { 1900000000.123: 1_900_000_000_123, 1900000000: 1_900_000_000_000 };
        assert.equal(
          row?.bot_expires_at,
          wanted[String(expiresAt) as unknown as keyof typeof wanted] ?? null,
        );
      });
    }

    it('case 8: null, undefined and the empty string mean that an id is absent', async () => {
      await slackStore.storeInstallation(teamInstall({ userToken: 'xoxp-1' }), logger);
      for (const nothing of ['', null, undefined] as undefined[]) {
        const asked = { ...T1, enterpriseId: nothing, userId: nothing };
        assert.equal((await slackStore.fetchInstallation(asked)).user.token, 'xoxp-1');
      }
    });

    it('case 8: the store refuses ids and flags of another type with a clear error, and changes nothing', async () => {
      await slackStore.storeInstallation(teamInstall({ userToken: 'xoxp-1' }), logger);
      await slackStore.storeInstallation(orgInstall({ enterpriseId: 'E1' }), logger);
      const strange: unknown[] = [
        undefined,
        null,
        {},
        'T1',
        { teamId: 1 },
        { teamId: ['T1'] },
        { teamId: {} },
        { teamId: Symbol('T1') },
        { teamId: 'T1\u0000' },
        { teamId: 'T1', enterpriseId: 5 },
        { teamId: 'T1', userId: 5 },
        { teamId: 'T1', userId: ['U1'] },
        { teamId: 'T1', userId: 'U1\u0000' },
        { teamId: 'T1', enterpriseId: 'E1', isEnterpriseInstall: 'false' },
      ];
      for (const [place, query] of strange.entries()) {
        await assert.rejects(slackStore.fetchInstallation(query as never), TenantUnclearError, `${place}`);
        await assert.rejects(
          async () => slackStore.deleteInstallation?.(query as never),
          TenantUnclearError,
          `${place}`,
        );
      }
      const whole = teamInstall();
      const broken = [
        undefined,
        null,
        {},
        { ...whole, user: null },
        { ...whole, user: {} },
        { ...whole, team: { id: 5 } },
        { ...whole, isEnterpriseInstall: 'false' },
      ];
      for (const [place, install] of broken.entries()) {
        for (const given of [logger, undefined]) {
          const saved = async () => slackStore.storeInstallation(install as never, given);
          await assert.rejects(saved, TenantUnclearError, `${place}`);
        }
      }
      assert.equal((await fetchAs('U1')).user.token, 'xoxp-1');
      assert.equal(await countOf('installations'), 2);
    });
  });
}
