import { z } from 'zod';
import type { Config } from '../../config/config.ts';
import { messagesTabOf, messagesTabProblem } from '../../config/manifest.ts';
import { type Finding, findingsOf } from './finding.ts';

const url = z.string().optional();
const flag = z.boolean().default(false);
const list = z.array(z.string()).default([]);
const tabFlags = {
  home_tab_enabled: flag,
  messages_tab_enabled: flag,
  messages_tab_read_only_enabled: flag,
};
const scopeLists = { bot: list, bot_optional: list, user: list, user_optional: list };

/** The parts of a manifest that Foyer depends on. */
const manifestSchema = z.object({
  features: z.object({ app_home: z.object(tabFlags).prefault({}) }).prefault({}),
  oauth_config: z.object({ redirect_urls: list, scopes: z.object(scopeLists).prefault({}) }).prefault({}),
  settings: z
    .object({
      event_subscriptions: z.object({ request_url: url, bot_events: list }).prefault({}),
      interactivity: z.object({ is_enabled: flag, request_url: url }).prefault({}),
      org_deploy_enabled: flag,
      socket_mode_enabled: flag,
    })
    .prefault({}),
});
type Manifest = z.output<typeof manifestSchema>;

/** Each scope that Foyer’s own steps and pages need, with what does not work if the scope is missing. */
const ownScopes: Readonly<Record<string, string>> = {
  'chat:write': 'no welcome can be sent',
  'im:write': 'no DM can be opened for the welcome',
  'im:history':
    'the app receives no direct messages, and Foyer cannot check whether a welcome arrived if Slack’s answer was lost',
  'users:read': 'no profile can be read',
  'team:read': 'workspace names and icons cannot be read',
};

const neededEvents: Readonly<Record<string, string>> = {
  app_home_opened: 'App Home stays empty',
  app_uninstalled: 'an uninstall is noticed only when a call fails',
  tokens_revoked: 'a revoked token is noticed only when a call fails',
};
const orgEvents: Readonly<Record<string, string>> = {
  team_access_granted: 'an org-wide install never sends its welcome',
  team_access_revoked: 'Foyer does not notice when an org-wide install loses access to a workspace',
};

/**
 * Compares a manifest with the configuration. The manifest is Slack's copy (exported, or saved by `setup`), or our own
 * file with PUBLIC_URL filled in.
 */
export function checkManifest(
  config: Pick<Config, 'slack' | 'http' | 'signIn'>,
  given: { manifest: unknown; name: string; isSlacks: boolean },
): Finding[] {
  const parsed = manifestSchema.safeParse(given.manifest);
  if (!parsed.success) {
    const detail = `${given.name} is not an app manifest: ${z.prettifyError(parsed.error).replaceAll('\n', ' ')}.`;
    return [
      findingsOf('manifest').fault(
        detail,
        'Restore it from the repository, or export it from Slack again as JSON.',
      ),
    ];
  }
  const paste = given.isSlacks
    ? 'Run `npm run foyer -- manifest`, paste its output into the app’s App Manifest page at api.slack.com/apps, and save it.'
    : `Fix ${given.name}, and paste the output of \`npm run foyer -- manifest\` into the app’s App Manifest page.`;
  const about = { ...given, manifest: parsed.data, config, paste };
  return [scopes(about), urls(about), events(about), tabs(about)];
}

interface About {
  manifest: Manifest;
  isSlacks: boolean;
  config: Pick<Config, 'slack' | 'http' | 'signIn'>;
  name: string;
  paste: string;
}

