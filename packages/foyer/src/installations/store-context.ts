import type { Logger } from '../config/log.ts';
import type { Database } from '../database/database.ts';
import type { TokenCipher } from './open-installation.ts';

/** What the store's operations share. */
export interface StoreContext {
  readonly database: Database;
  readonly cipher: TokenCipher;
  /** The Slack app whose installations these are: those of another app in the same database are never visible. */
  readonly clientId: string;
  /** The steps of the install pipeline, in order. */
  readonly stepNames: readonly string[];
  /** The steps of the uninstall pipeline, in order; if there are none, no run is created. */
  readonly uninstallStepNames?: readonly string[];
  /** In milliseconds since 1970. */
  readonly now: () => number;
  readonly log: Logger;
}
