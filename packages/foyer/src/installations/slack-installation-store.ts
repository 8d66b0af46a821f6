import type { Installation, InstallationStore as SlackInstallationStore } from '@slack/oauth';
import type { InstallationStore } from './create-installation-store.ts';

/**
 * Slack's own `InstallationStore` interface on Foyer's store, for a stock Bolt app. `onChanged` is called after each
 * install and uninstall, which queue a run.
 */
export function slackInstallationStore(
  store: InstallationStore,
  { onChanged }: { onChanged(): void },
): SlackInstallationStore {
  return {
    async storeInstallation(installation, logger) {
      // Slack's SDK passes a logger with an install and none with a refresh, which changes tokens only.
      if (!logger && (await saveRefresh(store, installation))) return;
      await store.recordInstall(installation);
      onChanged();
    },
    fetchInstallation: (query) => store.fetchInstallation(query),
    async deleteInstallation(query) {
      await store.deleteInstallation(query);
      onChanged();
    },
  };
}

/** Stores tokens that Slack's SDK refreshed; returns false if they belong to no stored installation. */
async function saveRefresh(store: InstallationStore, installation: Installation): Promise<boolean> {
  const { team, enterprise, isEnterpriseInstall, bot, user } = installation;
  const tenant = { teamId: team?.id, enterpriseId: enterprise?.id, isEnterpriseInstall };
  const stored = await store.findInstallation({ ...tenant, userId: user.id });
  if (!stored) return false;
  const { installationId, version, userVersion } = stored;
  const saves = [
    { holder: { installationId }, ifVersion: version, now: bot, before: stored.installation.bot },
    {
      holder: { installationId, userId: user.id },
      ifVersion: userVersion ?? 0,
      now: user,
      before: stored.installation.user,
    },
  ];
  for (const { holder, ifVersion, now, before } of saves) {
    const { token, refreshToken, expiresAt } = now ?? {};
    if (!token || !refreshToken || expiresAt === undefined || token === before?.token) continue;
    await store.saveRefreshed(holder, ifVersion, { token, refreshToken, expiresAt });
  }
  return true;
}
