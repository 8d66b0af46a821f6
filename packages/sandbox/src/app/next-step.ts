import type { Activity } from './activity.ts';

/** Where a newcomer's browser can go: the sandbox's web client, and the app's own landing page. */
export type DemoAddresses = { sandboxUrl: string; appUrl: string };

/** What to look at or click next after an activity, in one or two sentences; undefined if there is nothing to say. */
export function nextStep(activity: Activity, { sandboxUrl, appUrl }: DemoAddresses): string | undefined {
  switch (activity.kind) {
    case 'consent-opened':
      return 'The consent page is open. Press Allow, or Cancel to see how the app handles a refusal.';
    case 'consent-cancelled':
      return `Canceled. The sandbox sent access_denied to the app, which now shows a page about the refusal. Start again at ${appUrl}`;
    case 'approval-requested':
      return `The request went to the workspace's admins. Switch to an admin and approve the app: ${sandboxUrl}/client/${activity.teamId}/settings`;
    case 'installed':
      return afterInstall(activity, sandboxUrl);
    case 'access-granted':
      return `The app now has access. See its Home: ${sandboxUrl}/client/${activity.teamIds[0]}/app/home`;
    case 'access-revoked':
      return `The app lost its access to ${activity.teamIds.join(', ')}. To give it access again, open Manage apps.`;
    case 'home-opened':
      return afterOpening(activity, sandboxUrl);
    case 'button-pressed':
      return `Pressed ${activity.actionId}. See what was sent to the app: ${sandboxUrl}/client/${activity.teamId}/panel`;
    case 'tokens-revoked':
      return `Tokens of ${activity.userIds.join(', ')} were revoked. If the app subscribes to tokens_revoked, it was notified.`;
    case 'uninstalled':
      return `The app was removed. If it subscribes to app_uninstalled, it was notified. Install it again at ${appUrl}`;
    case 'reset':
      return `Everything was reset. Start again at ${appUrl}`;
    default:
      return undefined;
  }
}

function afterInstall(activity: Extract<Activity, { kind: 'installed' }>, sandboxUrl: string): string {
  const { teamId, enterpriseId } = activity;
  if (teamId) return `Installed. Read the welcome as the installer: ${sandboxUrl}/client/${teamId}/app`;
  return `Installed in the whole organization ${enterpriseId}, but in no workspace yet. To give the app access to a workspace, open Manage apps: ${sandboxUrl}/`;
}

function afterOpening(
  { teamId, tab }: Extract<Activity, { kind: 'home-opened' }>,
  sandboxUrl: string,
): string {
  if (tab === 'messages')
    return `The Messages tab is open. The app's Home is at ${sandboxUrl}/client/${teamId}/app/home`;
  return `Home is open. Press a button in it; press your picture to switch to another person; remove the app at ${sandboxUrl}/client/${teamId}/settings`;
}
