import { App, type Authorize } from '@slack/bolt';
import type { Config } from '../config/config.ts';
import { type Logger, slackLogger } from '../config/log.ts';
import { InstallationNotFoundError } from '../installations/installation-store.ts';
import type { TokenSource } from '../installations/token-source.ts';
import { mostBytesOfListeners, type SlackCalls, slackClientOptions } from '../slack/create-slack-client.ts';
import { makeClientsLazy } from './lazy-clients.ts';
import { addListeners, type ListenersDeps } from './listeners.ts';
import { createListenerNames } from './name-listeners.ts';
import type { SlackReceiver } from './slack-receiver.ts';

export interface BoltAppDeps extends ListenersDeps {
  config: Config;
  receiver: SlackReceiver;
  tokens: Pick<TokenSource, 'authorize'>;
  slackCalls: SlackCalls;
  log: Logger;
}

/** The Bolt app that Foyer makes, and what an app of the host's own needs. */
export interface FoyerBolt {
  app: App;
  authorize: Authorize<boolean>;
  /** Adds Foyer's listeners and error handler to a Bolt app of the host's. */
  attach(app: App): void;
  /** The listener that the running code was started by; undefined for any other code. */
  runningListener(): string | undefined;
}

/**
 * Makes the Bolt app, on Foyer's receiver and token source.
 *
 * Why no conversation store: Bolt's would read and write one entry for each event, and nothing here uses it.
 */
export function createBoltApp(deps: BoltAppDeps): FoyerBolt {
  const authorize: Authorize<boolean> = async ({ teamId, enterpriseId, userId, isEnterpriseInstall }) => {
    try {
      return await deps.tokens.authorize({ teamId, enterpriseId, userId, isEnterpriseInstall });
    } catch (error) {
      // An event may come after its uninstall: Bolt then calls no listener, and nothing is wrong.
      if (error instanceof InstallationNotFoundError) deps.log.debug({ err: error }, 'not installed');
      throw error;
    }
  };

  const names = createListenerNames();

  function attach(app: App): void {
    names.watch(app);
    app.error(async (error) => {
      // The app was removed while a listener worked for it: nothing is left to do, and nothing is wrong.
      if (error.original instanceof InstallationNotFoundError || error instanceof InstallationNotFoundError)
        deps.log.debug({ err: error }, 'uninstalled in the meantime');
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
  return { app, authorize, attach, runningListener: names.running };
}
