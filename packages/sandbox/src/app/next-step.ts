import type { Activity } from './activity.ts';

/** Where a newcomer's browser can go: the sandbox's web client, and the app's own landing page. */
export type DemoAddresses = { sandboxUrl: string; appUrl: string };

/** What to look at or click next after an activity, in one or two sentences; undefined if there is nothing to say. */
export function nextStep(activity: Activity, { sandboxUrl, appUrl }: DemoAddresses): string | undefined {
  switch (activity.kind) {
    case 'consent-opened':
      return 'The consent page is open. Press Allow, or Cancel to see how the app takes a no.';
    case 'consent-cancelled':
      return `Cancelled: the app got access_denied and a page that says so. Start again at ${appUrl}`;
    case 'approval-requested':
      return `The admins were asked. Be one of them and approve: ${sandboxUrl}/client/${activity.teamId}/settings`;
    case 'installed':
      return afterInstall(activity, sandboxUrl);
    case 'access-granted':
      return `The app was let in. See its Home there: ${sandboxUrl}/client/${activity.teamIds[0]}/app/home`;
    case 'access-revoked':
      return `The app was taken out of ${activity.teamIds.join(', ')}. Let it in again, or look at its record.`;
    case 'home-opened':
      return afterOpening(activity, sandboxUrl);
    case 'button-pressed':
      return `Pressed ${activity.actionId}. What went to the app: ${sandboxUrl}/client/${activity.teamId}/panel`;
    case 'tokens-revoked':
      return `Tokens of ${activity.userIds.join(', ')} were revoked, and the app was told.`;
    case 'uninstalled':
      return `The app was removed, and told so. Install it again at ${appUrl}`;
    case 'reset':
      return `Everything is as at the start. Begin at ${appUrl}`;
    default:
      return undefined;
  }
}

function afterInstall(activity: Extract<Activity, { kind: 'installed' }>, sandboxUrl: string): string {
  const { teamId, enterpriseId } = activity;
  if (teamId) return `Installed. Read the welcome as the installer: ${sandboxUrl}/client/${teamId}/app`;
  return `Installed in the whole organization ${enterpriseId}, and in no workspace yet. Let it into one under Manage apps: ${sandboxUrl}/`;
}

function afterOpening(
  { teamId, tab }: Extract<Activity, { kind: 'home-opened' }>,
  sandboxUrl: string,
): string {
  if (tab === 'messages')
    return `Reading the messages. Its Home is at ${sandboxUrl}/client/${teamId}/app/home`;
  return `Home is open. Press a button in it; press your picture to switch to another person; remove the app at ${sandboxUrl}/client/${teamId}/settings`;
}
