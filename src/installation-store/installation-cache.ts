import type { Database } from '../database/database.ts';
import type { StoredInstallation } from './installation-store.ts';

/**
 * Why a cache: of an event's way through Foyer, to read and open its installation was the dearest part (README of
 * `bench/`). What it holds stands as long as nothing at all was committed (`changeMark`), so an uninstall is seen as
 * soon as it is there, and in Postgres on another machine within half a second.
 */

/**
 * About 2 kB each. Those that were not asked for the longest make room, half of all at once: to keep them in the order in
 * which they were asked for costs more at every event than to find one.
 */
const mostKept = 2000;

/** Opened installations, kept until anything changes. They are shared, and frozen. */
export interface InstallationCache {
  /** What is kept under a key, or what `read` finds, which is then kept. */
  get(
    key: string,
    read: () => Promise<StoredInstallation | undefined>,
  ): Promise<StoredInstallation | undefined>;
}

/** Makes an empty cache. */
export function createInstallationCache(database: Pick<Database, 'changeMark'>): InstallationCache {
  let recent = new Map<string, StoredInstallation>();
  let older = new Map<string, StoredInstallation>();
  let keptSince: number | undefined;

  function keep(key: string, installation: StoredInstallation): StoredInstallation {
    if (recent.size >= mostKept / 2) [older, recent] = [recent, new Map()];
    recent.set(key, installation);
    return installation;
  }

  return {
    async get(key, read) {
      const mark = database.changeMark();
      if (mark !== keptSince) [older, recent] = [new Map(), new Map()];
      keptSince = mark;
      const known = recent.get(key);
      if (known) return known;
      const aged = older.get(key);
      if (aged) return keep(key, aged);
      const found = await read();
      // What was committed while it was read belongs to another mark.
      return found && keptSince === mark ? keep(key, freeze(found)) : found;
    },
  };
}

function freeze<T extends object>(value: T): T {
  for (const inner of Object.values(value)) if (typeof inner === 'object' && inner !== null) freeze(inner);
  return Object.freeze(value);
}
