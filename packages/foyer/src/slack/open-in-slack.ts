import type { Config } from '../config/config.ts';

/** Where "Open in Slack" leads. */
export interface OpenInSlack {
  /**
   * Opens Slack's desktop or phone app at the App Home (docs.slack.dev/interactivity/deep-linking). Null for the
   * sandbox, which has no such app.
   */
  desktopUrl: string | null;
  /** Opens the same page in a browser, at the Slack host that the authorization page uses. */
  webUrl: string;
}

/** Builds the two links to the app's Home tab; without a team (org-wide), Slack asks for the workspace. */
export function openInSlack(
  config: Pick<Config, 'slack'>,
  app: { appId: string | null; teamId: string | null },
): OpenInSlack {
  const web = new URL('/app_redirect', config.slack.authorizationUrl);
  const desktop = new URLSearchParams();
  if (app.teamId !== null) {
    desktop.set('team', app.teamId);
    web.searchParams.set('team', app.teamId);
  }
  if (app.appId !== null) {
    desktop.set('id', app.appId);
    desktop.set('tab', 'home');
    web.searchParams.set('app', app.appId);
  }
  const desktopUrl = app.appId === null ? 'slack://open' : `slack://app?${desktop}`;
  return { desktopUrl: config.slack.isSandbox ? null : desktopUrl, webUrl: web.href };
}
