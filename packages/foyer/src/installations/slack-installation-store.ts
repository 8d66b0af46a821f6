import type { InstallationStore as SlackStore } from '@slack/oauth';
import type { InstallationStore } from './installation-store.ts';

/** Foyer's store in the exact shape of Slack's `InstallationStore`, for whoever hands one to Slack's SDK. */
export function slackInstallationStore(store: InstallationStore): Required<SlackStore> {
  return {
    storeInstallation: (installation) => store.storeInstallation(installation),
    fetchInstallation: (query) => store.fetchInstallation(query),
    async deleteInstallation(query) {
      await store.deleteInstallation(query);
    },
  };
}
