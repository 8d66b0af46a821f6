import type { Config } from '../config.ts';
import type { Database } from '../database/database.ts';
import type { Logger } from '../log.ts';
import type { SlackClientFactory } from '../slack/create-slack-client.ts';
import type { InstallationStore } from './installation-store.ts';
import type { TokenSource } from './token-source.ts';

/** What the token source is made of; `now` is in milliseconds. */
export interface TokenSourceDeps {
  store: InstallationStore;
  database: Database;
  slack: SlackClientFactory;
  config: { slack: Pick<Config['slack'], 'clientId' | 'clientSecret'> };
  now: () => number;
  log: Logger;
}

/** Makes the token source. */
export function createTokenSource(_deps: TokenSourceDeps): TokenSource {
  throw new Error('not built yet');
}
