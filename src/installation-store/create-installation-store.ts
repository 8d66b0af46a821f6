import type { Database } from '../database/database.ts';
import type { Logger } from '../log.ts';
import type { InstallationStore } from './installation-store.ts';

export type { InstallationStore, RecordedInstall } from './installation-store.ts';

import type { Keyring } from './keyring.ts';

/** What the installation store is made of. `stepNames` are those of the pipeline, in order; `now` is in milliseconds. */
export interface InstallationStoreDeps {
  database: Database;
  keyring: Keyring;
  clientId: string;
  stepNames: readonly string[];
  now: () => number;
  log: Logger;
}

/** Makes the installation store. */
export function createInstallationStore(_deps: InstallationStoreDeps): InstallationStore {
  throw new Error('not built yet');
}
