import type { Logger } from '../config/log.ts';
import type { Database } from '../database/database.ts';
import type { TokenCipher } from './token-cipher.ts';

/** What the store's operations share. */
export interface StoreContext {
  readonly database: Database;
  readonly cipher: TokenCipher;
  /** The Slack app whose installations these are: those of another in the same database are never seen. */
  readonly clientId: string;
  /** Of the pipeline, in order. */
  readonly stepNames: readonly string[];
  /** Of the uninstall pipeline, in order; no run is made if there are none. */
  readonly uninstallStepNames?: readonly string[];
  /** In milliseconds since 1970. */
  readonly now: () => number;
  readonly log: Logger;
}
