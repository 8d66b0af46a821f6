import type { Database } from '../database/database.ts';
import type { StoredInstallation } from './installation-store.ts';

/**
 * Why a cache: of an event's way through Foyer, to read and open its installation was the dearest part (README of
 * `bench/`). What it holds stands as long as nothing at all was committed (`changeMark`), so an uninstall is seen as
 * soon as it is there, and in Postgres on another machine within half a second.
 */

/** About 2 kB each. Those that were not asked for the longest make room. */
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
  const kept = new Map<string, StoredInstallation>();
  let keptSince: number | undefined;
  return {
    async get(key, read) {
      const mark = database.changeMark();
      if (mark !== keptSince) kept.clear();
      keptSince = mark;
      const known = kept.get(key);
      if (known) {
        kept.delete(key);
        kept.set(key, known);
        return known;
      }
      const found = await read();
      // What was committed while it was read belongs to another mark.
      if (found && keptSince === mark) {
        kept.set(key, freeze(found));
        const [oldest] = kept.keys();
        if (kept.size > mostKept && oldest !== undefined) kept.delete(oldest);
      }
      return found;
    },
  };
}

function freeze<T extends object>(value: T): T {
  for (const inner of Object.values(value)) if (typeof inner === 'object' && inner !== null) freeze(inner);
  return Object.freeze(value);
}
