import { AsyncLocalStorage } from 'node:async_hooks';
import { App, type Authorize } from '@slack/bolt';
import { WebClient, type WebClientOptions } from '@slack/web-api';
import type { Config } from '../config/config.ts';
import { type Logger, slackLogger } from '../config/log.ts';
import { InstallationNotFoundError } from '../installations/installation-store.ts';
import type { TokenSource } from '../installations/token-source.ts';
import {
  mostBytesOfListeners,
  type SlackCalls,
  SlackClient,
  slackClientOptions,
} from '../slack/create-slack-client.ts';
import { addListeners, type ListenersDeps } from './listeners.ts';
import { createMeetPeople } from './meet-people.ts';
import type { NoteUnknownTeam } from './note-unknown-team.ts';
import { asksForRepeat } from './repeat-event.ts';
import type { SlackReceiver } from './slack-receiver.ts';

export interface BoltAppDeps extends ListenersDeps {
  config: Config;
  receiver: SlackReceiver;
  tokens: Pick<TokenSource, 'authorize'>;
  noteUnknownTeam: NoteUnknownTeam;
  slackCalls: SlackCalls;
  log: Logger;
}

/**
 * Creates the Bolt app with Foyer's receiver and token source.
 *
 * Why no conversation store: Bolt's store would read and write one entry for each event, and nothing in Foyer uses it.
 */
export function createBoltApp(deps: BoltAppDeps) {
  const authorize: Authorize<boolean> = async ({ teamId, enterpriseId, userId, isEnterpriseInstall }) => {
    try {
      return await deps.tokens.authorize({ teamId, enterpriseId, userId, isEnterpriseInstall });
    } catch (error) {
      // After this error, Bolt calls no listener. Usually the event arrived late, after an uninstall. If this database
      // has never had an installation for the team, Foyer records the team.
      if (error instanceof InstallationNotFoundError) {
        deps.log.debug({ err: error }, 'no listener gets this request: the app is not installed');
        if (error.reason === 'unknown') deps.noteUnknownTeam({ teamId, enterpriseId, isEnterpriseInstall });
      }
      throw error;
    }
  };

  const names = createListenerNames();
  const meetPeople = createMeetPeople(deps);

  /** Adds Foyer's listeners and error handler to a Bolt app, either Foyer's own or the host's. */
  function attach(app: App): void {
    app.use(meetPeople);
    names.watch(app);
    app.error(async (error) => {
      // Foyer's receiver catches this error and delivers the event to the listeners again.
      if (asksForRepeat(error)) throw error;
      // This is not an error: after an uninstall, the listener has nothing left to do.
      if (error.original instanceof InstallationNotFoundError || error instanceof InstallationNotFoundError)
        deps.log.debug({ err: error }, 'the app was uninstalled while a listener ran');
      else deps.log.error({ err: error }, 'a listener failed');
    });
    addListeners(app, deps);
  }

  const app = new App({
    receiver: deps.receiver,
    authorize,
    convoStore: false,
    logger: slackLogger(deps.log, 'bolt'),
    clientOptions: slackClientOptions(deps.slackCalls, { mostBytes: mostBytesOfListeners }),
  });
  makeClientsLazy(app);
  attach(app);
  return { app, authorize, attach, runningListener: names.running, hearsMessages: names.hearMessages };
}

/**
 * Replaces Bolt's own clients with lazy ones.
 *
 * Why: Bolt creates a client for each team and keeps it forever (25 kB each, 2.8 GB after a hundred thousand teams),
 * and most listeners never use theirs. Foyer creates a listener's `client` on first use and drops it with the event.
 * Bolt keeps its clients in `app.clients`, in one pool for each team, and gets a client from a pool by its token.
 * `lazy-clients.test.ts` fails if a new version of Bolt does this differently.
 */
export function makeClientsLazy(app: App): void {
  const pool = { getOrCreate: createLazyClient };
  Object.defineProperty(app, 'clients', { value: new Proxy({}, { get: () => pool }) });
}

/** Returns a client that creates the real WebClient only when one of its members is first used. */
export function createLazyClient(token: string, options: WebClientOptions): WebClient {
  let made: WebClient | undefined;
  const client = (): WebClient => {
    made ??= new SlackClient(token, options);
    return made;
  };
  return new Proxy(Object.create(WebClient.prototype) as WebClient, {
    get: (_target, name) => Reflect.get(client(), name, client()),
    set: (_target, name, value) => Reflect.set(client(), name, value),
    has: (_target, name) => Reflect.has(client(), name),
    ownKeys: () => Reflect.ownKeys(client()),
    getOwnPropertyDescriptor: (_target, name) => {
      const found = Reflect.getOwnPropertyDescriptor(client(), name);
      return found && { ...found, configurable: true };
    },
  });
}

/** The methods of Bolt's App that add a listener. */
const registrars = [
  'action',
  'assistant',
  'command',
  'event',
  'function',
  'message',
  'options',
  'shortcut',
  'use',
  'view',
] as const;

/**
 * Creates the tracker that names listeners. Why: if an error occurs after a listener has returned (in a timer, or in a
 * promise that it did not await), the error reaches the process without the listener's name. But the asynchronous
 * context in which the error occurs still has the name.
 */
function createListenerNames() {
  const current = new AsyncLocalStorage<string>();
  let hearsMessages = false;

  function named(label: string, listener: (...given: unknown[]) => unknown) {
    return (...given: unknown[]) => current.run(label, () => listener(...given));
  }

  return {
    /** Gives a name, such as `event app_mention (greet)`, to each listener that is added to the app from now on. */
    watch(app: App): void {
      for (const registrar of registrars) {
        const register: unknown = Reflect.get(app, registrar);
        if (typeof register !== 'function') continue;
        const add = (...parts: unknown[]): unknown => {
          hearsMessages ||= mayHearMessages(registrar, parts[0]);
          const watched = parts.map((part) =>
            typeof part === 'function'
              ? named(labelOf(registrar, parts, part.name), (...given) =>
                  Reflect.apply(part, undefined, given),
                )
              : part,
          );
          return Reflect.apply(register, app, watched);
        };
        Object.defineProperty(app, registrar, { value: add, configurable: true, writable: true });
      }
    },
    /**
     * Returns the name of the listener from which this call comes, even if that listener has returned. Returns
     * undefined if the call does not come from a listener.
     */
    running: (): string | undefined => current.getStore(),
    /**
     * Returns whether any listener may receive messages: a message listener, an event listener whose pattern matches
     * `message`, an assistant or a middleware.
     */
    hearMessages: (): boolean => hearsMessages,
  };
}

function mayHearMessages(registrar: (typeof registrars)[number], what: unknown): boolean {
  if (registrar === 'event') return what === 'message' || (what instanceof RegExp && what.test('message'));
  return registrar === 'message' || registrar === 'assistant' || registrar === 'use';
}

/**
 * Builds a label such as `event app_mention (greet)`: the method, what the listener listens for, and the function's
 * name if it has one.
 */
function labelOf(registrar: string, parts: readonly unknown[], name: string): string {
  const [first] = parts;
  const what =
    typeof first === 'string' || first instanceof RegExp
      ? ` ${first}`
      : typeof first === 'object' && first !== null
        ? ` ${JSON.stringify(first, (_key, value) => (value instanceof RegExp ? String(value) : value))}`
        : '';
  return `${registrar}${what}${name && ` (${name})`}`;
}
