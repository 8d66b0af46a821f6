import type { Config } from '../../config/config.ts';
import { messagesTabProblem } from '../../config/manifest.ts';
import type { Brand } from '../../http/brand.ts';
import type { Words } from '../../texts/create-texts.ts';

/**
 * The points of Slack's Marketplace review. Some can be checked from the manifest, the brand, the texts and the
 * configuration; a person has to judge the others (`by hand`). They come from Slack's guidelines and checklist
 * (api.slack.com/slack-marketplace/guidelines, api.slack.com/reference/slack-apps/slack-marketplace-checklist). Slack's
 * reviewers make the final decision.
 */

/** One point of the review. If its result is `by hand`, only a person can judge the point. */
export interface ReviewPoint {
  point: string;
  result: 'pass' | 'fail' | 'by hand';
  /** What was found, or what to do. */
  detail: string;
}

/** What the review checks: the app's configuration, brand, words and manifest. */
export interface ReviewedApp {
  config: Pick<Config, 'slack' | 'http'>;
  brand: Brand;
  /** The English words: Slack's review is in English. */
  words: Words;
  /** The manifest, as parsed JSON. */
  manifest: unknown;
  /** Whether the definition has an uninstall pipeline. */
  cleansUp: boolean;
}

/** Slack does not list apps that request these scopes. */
const unsuitable =
  /^(?:admin(?:\..*|:.*)?|identity\..*|search:read|read|post|client|workflow\.steps:execute|triggers:.*)$/;
/** Scopes that Slack examines more closely: each one needs a feature that a reviewer can try out. */
const sensitive = /(?::history$)|^(?:files:read|canvases:read|search:read\..*|conversations\.connect:write)$/;

/** Checks the points of the review. A pure function. */
export function marketplaceChecklist(app: ReviewedApp): ReviewPoint[] {
  return [...listing(app), ...links(app), ...scopes(app), ...manifest(app), ...byHand(app)];
}

const judge = (point: string, isGood: boolean, good: string, bad: string): ReviewPoint => ({
  point,
  result: isGood ? 'pass' : 'fail',
  detail: isGood ? good : bad,
});

function listing({ brand }: ReviewedApp): ReviewPoint[] {
  const { name, tagline, description, logo } = brand;
  const short = `It has ${tagline.length} characters; 10 to 140 are required. Change \`description\` in manifest.json, or brand.tagline.`;
  const long = `It has ${description.length} characters; at least 175 are required. Change \`long_description\` in manifest.json, or brand.description.`;
  return [
    judge(
      'name',
      !/slack/i.test(name),
      name,
      `“${name}” contains “Slack”, which Slack does not allow: rename the app.`,
    ),
    judge('short description', tagline.length >= 10 && tagline.length <= 140, tagline, short),
    judge('long description', description.length >= 175, `It has ${description.length} characters.`, long),
    {
      point: 'icon',
      result: logo === null ? 'fail' : 'by hand',
      detail:
        logo === null
          ? 'Set brand.logo, and upload the same picture at Slack (512 pixels square or more).'
          : 'Upload it at Slack too: 512 pixels square or more. It must not resemble Slack’s own logo.',
    },
  ];
}

function links({ brand, config }: ReviewedApp): ReviewPoint[] {
  const isPublic = (url: string | null): boolean => /^https:\/\/(?!localhost|127\.|\[::1\])/.test(url ?? '');
  const { privacyUrl, supportUrl } = brand;
  const { publicUrl } = config.http;
  const hasSupport = isPublic(supportUrl) || /^mailto:/.test(supportUrl ?? '');
  return [
    judge(
      'privacy policy',
      isPublic(privacyUrl),
      String(privacyUrl),
      'Set PRIVACY_URL or brand.privacyUrl to an https page that says what the app does with data from Slack.',
    ),
    judge(
      'support',
      hasSupport,
      String(supportUrl),
      'Set SUPPORT_URL or brand.supportUrl: an https page or a mailto: address. You have to answer within two days.',
    ),
    judge(
      'landing page',
      isPublic(publicUrl),
      `${config.http.baseUrl}/`,
      `PUBLIC_URL is ${publicUrl}: it must be an https address that everyone can reach.`,
    ),
  ];
}

