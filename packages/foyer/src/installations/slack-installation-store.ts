import { isDeepStrictEqual } from 'node:util';
import type { Installation, InstallationStore as SlackInstallationStore } from '@slack/oauth';
import type { InstallationStore } from './create-installation-store.ts';
import { InstallationNotFoundError, type StoredInstallation, tenantOfQuery } from './installation-store.ts';

/**
 * Why Foyer remembers each fetched installation: Slack's SDK stores a refresh with the same method as an install, and
 * by then the installation that it fetched may have been replaced or uninstalled. The SDK changes the tokens in the
 * fetched object, so Foyer can look up by that object which tokens the refresh began with, and never overwrites newer
 * ones (invariant 8).
 */

/**
 * Implements Slack's own `InstallationStore` with Foyer's store, for a stock Bolt app. `onChanged` is called after each
 * install and each deletion: either may have queued a run.
 */
export function slackInstallationStore(
  store: InstallationStore,
  { onChanged }: { onChanged(): void },
): SlackInstallationStore {
  /** What was stored when an installation was fetched. The key is the `user` object of the copy that the caller got. */
  const fetched = new WeakMap<Installation['user'], StoredInstallation>();

  /**
   * Returns the installation as it was before a refresh. If `user` does not come from `fetchInstallation`, returns what
   * is stored now, if anything.
   */
  async function refreshedFrom({ user, ...tenant }: Installation): Promise<StoredInstallation | undefined> {
    const { team, enterprise, isEnterpriseInstall } = tenant;
    const query = { teamId: team?.id, enterpriseId: enterprise?.id, isEnterpriseInstall, userId: user.id };
    return fetched.get(user) ?? store.findInstallation(query);
  }

  return {
    async storeInstallation(installation, logger) {
      // Slack's SDK passes a logger with an install and none with a refresh; other callers may leave it out.
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
      // Returns a copy, since a caller may change it: the cached installation is shared and frozen.
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
 * Returns whether `now` differs from `before` in its tokens alone, and each new token has a refresh token and an
 * expiry.
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

/** Leaves out the tokens and all keys without a value: a store between Slack's SDK and this one may drop such keys. */
function withoutTokens({ bot, user, ...rest }: Installation): unknown {
  const none = { token: undefined, refreshToken: undefined, expiresAt: undefined };
  return JSON.parse(JSON.stringify({ ...rest, bot: bot && { ...bot, ...none }, user: { ...user, ...none } }));
}

/** Saves each token that changed, if no newer one was stored in the meantime. */
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
