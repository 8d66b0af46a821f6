import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Installation } from '@slack/oauth';
import { pino } from 'pino';
import { readInstallRecord } from '../../src/database/install-record.ts';
import type { Tables } from '../../src/database/records.ts';
import { createInstallationStore } from '../../src/installations/create-installation-store.ts';
import {
  AppNotInstalledError,
  InstallationNotFoundError,
  type InstallationStore,
  TenantUnclearError,
} from '../../src/installations/installation-store.ts';
import type { Keyring } from '../../src/installations/keyring.ts';
import { createKeyring } from '../../src/installations/keyring.ts';
import { KeyMissingError, SealBrokenError } from '../../src/installations/sealer.ts';
import { reencryptTokens } from '../../src/operator/keys/rotate-keys.ts';
import { createClock, keyringOf, keysOf, orgInstall, teamInstall } from '../support/installations.ts';
import type { TestDatabase } from '../support/open-test-database.ts';
import { inviteStrangers, ownRows, type Strangers } from '../support/strangers.ts';

const T1 = { teamId: 'T1', enterpriseId: undefined, isEnterpriseInstall: false };
const stepNames = ['first-step', 'second-step'];
const silent = pino({ level: 'silent' });

/**
 * What the installation store must do on every engine. Tests with the same number cover the same case, including those
 * in `slack-installation-store.test.ts` and `two-processes.test.ts`. Most cases come from bugs in published stores.
 */