function scopes({ config, words }: ReviewedApp): ReviewPoint[] {
  const { botScopes, optionalBotScopes, userScopes } = config.slack;
  const all = [...new Set([...botScopes, ...userScopes])];
  const without = all.filter((scope) => words.reason(scope) === undefined);
  const refused = all.filter((scope) => unsuitable.test(scope));
  const ofPeople = userScopes.filter((scope) => scope.endsWith(':history'));
  const close = botScopes.filter((scope) => sensitive.test(scope));
  return [
    judge(
      'a reason for each scope',
      without.length === 0,
      `${all.length} scopes, each with a reason.`,
      `No reason for ${without.join(', ')}: write \`reason.<scope>\` into the English texts of the definition.`,
    ),
    judge(
      'scopes that the Marketplace accepts',
      refused.length + ofPeople.length === 0,
      'The Marketplace accepts every scope of the app.',
      `The Marketplace does not accept apps with ${[...refused, ...ofPeople.map((scope) => `${scope} (user)`)].join(', ')}.`,
    ),
    ...close.map((scope): ReviewPoint => {
      const advice = optionalBotScopes.includes(scope)
        ? 'The scope is already optional (bot_optional).'
        : 'Consider making the scope optional (bot_optional).';
      const detail = `Show the reviewer what needs this scope. ${advice}`;
      return { point: `Slack looks closely at ${scope}`, result: 'by hand', detail };
    }),
  ];
}

function manifest({ manifest: given }: ReviewedApp): ReviewPoint[] {
  const subscribed = at(given, 'settings', 'event_subscriptions', 'bot_events');
  const events: unknown[] = Array.isArray(subscribed) ? subscribed : [];
  const missing = ['app_uninstalled', 'tokens_revoked'].filter((event) => !events.includes(event));
  const isReadOnly = at(given, 'features', 'app_home', 'messages_tab_read_only_enabled') === true;
  const isOn = at(given, 'features', 'app_home', 'messages_tab_enabled') === true;
  const botEvents = events.filter((event) => typeof event === 'string');
  const tab = messagesTabProblem({ isOn, isReadOnly, botEvents });
  const usesSockets = at(given, 'settings', 'socket_mode_enabled') === true;
  return [
    judge(
      'uninstall events',
      missing.length === 0,
      'app_uninstalled and tokens_revoked are subscribed.',
      `Add ${missing.join(', ')} to bot_events in manifest.json.`,
    ),
    judge(
      'Messages tab',
      tab === undefined,
      isReadOnly ? 'It is read-only.' : 'The app receives what people write there.',
      tab ? `According to the manifest, ${tab.problem}: ${tab.fix}.` : '',
    ),
    judge(
      'HTTP, not Socket Mode',
      !usesSockets,
      'Socket Mode is off.',
      'Turn socket_mode_enabled off in manifest.json: the Marketplace does not accept apps that use it.',
    ),
  ];
}

function byHand({ cleansUp }: ReviewedApp): ReviewPoint[] {
  const points: [string, string][] = [
    [
      'ten active workspaces',
      'At least ten workspaces must have used the app in the last 28 days. `npm run foyer -- list --status active` lists the workspaces that have it.',
    ],
    ['public distribution', 'Turn it on at api.slack.com/apps, Manage Distribution (docs/going-live.md).'],
    [
      'messages',
      'Foyer messages only the person who installs. Does your own code ask before it messages anyone else?',
    ],
    [
      'erasing data after an uninstall',
      cleansUp
        ? 'Foyer erases tokens; check that your uninstall pipeline erases the rest.'
        : 'Foyer erases tokens. If you store anything else about a team, erase it in an uninstall pipeline (docs/pipelines.md).',
    ],
    ['commands', 'Make sure that each of your slash commands answers `help`.'],
    ['a way to try the app', 'Give the reviewer a test account, and the steps to see each feature.'],
    ['screenshots and video', 'Three or more screenshots of the app in Slack, 1600 by 1000 pixels.'],
  ];
  return points.map(([point, detail]) => ({ point, result: 'by hand', detail }));
}

function at(value: unknown, ...path: string[]): unknown {
  return path.reduce<unknown>(
    (inner, key) => (typeof inner === 'object' && inner !== null ? Reflect.get(inner, key) : undefined),
    value,
  );
}
