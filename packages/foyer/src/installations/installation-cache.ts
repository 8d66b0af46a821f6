import type { Database } from '../database/database.ts';
import type { InstallationTokens } from '../database/installation-tokens.ts';
import type { StoredInstallation } from './installation-store.ts';
import type { Opened } from './open-installation.ts';

/**
 * Why a cache: reading and opening the installation was the most expensive part of handling an event (README of
 * `bench/`). An entry is valid until anything at all is committed (`changeMark`), so an uninstall is seen as soon as it
 * is committed; one that another machine commits to Postgres, within half a second. Then the row is read again, and the
 * earlier result is passed to `open`: decrypting takes longer than reading.
 */

/**
 * About 2 kB each. The least recently used half is dropped at once: keeping an exact order costs more at every event
 * than a lookup. A token whose row is gone may stay here until then: Slack no longer accepts it.
 */
const mostKept = 2000;

/** `mark` is the change mark from before the row was read. */
type Kept = Opened & { mark: number };

/** Opened installations, kept until anything changes. They are shared, and frozen. */
export interface InstallationCache {
  /** Returns the cached installation of a key. If there is none, caches what `read` finds and `open` opens. */
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