function scopes({ manifest, config, name, paste }: About): Finding {
  const { ok, warning, fault } = findingsOf('manifest-scopes');
  const { bot, bot_optional, user, user_optional } = manifest.oauth_config.scopes;
  const { botScopes, userScopes } = config.slack;
  const missing = [
    ...botScopes.filter((scope) => ![...bot, ...bot_optional].includes(scope)),
    ...userScopes.filter((scope) => ![...user, ...user_optional].includes(scope)),
  ];
  if (missing.length > 0) {
    const detail = `Foyer asks for ${missing.join(', ')}, which ${name} does not list.`;
    return fault(detail, `${paste} Or remove these scopes from SLACK_SCOPES and SLACK_USER_SCOPES.`);
  }
  const lost = Object.entries(ownScopes).filter(([scope]) => !botScopes.includes(scope));
  if (lost.length > 0) {
    const detail = `Foyer does not ask for ${lost.map(([scope, loss]) => `${scope} (${loss})`).join(', ')}.`;
    return warning(
      detail,
      'Add these scopes to manifest.json (and to SLACK_SCOPES, if that is set), or remove the steps that need them.',
    );
  }
  return ok(`${name} lists every scope that Foyer asks for.`);
}

function urls({ manifest, config, name, isSlacks, paste }: About): Finding {
  const { ok, fault } = findingsOf('manifest-urls');
  const { baseUrl: publicUrl } = config.http;
  const redirect = `${publicUrl}/slack/oauth_redirect`;
  const eventsUrl = `${publicUrl}/slack/events`;
  const { event_subscriptions: events, interactivity, socket_mode_enabled } = manifest.settings;
  const wrong: string[] = [];
  if (!manifest.oauth_config.redirect_urls.includes(redirect))
    wrong.push(`it has no redirect URL ${redirect}`);
  const signInRedirect = `${publicUrl}/slack/signin/callback`;
  if (config.signIn && !manifest.oauth_config.redirect_urls.includes(signInRedirect))
    wrong.push(`it has no redirect URL ${signInRedirect}, so no one can sign in with Slack`);
  if (events.request_url !== eventsUrl)
    wrong.push(`its event URL is ${events.request_url ?? 'missing'}, not ${eventsUrl}`);
  if (!interactivity.is_enabled) wrong.push('its interactivity is off, so no button works');
  else if (interactivity.request_url !== eventsUrl) {
    wrong.push(`its interactivity URL is ${interactivity.request_url ?? 'missing'}, not ${eventsUrl}`);
  }
  if (socket_mode_enabled) wrong.push('its socket mode is on, so events never reach the event URL');
  if (wrong.length > 0) return fault(`${name} does not fit PUBLIC_URL: ${wrong.join('; ')}.`, paste);
  if (!isSlacks) {
    return ok(
      `The output of \`npm run foyer -- manifest\` fits ${publicUrl}. To check the manifest that Slack has, export it from the app’s App Manifest page and pass it with --manifest.`,
    );
  }
  return ok(`The redirect, event and interactivity URLs of ${name} are at ${publicUrl}.`);
}

function events({ manifest, name, paste }: About): Finding {
  const { ok, fault } = findingsOf('manifest-events');
  const { event_subscriptions, org_deploy_enabled } = manifest.settings;
  const wanted = { ...neededEvents, ...(org_deploy_enabled && orgEvents) };
  const missing = Object.entries(wanted).filter(([event]) => !event_subscriptions.bot_events.includes(event));
  if (missing.length === 0) return ok(`${name} subscribes to every event that Foyer acts on.`);
  return fault(`${name} lacks ${missing.map(([event, loss]) => `${event} (${loss})`).join(', ')}.`, paste);
}

function tabs({ manifest, name, paste }: About): Finding {
  const { ok, warning, fault } = findingsOf('manifest-tabs');
  const { home_tab_enabled, messages_tab_enabled } = manifest.features.app_home;
  const off = [
    ...(home_tab_enabled ? [] : ['the Home tab (without it, App Home cannot be published)']),
    ...(messages_tab_enabled ? [] : ['the Messages tab (without it, the welcome cannot be sent)']),
  ];
  if (off.length > 0) return fault(`${name} turns off ${off.join(' and ')}.`, paste);
  const wrong = messagesTabProblem(messagesTabOf(manifest));
  if (!wrong) return ok(`The Home and Messages tabs are on in ${name}.`);
  return warning(`According to ${name}, ${wrong.problem}.`, `In manifest.json, ${wrong.fix}. ${paste}`);
}
