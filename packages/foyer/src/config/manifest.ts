import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { ConfigError, type ConfigProblem } from './config-error.ts';

const prose = z.string().default('');
const flag = z.boolean().default(false);
const list = z.array(z.string()).default([]);
const messagesTab = { messages_tab_enabled: flag, messages_tab_read_only_enabled: flag };

const manifestSchema = z.object({
  display_information: z.object({
    name: z.string().min(1),
    description: prose,
    long_description: prose,
    background_color: z.string().optional(),
  }),
  features: z.object({ app_home: z.object(messagesTab).prefault({}) }).prefault({}),
  settings: z.object({ event_subscriptions: z.object({ bot_events: list }).prefault({}) }).prefault({}),
  oauth_config: z.object({
    scopes: z.object({ bot: list, bot_optional: list, user: list, user_optional: list }),
  }),
});

/** The part of the app's manifest that Foyer needs. */
export type Manifest = z.output<typeof manifestSchema>;

/** What the manifest says about the app's Messages tab. */
export interface MessagesTab {
  isOn: boolean;
  isReadOnly: boolean;
  botEvents: readonly string[];
}

export function messagesTabOf({ features, settings }: Pick<Manifest, 'features' | 'settings'>): MessagesTab {
  const { messages_tab_enabled, messages_tab_read_only_enabled } = features.app_home;
  const { bot_events } = settings.event_subscriptions;
  return { isOn: messages_tab_enabled, isReadOnly: messages_tab_read_only_enabled, botEvents: bot_events };
}

/**
 * Returns a problem if people can write to an app that does not answer messages, or cannot write to an app that answers
 * them. Returns undefined if there is no problem. `answers` says whether the app has a listener for messages. It is
 * undefined if Foyer does not know.
 */
export function messagesTabProblem(
  { isOn, isReadOnly, botEvents }: MessagesTab,
  answers?: boolean,
): { problem: string; fix: string } | undefined {
  if (!isOn) return undefined;
  const flag = 'features.app_home.messages_tab_read_only_enabled';
  const subscribes = botEvents.includes('message.im');
  if (!isReadOnly && !subscribes) {
    return {
      problem: 'people can write to the app in its Messages tab, but it does not subscribe to message.im',
      fix: `set ${flag} to true, or, if the app answers messages, add message.im to settings.event_subscriptions.bot_events`,
    };
  }
  if (!isReadOnly && answers === false) {
    return {
      problem: 'people can write to the app in its Messages tab, but it has no listener for messages',
      fix: `set ${flag} to true and remove message.im from settings.event_subscriptions.bot_events, or add a listener: app.message(…)`,
    };
  }
  const hears = botEvents.some((event) => event.startsWith('message.') || event === 'app_mention');
  if (isReadOnly && (subscribes || (answers === true && !hears))) {
    return {
      problem: `its Messages tab is read-only, so no one can write to the app, but the app ${subscribes ? 'subscribes to message.im' : 'has a listener for messages'}`,
      fix: `set ${flag} to false and subscribe to message.im if the app answers messages; otherwise remove the subscription and the listener`,
    };
  }
  return undefined;
}

/**
 * Whether the app receives what people write to it in its Messages tab. `answers` says whether the app has a listener
 * for messages. `botScopes` are the scopes that the installation granted.
 */
export function hearsDirectMessages(
  { isOn, isReadOnly, botEvents }: MessagesTab,
  answers: boolean,
  botScopes: readonly string[],
): boolean {
  return (
    isOn && !isReadOnly && botEvents.includes('message.im') && answers && botScopes.includes('im:history')
  );
}

/** Parses the manifest's text. If it is invalid, adds the problem and returns undefined. */
export function parseManifest(text: string, problems: ConfigProblem[]): Manifest | undefined {
  try {
    return manifestSchema.parse(JSON.parse(text));
  } catch (cause) {
    const reason = cause instanceof z.ZodError ? z.prettifyError(cause) : String(cause);
    problems.push({
      name: 'manifest.json',
      problem: `cannot be read: ${reason}`,
      fix: 'restore it from the repository, or export it from the app’s App Manifest page at api.slack.com/apps',
    });
    return undefined;
  }
}

/**
 * Reads the manifest's text. A relative path starts at the process's working directory.
 * @throws ConfigError if it cannot be read; its cause is the file system's error
 */
export function readManifest(file: string | URL): string {
  try {
    // Removes the byte order mark that some editors write, because JSON does not allow it.
    return readFileSync(file, 'utf8').replace(/^\ufeff/, '');
  } catch (cause) {
    const problem = `cannot be read: ${(cause as Error).message}`;
    const fix =
      'restore it from the repository, or export it from the app’s App Manifest page at api.slack.com/apps, as a file that this user can read';
    throw new ConfigError([{ name: 'manifest.json', problem, fix }], { cause });
  }
}
