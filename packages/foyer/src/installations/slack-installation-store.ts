import { isDeepStrictEqual } from 'node:util';
import type { Installation, InstallationStore as SlackInstallationStore } from '@slack/oauth';
import type { InstallationStore } from './create-installation-store.ts';
import { InstallationNotFoundError, type StoredInstallation, tenantOfQuery } from './installation-store.ts';

/**
 * Why Foyer remembers each fetched installation: Slack's SDK calls the same method to store an install and to store
 * refreshed tokens. By the time it stores refreshed tokens, a newer install or an uninstall may have changed the stored
 * installation, and Foyer must not overwrite that change (invariant 8). The SDK puts the new tokens into the object
 * that it fetched. From that object, Foyer finds out which tokens were refreshed.
 */

/**
 * Implements Slack's own `InstallationStore` with Foyer's store, for a stock Bolt app. Calls `onChanged` after each
 * install and each deletion: either may have queued a run.
 */
export function slackInstallationStore(
  store: InstallationStore,
  { onChanged }: { onChanged(): void },
): SlackInstallationStore {
  /** The stored installation behind each copy that a caller has fetched. The key is the `user` object of that copy. */
  const fetched = new WeakMap<Installation['user'], StoredInstallation>();

  /**
   * Returns the installation that the caller fetched, with the tokens from before the caller's refresh. If `user` does
   * not come from `fetchInstallation`, returns the stored installation, or undefined if there is none.
   */
  async function refreshedFrom({ user, ...tenant }: Installation): Promise<StoredInstallation | undefined> {
    const { team, enterprise, isEnterpriseInstall } = tenant;
    const query = { teamId: team?.id, enterpriseId: enterprise?.id, isEnterpriseInstall, userId: user.id };
    return fetched.get(user) ?? store.findInstallation(query);
  }

  return {
    async storeInstallation(installation, logger) {
      // A call with a logger is an install. A call without a logger is a refresh by Slack's SDK, or an install by
      // another caller.
      const before = !logger && installation?.user ? await refreshedFrom(installation) : undefined;
      if (before && isRefresh(before.installation, installation)) {
        await saveRefresh(store, before, installation);
        return;
      }
      await store.recordInstall(installation);
      onChanged();
    },
    async fetchInstallation(query) {
      const stored = await store.findInstallation(query);
      if (!stored) throw new InstallationNotFoundError(tenantOfQuery(query), 'unknown');
      // Returns a copy that the caller may change: the cached installation is shared and frozen.
      const installation = structuredClone(stored.installation);
      fetched.set(installation.user, stored);
      return installation;
    },
    async deleteInstallation(query) {
      await store.deleteInstallation(query);
      onChanged();
    },
  };
}

/**
 * Returns whether `now` differs from `before` only in its tokens, and each new token has a refresh token and an expiry.
 */
function isRefresh(before: Installation, now: Installation): boolean {
  const halves = [
    [before.bot, now.bot],
    [before.user, now.user],
  ] as const;
  const expires = halves.every(
    ([old, half]) => half?.token === old?.token || (half?.refreshToken && half.expiresAt !== undefined),
  );
  return expires && isDeepStrictEqual(withoutTokens(before), withoutTokens(now));
}

/**
 * Returns an installation without its tokens, and without keys whose value is undefined: if another store wraps this
 * store, it may have dropped such keys.
 */
function withoutTokens({ bot, user, ...rest }: Installation): unknown {
  const none = { token: undefined, refreshToken: undefined, expiresAt: undefined };
  return JSON.parse(JSON.stringify({ ...rest, bot: bot && { ...bot, ...none }, user: { ...user, ...none } }));
}

/** Saves each changed token, unless a newer one was stored in the meantime. */
async function saveRefresh(
  store: InstallationStore,
  before: StoredInstallation,
  { bot, user }: Installation,
): Promise<void> {
  const { installationId, version, userVersion, installation } = before;
  const saves = [
    { holder: { installationId }, ifVersion: version, half: bot, old: installation.bot },
    {
      holder: { installationId, userId: user.id },
      ifVersion: userVersion ?? 0,
      half: user,
      old: installation.user,
    },
  ];
  for (const { holder, ifVersion, half, old } of saves) {
    const { token, refreshToken, expiresAt } = half ?? {};
    if (!token || !refreshToken || expiresAt === undefined || token === old?.token) continue;
    await store.saveRefreshed(holder, ifVersion, { token, refreshToken, expiresAt });
  }
}
