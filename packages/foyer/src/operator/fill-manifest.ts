import { CommandError } from './command-error.ts';

/**
 * Puts the public URL (without a trailing slash) into those URLs of a manifest that lead to the app: redirect, event
 * and interactivity URLs, and the URLs of slash commands that a clone has added. If Sign in with Slack is on, adds its
 * callback as a redirect URL. Keeps everything else, including the order.
 * @throws CommandError if the text is not JSON
 */
export function fillManifest(
  manifestText: string,
  publicUrl: string,
  { signsIn = false }: { signsIn?: boolean } = {},
): unknown {
  const eventsUrl = `${publicUrl}/slack/events`;
  const callbacks = ['/slack/oauth_redirect', ...(signsIn ? ['/slack/signin/callback'] : [])];
  try {
    return JSON.parse(manifestText, (key, value) => {
      if (key === 'redirect_urls') return callbacks.map((path) => publicUrl + path);
      if (key === 'request_url' || key === 'message_menu_options_url') return eventsUrl;
      if (key === 'slash_commands') return value.map((command: object) => ({ ...command, url: eventsUrl }));
      return value;
    });
  } catch (cause) {
    throw new CommandError('manifest.json cannot be read as JSON: restore it from the repository.', {
      cause,
    });
  }
}

/** The file in which `setup` saves the manifest from which the app at Slack was created. It contains no secret. */
export const manifestFileName = 'slack-app-manifest.json';

/** Returns the URL of Slack's page that creates an app from this manifest. (docs.slack.dev/app-manifests) */
export function createAppUrl(manifest: unknown): string {
  return `https://api.slack.com/apps?new_app=1&manifest_json=${encodeURIComponent(JSON.stringify(manifest))}`;
}
