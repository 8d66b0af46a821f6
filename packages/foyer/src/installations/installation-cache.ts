import type { Database } from '../database/database.ts';
import type { InstallationTokens } from '../database/installation-tokens.ts';
import type { StoredInstallation } from './installation-store.ts';
import type { Opened } from './open-installation.ts';

/**
 * Why a cache: of an event's way through Foyer, to read and open its installation was the dearest part (README of
 * `bench/`). What it holds stands as long as nothing at all was committed (`changeMark`), so an uninstall is seen as
 * soon as it is there, and in Postgres on another machine within half a second. Then its row is read again, and what was
 * opened before is handed to `open`: to decrypt takes longer than to read.
 */

/**
 * About 2 kB each. Those that were not asked for the longest make room, half of all at once: to keep them in the order in
 * which they were asked for costs more at every event than to find one. A token whose row is gone may stay here until
 * then: Slack takes no such token any more.
 */
const mostKept = 2000;

/** `mark` is the change mark from before the row was read. */
type Kept = Opened & { mark: number };

/** Opened installations, kept until anything changes. They are shared, and frozen. */
export interface InstallationCache {
  /** What is kept under a key, or what `read` finds, opened by `open`, which is then kept. */
  get(
    key: string,
    read: () => Promise<InstallationTokens | undefined>,
    open: (row: InstallationTokens, before: Opened | undefined) => StoredInstallation,
  ): Promise<StoredInstallation | undefined>;
}

/** Makes an empty cache. */
export function createInstallationCache(database: Pick<Database, 'changeMark'>): InstallationCache {
  let recent = new Map<string, Kept>();
  let older = new Map<string, Kept>();

  function keep(key: string, kept: Kept): StoredInstallation {
    if (recent.size >= mostKept / 2 && !recent.has(key)) [older, recent] = [recent, new Map()];
    recent.set(key, kept);
    return kept.installation;
  }

  return {
    async get(key, read, open) {
      const mark = database.changeMark();
      const known = recent.get(key);
      if (known?.mark === mark) return known.installation;
      const kept = known ?? older.get(key);
      if (kept?.mark === mark) return keep(key, kept);
      const row = await read();
      if (row) return keep(key, { mark, row, installation: freeze(open(row, kept)) });
      for (const half of [recent, older]) half.delete(key);
      return undefined;
    },
  };
}

function freeze<T extends object>(value: T): T {
  if (Object.isFrozen(value)) return value;
  for (const inner of Object.values(value)) if (typeof inner === 'object' && inner !== null) freeze(inner);
  return Object.freeze(value);
}
