import { createLogger } from '../../../packages/foyer/src/config/log.ts';
import type { Database } from '../../../packages/foyer/src/database/database.ts';
import { prepareInstallationTokens } from '../../../packages/foyer/src/database/installation-tokens.ts';
import { createInstallationStore } from '../../../packages/foyer/src/installations/create-installation-store.ts';
import {
  createTokenCipher,
  openInstallation,
} from '../../../packages/foyer/src/installations/open-installation.ts';
import { builtInSteps } from '../../../packages/foyer/src/steps/steps.ts';
import { app } from '../../load/signed-events.ts';
import { openBenchDatabase } from '../../open-bench-database.ts';
import { benchKeyring } from '../../seed/bench-keyring.ts';
import type { BenchStore } from './bench-store.ts';

/**
 * Foyer's own store, which does more than the others. It commits the history, the run and the run's steps together with
 * the installation. On SQLite it also overwrites deleted tokens in the database files.
 */
export async function foyerStore(place: string): Promise<BenchStore> {
  return storeOn(await openBenchDatabase(place));
}

/** The same store without a cache: each fetch reads the database and decrypts the token. */
export async function foyerStoreUncached(place: string): Promise<BenchStore> {
  const database = await openBenchDatabase(place);
  const readTokens = prepareInstallationTokens(database);
  const cipher = createTokenCipher({ keyring: benchKeyring });
  return {
    ...storeOn(database),
    async fetch(teamId) {
      const row = await readTokens({ clientId: app.clientId, tenant: `team:${teamId}` }, undefined);
      if (!row) throw new Error(`no installation for ${teamId}`);
      return openInstallation(row, undefined, cipher);
    },
  };
}

function storeOn(database: Database): BenchStore {
  const store = createInstallationStore({
    database,
    keyring: benchKeyring,
    clientId: app.clientId,
    stepNames: builtInSteps().map((step) => step.name),
    now: Date.now,
    log: createLogger({ logLevel: 'silent', secrets: [] }),
  });
  return {
    store: (installation) => store.recordInstall(installation),
    async fetch(teamId) {
      const found = await store.findInstallation({
        teamId,
        enterpriseId: undefined,
        isEnterpriseInstall: false,
      });
      if (!found) throw new Error(`no installation for ${teamId}`);
      return found;
    },
    remove: (teamId) =>
      store.deleteInstallation({ teamId, enterpriseId: undefined, isEnterpriseInstall: false }),
    close: () => database.close(),
  };
}
