import type { Tx } from '../database/database.ts';
import { eraseInstallation, eraseUserTokens } from '../database/erase-installation.ts';
import { installationTokens, prepareInstallationTokens } from '../database/installation-tokens.ts';
import {
  type InstallationKey,
  lockInstallation,
  markInstallationBroken,
  readStandings,
} from '../database/installations.ts';
import { noteDeadToken } from '../database/notices.ts';
import { saveRefreshedToken, type TokenHolder } from '../database/token-refreshes.ts';
import {
  InstallationNotFoundError,
  type InstallationStore,
  type RefreshedTokens,
  type RemovalOptions,
  type StoredInstallation,
  type TenantQuery,
  TenantUnclearError,
  tenantOfQuery,
} from './installation-store.ts';
import type { Keyring } from './keyring.ts';
import {
  changeTeamAccess,
  type Removal,
  resume,
  revokeBot,
  revokeUsers,
  uninstall,
} from './lifecycle-changes.ts';
import { findUnopened, startMoment } from './moments.ts';
import { createInstallationCache, createTokenCipher, openInstallation } from './open-installation.ts';
import {
  cleanInstallation,
  expiryMs,
  recordInstall,
  recordMember,
  type StoreContext,
} from './record-install.ts';

export type { InstallationStore, RecordedInstall } from './installation-store.ts';

type InstallationStoreDeps = Omit<StoreContext, 'cipher'> & { keyring: Keyring };

/**
 * How far Slack's clock may be ahead of Foyer's. This matters because Foyer compares the time of an event, by Slack's
 * clock, with the time of an uninstall, by Foyer's clock.
 */
const lastEventsMs = 60_000;