export function installationStoreContract(
  backendName: string,
  openBackend: () => Promise<TestDatabase>,
): void {
  describe(`the installation store on ${backendName}`, () => {
    let backend: TestDatabase;
    let keyring: Keyring;
    let store: InstallationStore;
    let clock: ReturnType<typeof createClock>;
    let strangers: Strangers;

    const storeFor = (options: { clientId?: string; keyring?: Keyring } = {}): InstallationStore =>
      createInstallationStore({
        database: backend.database,
        keyring: options.keyring ?? keyring,
        clientId: options.clientId ?? '1.1',
        stepNames,
        now: clock.now,
        log: silent,
      });

    beforeEach(async () => {
      backend = await openBackend();
      keyring = keyringOf('k1');
      clock = createClock();
      store = storeFor();
      strangers = await inviteStrangers(backend.database, { keyring });
    });
    afterEach(async () => {
      try {
        await strangers.assertUntouched();
      } finally {
        await backend.close();
      }
    });

    const isMiss = (query: Parameters<InstallationStore['fetchInstallation']>[0]) =>
      assert.rejects(store.fetchInstallation(query), InstallationNotFoundError, JSON.stringify(query));
    const botTokenOf = async (query: Parameters<InstallationStore['fetchInstallation']>[0]) =>
      (await store.fetchInstallation(query)).bot?.token;
    const userTokenOf = async (userId: string, teamId = 'T1') =>
      (await store.fetchInstallation({ ...T1, teamId, userId })).user.token;
    const save = async (...installations: Installation[]) => {
      for (const installation of installations) {
        await store.storeInstallation(installation);
        clock.advance(1000);
      }
    };
    const historyOf = (installationId: string) =>
      backend.database.queries
        .selectFrom('history')
        .select(['kind', 'user_id', 'detail'])
        .where('installation_id', '=', installationId)
        .orderBy('id')
        .execute();
    const rowsIn = <Name extends keyof Tables>(table: Name) => ownRows(backend.database, table);
    const allRuns = async () => (await rowsIn('runs')).sort((a, b) => (a.id < b.id ? -1 : 1));
    const countOf = async (table: 'installations' | 'runs' | 'history' | 'user_tokens') =>
      (await rowsIn(table)).length;

    describe('fetch', () => {
      it('case 1: the store returns a team install deep-equal to what was saved', async () => {
        const installation = teamInstall({
          enterpriseId: 'E1',
          userToken: 'xoxp-1',
          botExpiresAt: 1_800_000_000,
          userExpiresAt: 1_800_000_001,
        });
        await save(installation);
        assert.deepEqual(await store.fetchInstallation(T1), installation);
        assert.deepEqual(await store.fetchInstallation({ ...T1, userId: 'U1' }), installation);
      });

      it('case 1: the store returns exactly what was saved, for an org-wide install and for an install without a user token', async () => {
        const org = orgInstall({ userToken: 'xoxp-1' });
        const botOnly = teamInstall();
        await save(org, botOnly);
        const query = { teamId: undefined, enterpriseId: 'E1', isEnterpriseInstall: true };
        assert.deepEqual(await store.fetchInstallation(query), org);
        assert.deepEqual(await store.fetchInstallation(T1), botOnly);
      });

      it('case 2: the store finds nothing for an unknown team, even if its id resembles a stored id', async () => {
        await save(teamInstall({ teamId: 'T1' }));
        await isMiss({ ...T1, teamId: 'T2' });
        await isMiss({ ...T1, teamId: 'T' });
        await isMiss({ ...T1, teamId: 'T12' });
        await isMiss({ ...T1, teamId: 'T%' });
        await isMiss({ enterpriseId: 'T1' });
        assert.equal(await store.findInstallation({ ...T1, teamId: 'T2' }), undefined);
      });

      it('case 3: the store returns the team’s row for a team id if isEnterpriseInstall is not given', async () => {
        await save(
          teamInstall({ enterpriseId: 'E1', botToken: 'xoxb-team' }),
          orgInstall({ botToken: 'xoxb-org' }),
        );
        assert.equal(await botTokenOf({ teamId: 'T1' }), 'xoxb-team');
        assert.equal(await botTokenOf({ teamId: 'T1', enterpriseId: 'E1' }), 'xoxb-team');
        assert.equal(
          await botTokenOf({ teamId: 'T1', enterpriseId: null, isEnterpriseInstall: null }),
          'xoxb-team',
        );
      });

      it('case 4: if only an enterprise id is given, without isEnterpriseInstall, the store returns the org’s row', async () => {
        await save(
          teamInstall({ enterpriseId: 'E1', botToken: 'xoxb-team' }),
          orgInstall({ botToken: 'xoxb-org' }),
        );
        assert.equal(await botTokenOf({ enterpriseId: 'E1' }), 'xoxb-org');
        assert.equal(
          await botTokenOf({ enterpriseId: 'E1', teamId: null, isEnterpriseInstall: null }),
          'xoxb-org',
        );
      });

      it('case 5: the store finds a workspace of a Grid by its team id, and no other workspace of that Grid', async () => {
        await save(teamInstall({ enterpriseId: 'E1' }));
        assert.equal(
          await botTokenOf({ teamId: 'T1', enterpriseId: 'E1', isEnterpriseInstall: false }),
          'xoxb-bot-1',
        );
        await isMiss({ teamId: 'T2', enterpriseId: 'E1', isEnterpriseInstall: false });
      });

      it('case 6: the store finds an org-wide install for any team of the org, but only if isEnterpriseInstall is true', async () => {
        await save(orgInstall({ botToken: 'xoxb-org' }));
        assert.equal(
          await botTokenOf({ teamId: 'T9', enterpriseId: 'E1', isEnterpriseInstall: true }),
          'xoxb-org',
        );
        await isMiss({ teamId: 'T9', enterpriseId: 'E1', isEnterpriseInstall: false });
        await isMiss({ teamId: 'T9', enterpriseId: 'E2', isEnterpriseInstall: true });
      });

      it('case 7: the store keeps an org-wide and a workspace install of one enterprise apart', async () => {
        await save(
          orgInstall({ botToken: 'xoxb-org' }),
          teamInstall({ teamId: 'T1', enterpriseId: 'E1', botToken: 'xoxb-t1' }),
          teamInstall({ teamId: 'T2', enterpriseId: 'E1', botToken: 'xoxb-t2' }),
        );
        const inE1 = { enterpriseId: 'E1' };
        assert.equal(await botTokenOf({ ...inE1, teamId: 'T1', isEnterpriseInstall: true }), 'xoxb-org');
        assert.equal(await botTokenOf({ ...inE1, teamId: 'T1', isEnterpriseInstall: false }), 'xoxb-t1');
        assert.equal(await botTokenOf({ ...inE1, teamId: 'T2', isEnterpriseInstall: false }), 'xoxb-t2');
      });

      it('case 8: the store refuses isEnterpriseInstall without an enterprise id, and a query without any id', async () => {
        await save(teamInstall());
        const query = { teamId: 'T1', enterpriseId: undefined, isEnterpriseInstall: true };
        await assert.rejects(store.fetchInstallation(query), TenantUnclearError);
        await assert.rejects(store.fetchInstallation(query), /without its enterprise id \(team T1\)/);
        await assert.rejects(store.fetchInstallation({}), TenantUnclearError);
      });

      it('case 9: the store still finds a workspace that joined a Grid after its install', async () => {
        await save(teamInstall({ enterpriseId: undefined }));
        const query = { teamId: 'T1', enterpriseId: 'E1', isEnterpriseInstall: false };
        assert.equal(await botTokenOf(query), 'xoxb-bot-1');
      });

      it('case 10: the store returns the bot of the newest install for a query without a user id', async () => {
        await save(teamInstall({ botToken: 'xoxb-1' }), teamInstall({ userId: 'U2', botToken: 'xoxb-2' }));
        assert.equal(await botTokenOf(T1), 'xoxb-2');
      });

      it('case 11: the store returns the installer’s own user token to the installer', async () => {
        await save(teamInstall({ userToken: 'xoxp-1' }));
        assert.equal(await userTokenOf('U1'), 'xoxp-1');
      });

      it('case 12: for a user who did not install the app, the store returns this user’s own token and the bot token of the team', async () => {
        await save(
          teamInstall({ userToken: 'xoxp-1' }),
          teamInstall({ userId: 'U2', botToken: null, userToken: 'xoxp-2' }),
        );
        const found = await store.fetchInstallation({ ...T1, userId: 'U2' });
        assert.deepEqual(found.user, { id: 'U2', token: 'xoxp-2', scopes: ['search:read'] });
        assert.equal(found.bot?.token, 'xoxb-bot-1');
        assert.equal(await userTokenOf('U1'), 'xoxp-1');
      });

      it('case 13: the store returns only the bot, without any user token, for a user who has no token', async () => {
        await save(teamInstall({ userToken: 'xoxp-1', userExpiresAt: 1_800_000_000 }));
        const found = await store.fetchInstallation({ ...T1, userId: 'U404' });
        assert.equal(found.bot?.token, 'xoxb-bot-1');
        assert.deepEqual(found.user, { id: 'U404', token: undefined, scopes: undefined });
      });

      it('the installation store reads an installation with one query, and does not read it again until something is committed', async () => {
        await save(teamInstall({ userToken: 'xoxp-1' }));
        let reads = 0;
        const { database } = backend;
        const counting = createInstallationStore({
          database: {
            ...database,
            // Another connection could change the database's change mark at any time, so the test uses its own count of
            // commits.
            changeMark: () => commits,
            prepare(build) {
              const read = database.prepare(build);
              return (values) => {
                reads += 1;
                return read(values);
              };
            },
          },
          keyring,
          clientId: '1.1',
          stepNames,
          now: clock.now,
          log: silent,
        });
        let commits = 0;
        const asked = { ...T1, userId: 'U1' };
        const first = await counting.fetchInstallation(asked);
        assert.equal(reads, 1);
        first.bot = undefined;
        assert.equal(
          (await counting.fetchInstallation(asked)).bot?.token,
          'xoxb-bot-1',
          'the caller cannot change the cached installation',
        );
        assert.equal(reads, 1);
        commits += 1;
        await counting.fetchInstallation(asked);
        assert.equal(reads, 2);
      });

      it('the installation store treats the latest install’s run as the newest, even if a machine with a slow clock stored that run', async () => {
        const first = await store.recordInstall(teamInstall());
        clock.advance(-5000);
        const second = await store.recordInstall(teamInstall());
        const record = await readInstallRecord(backend.database.queries, second.installationId);
        assert.equal(record?.run?.id, second.runId);
        assert.notEqual(first.runId, second.runId);
        assert.equal(record?.installedAt, clock.now(), 'the install keeps the time of that clock');
      });

      it('the installation store sees its own changes at once, and those of another process within a second', async () => {
        await save(teamInstall());
        const elsewhere = createInstallationStore({
          database: await backend.reopen(),
          keyring,
          clientId: '1.1',
          stepNames,
          now: clock.now,
          log: silent,
        });
        for (const token of ['xoxb-2', 'xoxb-3', 'xoxb-4']) {
          await store.fetchInstallation(T1);
          await save(teamInstall({ botToken: token }));
          assert.equal(await botTokenOf(T1), token);
        }
        await elsewhere.deleteInstallation(T1);
        const deletedAt = performance.now();
        while (await store.findInstallation(T1)) {
          assert.ok(performance.now() - deletedAt < 1000, 'still there after a second');
          await sleep(20);
        }
      });
    });

    describe('save', () => {
      it('case 14: a later install without a user token keeps the user’s earlier token', async () => {
        await save(teamInstall());
        assert.equal(await userTokenOf('U1'), undefined);
        await save(teamInstall({ userToken: 'xoxp-1' }), teamInstall({ botToken: 'xoxb-2' }));
        assert.equal(await userTokenOf('U1'), 'xoxp-1');
        assert.equal(await botTokenOf(T1), 'xoxb-2');
      });

      it('case 15: a user’s authorization leaves the bot, its webhook and the installer unchanged', async () => {
        await save(teamInstall());
        const before = await store.fetchInstallation(T1);
        const authorization = {
          ...teamInstall({ userId: 'U2', botToken: null, userToken: 'xoxp-2' }),
          incomingWebhook: undefined,
        };
        const recorded = await store.recordInstall(authorization);
        assert.equal(recorded.kind, 'user_authorized');
        assert.deepEqual(await store.fetchInstallation(T1), before);
        assert.deepEqual(
          (await historyOf(recorded.installationId)).map((line) => line.kind),
          ['installed', 'user_authorized'],
        );
      });

      it('case 15: a user’s authorization cancels only that user’s earlier run', async () => {
        await save(teamInstall());
        const authorization = teamInstall({ userId: 'U2', botToken: null, userToken: 'xoxp-2' });
        await save(authorization, authorization);
        assert.deepEqual(
          (await allRuns()).map((run) => [run.user_id, run.status]),
          [
            ['U1', 'queued'],
            ['U2', 'cancelled'],
            ['U2', 'queued'],
          ],
        );
      });

      it('case 15: recordMember stores a member’s token, and changes no bot and no run', async () => {
        await save(teamInstall(), orgInstall());
        const grant = teamInstall({ userId: 'U2', botToken: null, userToken: 'xoxp-2' });
        const [before, runs] = [await store.fetchInstallation(T1), await allRuns()];
        const { installationId } = await store.recordMember(grant);
        assert.equal(await userTokenOf('U2'), 'xoxp-2');
        assert.deepEqual(await store.fetchInstallation(T1), before);
        assert.deepEqual(await allRuns(), runs);
        assert.equal((await historyOf(installationId)).at(-1)?.user_id, 'U2');

        // In a workspace of an org-wide install, the organization’s installation holds the token.
        const inOrg = { teamId: 'T9', enterpriseId: 'E1', userId: 'U3', botToken: null, userToken: 'xoxp-3' };
        await store.recordMember(teamInstall(inOrg));
        const found = await store.fetchInstallation({
          enterpriseId: 'E1',
          isEnterpriseInstall: true,
          userId: 'U3',
          teamId: undefined,
        });
        assert.equal(found.user.token, 'xoxp-3');
      });

      it('case 15: recordMember refuses a member’s token if the app is not installed, and stores nothing', async () => {
        const grant = teamInstall({ userId: 'U2', botToken: null, userToken: 'xoxp-2' });
        await assert.rejects(store.recordMember(grant), AppNotInstalledError);
        await save(teamInstall());
        await store.deleteInstallation(T1);
        await assert.rejects(store.recordMember(grant), AppNotInstalledError);
        await assert.rejects(store.recordMember(teamInstall({ userToken: 'xoxp-1' })), /contains a bot/);
        assert.equal(await countOf('user_tokens'), 0);
      });

      it('case 16: a user’s authorization of an app that is not installed is stored as an installation without a bot', async () => {
        const installation = teamInstall({ botToken: null, userToken: 'xoxp-1' });
        await save(installation);
        const found = await store.fetchInstallation({ ...T1, userId: 'U1' });
        assert.equal(found.bot, undefined);
        assert.deepEqual(found, installation);
        const [row] = await rowsIn('installations');
        assert.deepEqual([row?.bot_user_id, row?.bot_scopes, row?.bot_expires_at], [null, null, null]);
      });

      it('case 16: a broken installation without a bot is active again once a user authorizes the app', async () => {
        await save(teamInstall({ botToken: null, userToken: 'xoxp-1' }));
        const broken = { status: 'broken', broken_reason: 'revoked_by_operator', sealed_bot: null } as const;
        const [{ id } = { id: '' }] = await rowsIn('installations');
        await backend.database.queries
          .updateTable('installations')
          .set(broken)
          .where('id', '=', id)
          .execute();
        const again = teamInstall({ userId: 'U2', botToken: null, userToken: 'xoxp-2' });
        const { kind, isNewLife } = await store.recordInstall(again);
        assert.deepEqual([kind, isNewLife], ['reinstalled', false]);
        const [row] = await rowsIn('installations');
        assert.deepEqual([row?.status, row?.broken_reason, row?.installer_user_id], ['active', null, 'U2']);
      });

      it('case 17: a reinstall by another user stores the new bot for everyone, and keeps the first user’s token', async () => {
        const first = await store.recordInstall(teamInstall({ userToken: 'xoxp-1', botToken: 'xoxb-1' }));
        const again = await store.recordInstall(teamInstall({ userId: 'U2', botToken: 'xoxb-2' }));
        assert.deepEqual(
          [again.installationId, again.kind, again.life, again.created],
          [first.installationId, 'reinstalled', 1, false],
        );
        for (const userId of ['U1', 'U2', undefined]) {
          assert.equal(await botTokenOf({ ...T1, userId }), 'xoxb-2');
        }
        assert.equal(await userTokenOf('U1'), 'xoxp-1');
        assert.equal(await userTokenOf('U2'), undefined);
        const history = await historyOf(first.installationId);
        assert.deepEqual(
          history.map((line) => [line.kind, line.user_id]),
          [
            ['installed', 'U1'],
            ['run_cancelled', 'U1'],
            ['reinstalled', 'U2'],
          ],
        );
      });

      it('case 18: if two saves happen in the same millisecond, the store keeps the later one', async () => {
        await store.storeInstallation(teamInstall({ botToken: 'xoxb-1', userToken: 'xoxp-1' }));
        await store.storeInstallation(teamInstall({ botToken: 'xoxb-2', userToken: 'xoxp-2' }));
        assert.equal(await botTokenOf(T1), 'xoxb-2');
        assert.equal(await userTokenOf('U1'), 'xoxp-2');
      });

      it('case 19: a refresh updates only the tokens, and adds no history and no run', async () => {
        const installed = teamInstall({ userToken: 'xoxp-1', botExpiresAt: 100, userExpiresAt: 100 });
        const { installationId } = await store.recordInstall(installed);
        const stored = await store.readInstallation(installationId);
        assert.ok(stored && stored.userVersion !== null);
        const refreshed = { refreshToken: 'xoxe-1-new', expiresAt: 200 };
        const bot = { token: 'xoxb-new', ...refreshed };
        const user = { token: 'xoxp-new', ...refreshed };
        assert.equal(await store.saveRefreshed({ installationId }, stored.version, bot), true);
        assert.equal(
          await store.saveRefreshed({ installationId, userId: 'U1' }, stored.userVersion, user),
          true,
        );
        assert.deepEqual(await store.fetchInstallation(T1), {
          ...installed,
          bot: { ...installed.bot, ...bot },
          user: { ...installed.user, ...user },
        });
        assert.equal(await countOf('history'), 1);
        assert.equal(await countOf('runs'), 1);
        const [row] = await rowsIn('installations');
        assert.equal(row?.bot_expires_at, 200_000);
      });

      it('case 20: a refresh that ends after a reinstall or an uninstall writes nothing', async () => {
        const install = (token: string) =>
          teamInstall({
            botToken: `xoxb-${token}`,
            userToken: `xoxp-${token}`,
            botExpiresAt: 9,
            userExpiresAt: 9,
          });
        const { installationId } = await store.recordInstall(install('old'));
        const holder = { installationId, userId: 'U1' };
        const old = await store.readInstallation(installationId);
        assert.ok(old && old.userVersion !== null);
        await store.recordInstall(install('new'));
        const late = { token: 'late', refreshToken: 'late', expiresAt: 1 };
        assert.equal(await store.saveRefreshed({ installationId }, old.version, late), false);
        assert.equal(await store.saveRefreshed(holder, old.userVersion, late), false);
        assert.equal(await botTokenOf(T1), 'xoxb-new');
        assert.equal(await userTokenOf('U1'), 'xoxp-new');

        const current = await store.readInstallation(installationId);
        assert.ok(current && current.userVersion !== null);
        await store.deleteInstallation(T1);
        assert.equal(await store.saveRefreshed({ installationId }, current.version, late), false);
        assert.equal(await store.saveRefreshed(holder, current.userVersion, late), false);
        await isMiss(T1);

        await store.recordInstall(install('third'));
        const third = await store.readInstallation(installationId);
        assert.ok(third && third.userVersion !== null);
        await store.deleteInstallation({ ...T1, userId: 'U1' });
        await store.recordInstall(install('fourth'));
        assert.equal(await store.saveRefreshed(holder, third.userVersion, late), false);
        assert.equal(await userTokenOf('U1'), 'xoxp-fourth');
      });

      it('case 21: the same installation saved twice is stored as one record', async () => {
        const installation = teamInstall({ userToken: 'xoxp-1' });
        await save(installation, installation);
        assert.equal(await countOf('installations'), 1);
        assert.equal(await countOf('user_tokens'), 1);
        assert.deepEqual(await store.fetchInstallation(T1), installation);
        assert.deepEqual(
          (await allRuns()).map((run) => run.status),
          ['cancelled', 'queued'],
        );
      });

      it('case 22: two apps in one database do not see each other', async () => {
        const other = storeFor({ clientId: '2.2' });
        await save(teamInstall({ botToken: 'xoxb-1' }));
        await assert.rejects(other.fetchInstallation(T1), InstallationNotFoundError);
        await other.storeInstallation(teamInstall({ botToken: 'xoxb-2' }));
        assert.equal(await botTokenOf(T1), 'xoxb-1');
        await other.deleteInstallation(T1);
        assert.equal(await botTokenOf(T1), 'xoxb-1');
      });

      it('the installation store refuses an installation that names no tenant', async () => {
        await assert.rejects(
          store.recordInstall({ ...teamInstall(), team: undefined } as Installation),
          TenantUnclearError,
        );
        await assert.rejects(
          store.recordInstall({ ...orgInstall(), enterprise: undefined } as unknown as Installation),
          TenantUnclearError,
        );
        assert.equal(await countOf('installations'), 0);
      });

      it('the installation store refuses an installation without a token, and treats a bot without a token as no bot', async () => {
        const withTokens = (bot: unknown, user: unknown) => {
          const given = teamInstall({ userToken: 'xoxp-1' });
          return {
            ...given,
            bot: { ...given.bot, token: bot },
            user: { ...given.user, token: user },
          } as Installation;
        };
        const none = [undefined, null, '', 7, {}];
        for (const token of none) {
          for (const other of none) {
            await assert.rejects(store.storeInstallation(withTokens(token, other)), {
              name: 'TypeError',
              message: /has no token: set bot\.token or user\.token/,
            });
          }
        }
        await assert.rejects(
          store.storeInstallation({ ...withTokens('', ''), bot: undefined }),
          /has no token/,
        );
        for (const table of ['installations', 'runs', 'history'] as const)
          assert.deepEqual(await ownRows(backend.database, table), []);

        await save(withTokens('xoxb-1', 'xoxp-1'), withTokens('', 'xoxp-2'));
        assert.equal(await botTokenOf(T1), 'xoxb-1');
        assert.equal(await userTokenOf('U1'), 'xoxp-2');
      });

      it('an install is stored with a queued run that has every step', async () => {
        const { installationId, runId, life, kind, created } = await store.recordInstall(teamInstall());
        assert.deepEqual([kind, life, created], ['installed', 1, true]);
        const [run] = await allRuns();
        assert.deepEqual(
          [run?.id, run?.installation_id, run?.life, run?.user_id, run?.status, run?.due_at],
          [runId, installationId, 1, 'U1', 'queued', clock.now()],
        );
        const steps = await backend.database.queries
          .selectFrom('steps')
          .selectAll()
          .where('run_id', '=', runId)
          .orderBy('position')
          .execute();
        assert.deepEqual(
          steps.map((step) => [step.name, step.status]),
          [
            ['first-step', 'pending'],
            ['second-step', 'pending'],
          ],
        );
      });

      it('an install completes the row of its install request, and erases the tokens kept for that request', async () => {
        await backend.database.queries
          .insertInto('install_requests')
          .values({
            id: 'req_1',
            client_id: '1.1',
            progress_hash: 'hash',
            outcome: 'started',
            error_code: null,
            started_at: 1,
            used_at: 1,
            finished_at: null,
            requested_team_id: null,
            team_id: null,
            team_name: null,
            enterprise_id: null,
            user_id: null,
            installation_id: null,
            run_id: null,
            sealed_tokens: 'v1.k1.sealed',
          })
          .execute();
        const installed = await store.recordInstall(teamInstall({ enterpriseId: 'E1' }), {
          installRequestId: 'req_1',
        });
        const [request] = await rowsIn('install_requests');
        assert.ok(request);
        assert.deepEqual(
          { ...request, started_at: 0, used_at: 0 },
          {
            id: 'req_1',
            client_id: '1.1',
            progress_hash: 'hash',
            outcome: 'installed',
            error_code: null,
            started_at: 0,
            used_at: 0,
            finished_at: clock.now(),
            requested_team_id: null,
            team_id: 'T1',
            team_name: 'Team T1',
            enterprise_id: 'E1',
            user_id: 'U1',
            installation_id: installed.installationId,
            run_id: installed.runId,
            sealed_tokens: null,
          },
        );
      });

      it('the installation store writes nothing of an install if its run cannot be written', async () => {
        const broken = createInstallationStore({
          database: backend.database,
          keyring,
          clientId: '1.1',
          stepNames: ['same', 'same'],
          now: clock.now,
          log: silent,
        });
        await assert.rejects(broken.recordInstall(teamInstall({ userToken: 'xoxp-1' })));
        for (const table of ['installations', 'user_tokens', 'history', 'runs'] as const) {
          assert.equal(await countOf(table), 0, table);
        }
      });

      it('an install starts a new `life` if the app was uninstalled before, but not if it was still installed', async () => {
        assert.equal((await store.recordInstall(teamInstall())).life, 1);
        assert.equal((await store.recordInstall(teamInstall())).life, 1);
        await store.deleteInstallation(T1);
        const reborn = await store.recordInstall(teamInstall({ botToken: 'xoxb-2' }));
        assert.deepEqual([reborn.life, reborn.kind], [2, 'reinstalled']);
        const found = await store.findInstallation(T1);
        assert.deepEqual([found?.status, found?.life], ['active', 2]);
      });

      it('if a user authorizes the app after an uninstall, a new `life` without a bot starts', async () => {
        await save(teamInstall());
        await store.deleteInstallation(T1);
        const reborn = await store.recordInstall(teamInstall({ botToken: null, userToken: 'xoxp-9' }));
        assert.deepEqual([reborn.life, reborn.kind], [2, 'reinstalled']);
        assert.equal(await botTokenOf(T1), undefined);
      });
    });

    describe('delete', () => {
      it('case 23: the store deletes only the token of the given user, even if that user is the newest installer', async () => {
        await save(
          teamInstall({ userId: 'U2', userToken: 'xoxp-2' }),
          teamInstall({ userId: 'U1', userToken: 'xoxp-1' }),
        );
        assert.equal(await store.deleteInstallation({ ...T1, userId: 'U1' }), true);
        assert.equal(await userTokenOf('U1'), undefined);
        assert.equal(await userTokenOf('U2'), 'xoxp-2');
        assert.equal(await botTokenOf(T1), 'xoxb-bot-1');
      });

      it('case 24: the store deletes every token of one team, and no token of a team whose id begins with the same letters', async () => {
        await save(
          teamInstall({ teamId: 'T1', userToken: 'xoxp-1' }),
          teamInstall({ teamId: 'T12', userToken: 'xoxp-12' }),
        );
        assert.equal(await store.deleteInstallation(T1), true);
        await isMiss(T1);
        await isMiss({ ...T1, userId: 'U1' });
        assert.equal(await botTokenOf({ ...T1, teamId: 'T12' }), 'xoxb-bot-1');
        assert.equal(await userTokenOf('U1', 'T12'), 'xoxp-12');
        assert.equal(await countOf('user_tokens'), 1);
      });

      it('case 24: deleting a team’s install keeps its record and history, cancels the run and deletes the Home views', async () => {
        const { installationId } = await store.recordInstall(teamInstall({ userToken: 'xoxp-1' }));
        await backend.database.queries
          .insertInto('home_views')
          .values({ installation_id: installationId, user_id: 'U1', opened_at: 1, published_hash: null })
          .execute();
        clock.advance(5000);
        await store.deleteInstallation(T1, { reason: 'app_uninstalled', eventId: 'Ev1' });
        const [row] = await rowsIn('installations');
        assert.ok(row);
        assert.deepEqual(
          [row.status, row.sealed_bot, row.bot_expires_at, row.uninstalled_at, row.bot_scopes],
          ['uninstalled', null, null, clock.now(), '["chat:write","users:read"]'],
        );
        assert.deepEqual(
          (await allRuns()).map((run) => run.status),
          ['cancelled'],
        );
        assert.equal((await rowsIn('home_views')).length, 0);
        const history = await historyOf(installationId);
        assert.deepEqual(history.at(-1), {
          kind: 'uninstalled',
          user_id: null,
          detail: 'app_uninstalled (Ev1)',
        });
      });

      it('case 25: the store deletes an org-wide install, and not the install of a team of that org', async () => {
        await save(orgInstall(), teamInstall({ teamId: 'T9', enterpriseId: 'E1', botToken: 'xoxb-t9' }));
        await store.deleteInstallation({ teamId: 'T9', enterpriseId: 'E1', isEnterpriseInstall: true });
        await isMiss({ teamId: 'T9', enterpriseId: 'E1', isEnterpriseInstall: true });
        assert.equal(
          await botTokenOf({ teamId: 'T9', enterpriseId: 'E1', isEnterpriseInstall: false }),
          'xoxb-t9',
        );
      });

      it('case 26: the store deletes the org’s row for an enterprise without a team, even if isEnterpriseInstall is false', async () => {
        await save(orgInstall());
        const query = { teamId: undefined, enterpriseId: 'E1', isEnterpriseInstall: false };
        assert.equal(await store.deleteInstallation(query), true);
        await isMiss({ enterpriseId: 'E1', isEnterpriseInstall: true });
      });

      it('case 27: the store deletes the install of a workspace, and not the install of its organization', async () => {
        await save(orgInstall({ botToken: 'xoxb-org' }), teamInstall({ enterpriseId: 'E1' }));
        await store.deleteInstallation({ teamId: 'T1', enterpriseId: 'E1', isEnterpriseInstall: false });
        await isMiss({ teamId: 'T1', enterpriseId: 'E1', isEnterpriseInstall: false });
        assert.equal(await botTokenOf({ enterpriseId: 'E1', isEnterpriseInstall: true }), 'xoxb-org');
      });

      it('case 28: after the bot’s token was revoked, no lookup returns the bot, and users’ tokens stay', async () => {
        await save(
          teamInstall({ userToken: 'xoxp-1' }),
          teamInstall({ userId: 'U2', botToken: null, userToken: 'xoxp-2' }),
        );
        assert.equal(await store.revokeBot(T1, { botUserIds: ['UANOTHERBOT'] }), false);
        assert.equal(await botTokenOf(T1), 'xoxb-bot-1');
        assert.equal(await store.revokeBot(T1, { botUserIds: ['UBOT'] }), true);
        for (const userId of [undefined, 'U1', 'U2', 'U404']) {
          assert.equal(await botTokenOf({ ...T1, userId }), undefined);
        }
        assert.equal(await userTokenOf('U1'), 'xoxp-1');
        assert.equal(await userTokenOf('U2'), 'xoxp-2');
        const found = await store.findInstallation(T1);
        assert.deepEqual(
          [found?.status, found?.installation.team, found?.installation.appId],
          ['broken', { id: 'T1', name: 'Team T1' }, 'A1'],
        );
        assert.equal(await store.revokeBot(T1), false);
        await save(teamInstall({ botToken: 'xoxb-2' }));
        assert.equal((await store.findInstallation(T1))?.status, 'active');
      });

      it('case 28: the store deletes the tokens of exactly the named users', async () => {
        await save(
          teamInstall({ userToken: 'xoxp-1' }),
          teamInstall({ userId: 'U2', botToken: null, userToken: 'xoxp-2' }),
        );
        assert.equal(await store.revokeUserTokens(T1, { userIds: ['U2', 'U404'] }), true);
        assert.equal(await userTokenOf('U1'), 'xoxp-1');
        assert.equal(await userTokenOf('U2'), undefined);
        assert.equal(await store.revokeUserTokens(T1, { userIds: ['U2'] }), false);
        assert.equal(await store.revokeUserTokens(T1, { userIds: [] }), false);
        const found = await store.findInstallation(T1);
        const revoked = (await historyOf(found?.installationId ?? '')).filter(
          (line) => line.kind === 'tokens_revoked',
        );
        assert.deepEqual(
          revoked.map((line) => line.user_id),
          ['U2'],
        );
      });

      it('case 28: revoking the bot of an uninstalled app changes nothing', async () => {
        await save(teamInstall());
        await store.deleteInstallation(T1);
        assert.equal(await store.revokeBot(T1), false);
        const [row] = await rowsIn('installations');
        assert.equal(row?.status, 'uninstalled');
      });

      it('case 29: deleting a missing or deleted installation is not an error, and adds no second history entry', async () => {
        assert.equal(await store.deleteInstallation(T1), false);
        assert.equal(await store.deleteInstallation({ ...T1, userId: 'U1' }), false);
        const { installationId } = await store.recordInstall(teamInstall());
        assert.equal(await store.deleteInstallation(T1), true);
        assert.equal(await store.deleteInstallation(T1), false);
        const kinds = (await historyOf(installationId)).map((line) => line.kind);
        assert.equal(kinds.filter((kind) => kind === 'uninstalled').length, 1);
      });

      it('case 30: an uninstall or revocation event that is older than the install changes nothing', async () => {
        await save(teamInstall({ userToken: 'xoxp-1' }));
        const before = clock.now() - 61_000;
        assert.equal(await store.deleteInstallation(T1, { before }), false);
        assert.equal(await store.revokeBot(T1, { before }), false);
        assert.equal(await store.revokeUserTokens(T1, { before, userIds: ['U1'] }), false);
        assert.equal(await botTokenOf(T1), 'xoxb-bot-1');
        assert.equal(await userTokenOf('U1'), 'xoxp-1');
        assert.equal(await store.deleteInstallation(T1, { before: clock.now() }), true);
      });

      describe('case 30: an event dated in the same second as the install', () => {
        /** Slack's event times are whole seconds; the installs below happen a little later in the same second. */
        const eventTime = () => Math.floor(clock.now() / 1000) * 1000;
        beforeEach(() => clock.advance(400));

        it('if a first install and an uninstall or revocation event happen in the same second, the event is applied', async () => {
          await store.storeInstallation(teamInstall({ userToken: 'xoxp-1' }));
          const before = eventTime();
          assert.equal(await store.revokeUserTokens(T1, { before, userIds: ['U1'] }), true);
          assert.equal(await store.revokeBot(T1, { before }), true);
          assert.equal(await store.deleteInstallation(T1, { before }), true);
        });

        it('if an install, a reinstall and an event all happen in the same second, the event is applied', async () => {
          await store.storeInstallation(teamInstall({ userToken: 'xoxp-1' }));
          await store.storeInstallation(teamInstall({ userId: 'U2', userToken: 'xoxp-2' }));
          const before = eventTime();
          assert.equal(await store.revokeUserTokens(T1, { before, userIds: ['U1'] }), true);
          assert.equal(await userTokenOf('U1'), undefined);
          assert.equal(await userTokenOf('U2'), 'xoxp-2');
          assert.equal(await store.deleteInstallation(T1, { before, eventId: 'Ev1' }), true);
          await isMiss(T1);
        });

        it('an event in the same second as an uninstall and a new install does not change the new install, even if it is delivered twice', async () => {
          await store.storeInstallation(teamInstall());
          const before = eventTime();
          assert.equal(await store.deleteInstallation(T1, { before, eventId: 'Ev1' }), true);
          await store.storeInstallation(teamInstall({ botToken: 'xoxb-2', userToken: 'xoxp-2' }));
          assert.equal(await store.deleteInstallation(T1, { before, eventId: 'Ev1' }), false);
          assert.equal(await store.deleteInstallation(T1, { before }), false);
          assert.equal(await store.revokeBot(T1, { before, eventId: 'Ev0' }), false);
          assert.equal(await store.revokeUserTokens(T1, { before, userIds: ['U1'] }), false);
          assert.equal(await botTokenOf(T1), 'xoxb-2');
        });

        it('if a reinstall and two different uninstall events happen in the same second, the event that arrives after the reinstall is applied', async () => {
          await store.storeInstallation(teamInstall());
          const before = eventTime();
          await store.deleteInstallation(T1, { before, eventId: 'Ev1' });
          await store.storeInstallation(teamInstall());
          assert.equal(await store.deleteInstallation(T1, { before, eventId: 'Ev2' }), true);
          await isMiss(T1);
        });
      });

      it('case 30: the store keeps a user’s token that was refreshed after the revocation event, and erases a token that was refreshed before the event', async () => {
        await store.storeInstallation(teamInstall({ userToken: 'xoxp-1', userExpiresAt: 9 }));
        const stored = await store.findInstallation({ ...T1, userId: 'U1' });
        assert.ok(stored && stored.userVersion !== null);
        clock.advance(10_000);
        const before = clock.now();
        clock.advance(10_000);
        await store.storeInstallation(teamInstall({ userId: 'U2' }));
        const holder = { installationId: stored.installationId, userId: 'U1' };
        const refreshed = { token: 'xoxp-new', refreshToken: 'r', expiresAt: 10 };
        assert.equal(await store.saveRefreshed(holder, stored.userVersion, refreshed), true);
        assert.equal(await store.revokeUserTokens(T1, { before, userIds: ['U1'] }), false);
        assert.equal(await userTokenOf('U1'), 'xoxp-new');
        clock.advance(10_000);
        assert.equal(await store.revokeUserTokens(T1, { before: clock.now(), userIds: ['U1'] }), true);
      });
    });

    describe('broken installations, purges, names and team access', () => {
      it('an installation is marked broken only once, and never because of tokens that a newer install has replaced', async () => {
        const { installationId } = await store.recordInstall(teamInstall());
        const old = await store.readInstallation(installationId);
        await store.recordInstall(teamInstall({ botToken: 'xoxb-2' }));
        assert.equal(await store.markBroken(installationId, 'token_revoked', old?.version), false);
        assert.equal(await store.markBroken(installationId, 'token_revoked'), true);
        assert.equal(await store.markBroken(installationId, 'token_revoked'), false);
        const died = (await historyOf(installationId)).filter((line) => line.kind === 'token_died');
        assert.deepEqual(died, [{ kind: 'token_died', user_id: null, detail: 'token_revoked' }]);
        await store.recordInstall(teamInstall({ botToken: 'xoxb-3' }));
        assert.equal((await store.readInstallation(installationId))?.status, 'active');
      });

      it('a purge erases a team and its people, and keeps what is stored about the same people in other teams', async () => {
        const first = await store.recordInstall(teamInstall({ userToken: 'xoxp-1' }));
        await store.recordInstall(teamInstall({ teamId: 'T2' }));
        const { queries } = backend.database;
        for (const [team_id, user_id] of [
          ['T1', 'U1'],
          ['T1', 'U2'],
          ['T2', 'U2'],
        ] as const) {
          const seen = { client_id: '1.1', first_seen_at: 1, updated_at: 1 };
          await queries
            .insertInto('teams')
            .values({ ...seen, team_id, name: null, domain: null, icon_url: null, enterprise_id: null })
            .onConflict((conflict) => conflict.doNothing())
            .execute();
          const blank = { name: null, real_name: null, timezone: null, locale: null, avatar_url: null };
          await queries
            .insertInto('users')
            .values({ ...seen, ...blank, team_id, user_id, email: `${user_id}@${team_id}.example` })
            .onConflict((conflict) => conflict.doNothing())
            .execute();
          await queries
            .insertInto('memberships')
            .values({ ...seen, team_id, user_id, is_admin: 0, is_owner: 0 })
            .execute();
        }
        assert.equal(await store.purgeInstallation(first.installationId), true);
        assert.equal(await store.purgeInstallation(first.installationId), false);
        await isMiss(T1);
        assert.equal(await botTokenOf({ ...T1, teamId: 'T2' }), 'xoxb-bot-1');
        const left = (await rowsIn('memberships')).map(({ team_id, user_id }) => [team_id, user_id]);
        assert.deepEqual(left, [['T2', 'U2']]);
        const people = await rowsIn('users');
        assert.deepEqual(
          people.map((person) => [person.team_id, person.user_id, person.email]),
          [['T2', 'U2', 'U2@T2.example']],
        );
        assert.deepEqual(
          (await rowsIn('teams')).map(({ team_id }) => team_id),
          ['T2'],
        );
        assert.deepEqual(await historyOf(first.installationId), []);
        const bytes = await backend.rawBytes();
        assert.equal(bytes.includes('@T1.example'), false);
        assert.equal(bytes.includes('U2@T2.example'), true);
      });

      it('the installation store cleans up names and scopes before it stores them, and stores no team for an org-wide install', async () => {
        const install = teamInstall({ userToken: 'xoxp-1' });
        const scopes = [' team:read', 'users:read', 'users:read ', ''];
        await save(
          {
            ...install,
            team: { id: 'T1', name: 'Ac\u0000me' },
            bot: install.bot && { ...install.bot, scopes },
          },
          { ...orgInstall(), team: { id: 'T7', name: 'named beside it' } } as unknown as Installation,
          { ...teamInstall({ teamId: 'T2' }), team: { id: 'T2', name: ' \u200b ' } },
        );
        const stored = await store.fetchInstallation(T1);
        assert.deepEqual([stored.team?.name, stored.bot?.scopes], ['Ac me', ['team:read', 'users:read']]);
        const org = await store.findInstallation({ enterpriseId: 'E1', isEnterpriseInstall: true });
        assert.equal(org?.tenant, 'enterprise:E1');
        assert.equal(org?.installation.team, undefined);
        await isMiss({ ...T1, teamId: 'T7' });
        assert.equal((await store.fetchInstallation({ ...T1, teamId: 'T2' })).team?.name, undefined);
      });

      it('the store goes by Slack’s clock to decide whether an event is older than the install, even if Foyer’s clock is wrong', async () => {
        for (const aheadMs of [-3_600_000, -30_000, 30_000, 3_600_000]) {
          const slackNow = clock.now() - aheadMs;
          await store.recordInstall(teamInstall({ userToken: 'xoxp-1' }), { issuedAt: slackNow });
          await store.recordInstall(teamInstall({ teamId: 'T2' }), { issuedAt: slackNow });
          const late = { before: slackNow - 2000, reason: 'app_uninstalled', eventId: `EvLate${aheadMs}` };
          assert.equal(await store.deleteInstallation(T1, late), false, `stale at ${aheadMs}`);
          const users = { ...late, before: slackNow + 2000, userIds: ['U1'] };
          assert.equal(await store.revokeUserTokens(T1, users), true, `the user’s token at ${aheadMs}`);
          const real = { before: slackNow + 2000, reason: 'app_uninstalled', eventId: `Ev${aheadMs}` };
          assert.equal(await store.deleteInstallation(T1, real), true, `real at ${aheadMs}`);
          assert.equal(await botTokenOf({ ...T1, teamId: 'T2' }), 'xoxb-bot-1');
          clock.advance(7_200_000);
        }
      });

      it('a purge of an org-wide install erases its team access, but not the installs of its teams', async () => {
        const org = await store.recordInstall(orgInstall());
        await store.recordInstall(teamInstall({ enterpriseId: 'E1' }));
        const query = { enterpriseId: 'E1' };
        await store.recordTeamAccess(query, { teamIds: ['T1'], granted: true, changedAt: 1 });
        assert.equal(await store.purgeInstallation(org.installationId), true);
        assert.equal((await rowsIn('team_access')).length, 0);
        assert.equal(await botTokenOf({ ...T1, enterpriseId: 'E1' }), 'xoxb-bot-1');
      });

      it('the newest change of a team’s access is kept, even if older changes arrive later', async () => {
        const query = { enterpriseId: 'E1' };
        const granted = () =>
          backend.database.queries
            .selectFrom('team_access')
            .select(['team_id', 'granted'])
            .where('client_id', '=', '1.1')
            .where('enterprise_id', '=', 'E1')
            .orderBy('team_id')
            .execute();
        const tell = (isGranted: boolean, changedAt: number, teamIds = ['T1']) =>
          store.recordTeamAccess(query, { teamIds, granted: isGranted, changedAt });
        assert.equal(await tell(true, 1000, ['T1', 'T2']), true);
        assert.equal(await tell(true, 3000), false);
        assert.equal(await tell(false, 2000), false);
        assert.deepEqual(await granted(), [
          { team_id: 'T1', granted: 1 },
          { team_id: 'T2', granted: 1 },
        ]);
        assert.equal(await tell(false, 3000), true);
        assert.deepEqual((await granted())[0], { team_id: 'T1', granted: 0 });
      });

      it('granting a team access queues the runs that wait for it, and is recorded in the history', async () => {
        const { installationId, runId } = await store.recordInstall(orgInstall());
        await backend.database.queries
          .updateTable('runs')
          .set({ status: 'waiting', waiting_for: 'team_access_granted', due_at: null })
          .where('id', '=', runId)
          .execute();
        const query = { teamId: 'T1', enterpriseId: 'E1', isEnterpriseInstall: true };
        await store.recordTeamAccess(query, { teamIds: ['T1'], granted: true, changedAt: 1 });
        const [run] = await allRuns();
        assert.deepEqual(
          [run?.id, run?.status, run?.waiting_for, run?.due_at],
          [runId, 'queued', null, clock.now()],
        );
        assert.deepEqual((await historyOf(installationId)).at(-1), {
          kind: 'access_granted',
          user_id: null,
          detail: 'T1',
        });
      });
    });

    describe('secrets', () => {
      const secrets = [
        'xoxb-very-secret-bot',
        'xoxp-very-secret-user',
        'xoxe-1-bot-',
        'xoxe-1-user-',
        'secret-webhook-path',
      ];
      const secretInstall = () =>
        teamInstall({
          botToken: 'xoxb-very-secret-bot',
          userToken: 'xoxp-very-secret-user',
          botExpiresAt: 1_800_000_000,
          userExpiresAt: 1_800_000_000,
        });
      const sealedOf = async () => {
        const [bot] = await rowsIn('installations');
        const user = (await rowsIn('user_tokens')).find(({ user_id }) => user_id === 'U1');
        return [bot?.sealed_bot ?? '', user?.sealed_user ?? ''] as const;
      };

      it('case 32: the database files contain no token, refresh token or webhook in plain text', async () => {
        await save(secretInstall(), secretInstall());
        const bytes = await backend.rawBytes();
        assert.equal(bytes.includes((await sealedOf())[0]), true, 'the sealed text is there');
        for (const secret of secrets) assert.equal(bytes.includes(secret), false, secret);
      });

      it('case 32: the first key encrypts, every key decrypts, and the old key is not needed after re-encryption', async () => {
        // Re-encryption changes the tokens of every app, and the suite fails if a stranger's row changes. So this test
        // removes the strangers first.
        await strangers.leave();
        const [oldKey, newKey] = keysOf('old', 'new');
        assert.ok(oldKey && newKey);
        store = storeFor({ keyring: createKeyring([oldKey]) });
        const installation = secretInstall();
        await save(installation);
        const rotated = createKeyring([newKey, oldKey]);
        store = storeFor({ keyring: rotated });
        assert.deepEqual(await store.fetchInstallation(T1), installation);
        const stored = await store.findInstallation(T1);

        assert.equal(await reencryptTokens({ database: backend.database, keyring: rotated }), 2);
        assert.equal(await reencryptTokens({ database: backend.database, keyring: rotated }), 0);
        for (const sealed of await sealedOf()) assert.match(sealed, /^v1\.new\./);
        store = storeFor({ keyring: createKeyring([newKey]) });
        assert.deepEqual(await store.findInstallation(T1), stored, 'the versions do not change');
        await assert.rejects(
          storeFor({ keyring: createKeyring([oldKey]) }).fetchInstallation(T1),
          KeyMissingError,
        );
      });

      it('case 32: a wrong key causes a clear error that shows no secret', async () => {
        await save(secretInstall());
        const wrong = storeFor({ keyring: keyringOf('k1') });
        await assert.rejects(wrong.fetchInstallation(T1), (error: Error) => {
          assert.ok(error instanceof SealBrokenError);
          assert.match(error.message, /key k1.*TOKEN_ENCRYPTION_KEYS/);
          for (const secret of secrets) assert.equal(error.message.includes(secret), false);
          return true;
        });
      });

      it('case 32: a sealed text does not open if it was changed or moved to another row', async () => {
        await save(secretInstall(), teamInstall({ teamId: 'T2' }));
        const { queries } = backend.database;
        const rows = await queries
          .selectFrom('installations')
          .select(['id', 'sealed_bot'])
          .where('tenant', 'in', ['team:T1', 'team:T2'])
          .where('client_id', '=', '1.1')
          .orderBy('tenant')
          .execute();
        const [first, second] = rows;
        assert.ok(first?.sealed_bot && second);
        const put = (id: string, sealed: string | null) =>
          queries.updateTable('installations').set({ sealed_bot: sealed }).where('id', '=', id).execute();
        await put(second.id, first.sealed_bot);
        await assert.rejects(store.fetchInstallation({ ...T1, teamId: 'T2' }), SealBrokenError);
        const middle = Math.floor(first.sealed_bot.length / 2);
        const flipped = first.sealed_bot[middle] === 'A' ? 'B' : 'A';
        await put(first.id, first.sealed_bot.slice(0, middle) + flipped + first.sealed_bot.slice(middle + 1));
        await assert.rejects(store.fetchInstallation(T1), SealBrokenError);
        for (const nonsense of ['', 'v1.k1.', 'v1.k1.AAAA', 'xoxb-plain']) {
          await put(first.id, nonsense);
          await assert.rejects(store.fetchInstallation(T1), SealBrokenError, nonsense);
        }
      });

      it('case 32: one user’s sealed token does not open as another’s', async () => {
        await save(secretInstall(), teamInstall({ userId: 'U2', botToken: null, userToken: 'xoxp-2' }));
        const [, sealed] = await sealedOf();
        const stored = await store.findInstallation(T1);
        await backend.database.queries
          .updateTable('user_tokens')
          .set({ sealed_user: sealed })
          .where('user_id', '=', 'U2')
          .where('installation_id', '=', stored?.installationId ?? '')
          .execute();
        await assert.rejects(store.fetchInstallation({ ...T1, userId: 'U2' }), SealBrokenError);
      });

      it('case 33: deleted tokens are erased from the database files, not only from the table', async () => {
        await save(secretInstall());
        const sealed = await sealedOf();
        await store.deleteInstallation({ ...T1, userId: 'U1' });
        assert.equal((await backend.rawBytes()).includes(sealed[1]), false);
        assert.equal((await backend.rawBytes()).includes(sealed[0]), true);
        await store.deleteInstallation(T1);
        assert.equal((await backend.rawBytes()).includes(sealed[0]), false);
      });

      it('case 33: revoked tokens are erased from the database files too', async () => {
        await save(secretInstall());
        const sealed = await sealedOf();
        await store.revokeBot(T1);
        await store.revokeUserTokens(T1, { userIds: ['U1'] });
        const bytes = await backend.rawBytes();
        for (const text of sealed) assert.equal(bytes.includes(text), false);
      });

      it('case 33: if the scrub of the database files fails, a warning is logged, and the tokens stay deleted', async () => {
        await save(secretInstall());
        const database = {
          ...backend.database,
          scrub: () => Promise.reject(new Error('busy')),
        };
        const warnings: unknown[] = [];
        const log = pino({ level: 'warn' }, { write: (line: string) => warnings.push(JSON.parse(line)) });
        const deps = { database, keyring, clientId: '1.1', stepNames, now: clock.now, log };
        assert.equal(await createInstallationStore(deps).deleteInstallation(T1), true);
        assert.equal(warnings.length, 1);
        await isMiss(T1);
      });
    });
  });
}