export function createInstallationStore(deps: InstallationStoreDeps): InstallationStore {
  const { database, now, clientId } = deps;
  const context: StoreContext = { ...deps, cipher: createTokenCipher({ keyring: deps.keyring }) };
  const cache = createInstallationCache(database);
  const readTokens = prepareInstallationTokens(database);

  const keyOf = (query: TenantQuery): InstallationKey => ({ clientId, tenant: tenantOfQuery(query) });

  async function find(
    key: InstallationKey,
    userId: string | null | undefined,
  ): Promise<StoredInstallation | undefined> {
    const asked = userId || undefined;
    const name = 'id' in key ? key.id : `${key.clientId} ${key.tenant}`;
    return cache.get(
      `${name} ${asked ?? ''}`,
      () => readTokens(key, asked),
      (row, before) => openInstallation(row, asked, context.cipher, before),
    );
  }

  /**
   * Removes the remains of erased tokens from the database files. If another process is reading the files now, the
   * remains disappear at the next checkpoint.
   */
  async function scrub(): Promise<void> {
    await database.scrub().catch((error) => {
      deps.log.warn({ err: error }, 'could not yet remove erased tokens from the database files');
    });
  }

  async function remove(
    query: TenantQuery,
    options: RemovalOptions,
    work: (transaction: Tx, removal: Removal) => Promise<boolean>,
  ): Promise<boolean> {
    const key = keyOf(query);
    const changed = await database.write(async (transaction) => {
      const row = await lockInstallation(transaction, key);
      return row !== undefined && (await work(transaction, { row, options, now: now() }));
    }, options.patienceMs);
    if (changed) await scrub();
    return changed;
  }

  const store: InstallationStore = {
    findInstallation: async (query) => find(keyOf(query), query.userId),
    readInstallation: (id, userId) => find({ id }, userId),

    async findTenant(candidates, happenedAt = Number.POSITIVE_INFINITY) {
      const tenants = candidates.map(tenantOfQuery);
      const [first] = candidates;
      if (first === undefined) throw new TenantUnclearError('There is no installation to look up.');
      if (candidates.length === 1) return first;
      const standings = await readStandings(database.queries, { clientId, tenants });
      const standingOf = (query: TenantQuery) => standings.get(tenantOfQuery(query));
      const fits = (query: TenantQuery): boolean => {
        const standing = standingOf(query);
        if (!standing) return false;
        return standing.endedAt === null || happenedAt <= standing.endedAt + lastEventsMs;
      };
      return candidates.find(fits) ?? candidates.find((query) => standingOf(query)?.isKnown) ?? first;
    },

    async fetchInstallation(query) {
      const tenant = tenantOfQuery(query);
      const found = await find({ clientId, tenant }, query.userId);
      if (!found) throw new InstallationNotFoundError(tenant, 'unknown');
      // Returns a copy that the caller may change: the cached installation is shared and frozen.
      return structuredClone(found.installation);
    },

    async recordInstall(given, { patienceMs, commitWith, ...options } = {}) {
      const install = { ...options, installation: cleanInstallation(given) };
      return database.write(async (transaction) => {
        const recorded = await recordInstall(transaction, context, install);
        await commitWith?.(transaction, recorded);
        return recorded;
      }, patienceMs);
    },

    async recordMember(given, { patienceMs, ...options } = {}) {
      const grant = { ...options, installation: cleanInstallation(given) };
      return database.write((transaction) => recordMember(transaction, context, grant), patienceMs);
    },

    async storeInstallation(installation) {
      await store.recordInstall(installation);
    },

    async deleteInstallation(query, options = {}) {
      if (query?.userId) return store.revokeUserTokens(query, { ...options, userIds: [query.userId] });
      return remove(query, options, (transaction, removal) =>
        uninstall(transaction, { ...removal, stepNames: context.uninstallStepNames ?? [] }),
      );
    },

    revokeUserTokens: (query, { userIds, ...options }) =>
      remove(query, options, (transaction, removal) => revokeUsers(transaction, { ...removal, userIds })),

    revokeBot: (query, { botUserIds, ...options } = {}) =>
      remove(query, options, (transaction, removal) => revokeBot(transaction, { ...removal, botUserIds })),

    markBroken(installationId, reason, ifVersion) {
      return database.write(async (transaction) => {
        if (!(await markInstallationBroken(transaction, { installationId, reason, ifVersion }))) return false;
        await noteDeadToken(transaction, { installationId, userId: null, detail: reason, now: now() });
        return true;
      });
    },

    markWorking: (installationId, ifVersion) =>
      database.write((transaction) => resume(transaction, { installationId, ifVersion, now: now() })),

    recordTeamAccess: (query, change) =>
      database.write(
        (transaction) => changeTeamAccess(transaction, { ...context, query, change, now: now() }),
        change.patienceMs,
      ),

    async recordOpening(query, { openedAt, patienceMs, ...opened }) {
      const { userId } = opened;
      const opening = { clientId, tenant: tenantOfQuery(query), userId, openedAt };
      // Usually the member has opened the app before: then the call costs only this read, and no lock.
      if (!(await findUnopened(database.queries, opening))) return false;
      return database.write(async (transaction) => {
        await lockInstallation(transaction, opening);
        const row = await findUnopened(transaction, opening);
        const moment = { kind: 'opened', ...opened } as const;
        return row !== undefined && startMoment(transaction, context, { row, userId, moment, now: now() });
      }, patienceMs);
    },

    async purgeInstallation(installationId) {
      const erased = await database.write((transaction) =>
        eraseInstallation(transaction, installationId, now()),
      );
      if (erased) await scrub();
      return erased;
    },

    saveRefreshed: (holder, ifVersion, tokens) => saveRefreshed(context, holder, ifVersion, tokens),

    async dropDeadUserToken({ installationId, userId }, reason, ifVersion) {
      const dropped = await database.write(async (transaction) => {
        const erasure = { installationId, userIds: [userId], ifVersion };
        if ((await eraseUserTokens(transaction, erasure)).length === 0) return false;
        await noteDeadToken(transaction, { installationId, userId, detail: reason, now: now() });
        return true;
      });
      if (dropped) await scrub();
      return dropped;
    },
  };
  return store;
}

/**
 * How long the write of refreshed tokens waits for a lock. Slack has used up the old refresh token, so a new pair that
 * is not stored is lost.
 */
const patienceMs = 10_000;

/**
 * Replaces the tokens if their version is still `ifVersion`; returns false if they are gone or newer ones are stored.
 */
async function saveRefreshed(
  context: StoreContext,
  holder: TokenHolder,
  ifVersion: number,
  tokens: RefreshedTokens,
): Promise<boolean> {
  const { cipher, database, now } = context;
  const { installationId, userId } = holder;
  return database.write(async (transaction) => {
    const row = await installationTokens(transaction, { id: installationId }, userId).executeTakeFirst();
    const expiresAt = expiryMs(tokens.expiresAt) ?? 0;
    const save = (sealed: string) =>
      saveRefreshedToken(transaction, { holder, ifVersion, sealed, expiresAt, now: now() });
    if (userId !== undefined) {
      if (!row?.sealed_user) return false;
      const half = cipher.openUser(installationId, userId, row.sealed_user);
      return save(cipher.sealUser(installationId, { ...half, ...tokens }));
    }
    if (!row?.sealed_bot) return false;
    const half = cipher.openBot(installationId, row.sealed_bot);
    if (!half.bot) return false;
    return save(cipher.sealBot(installationId, { ...half, bot: { ...half.bot, ...tokens } }));
  }, patienceMs);
}
