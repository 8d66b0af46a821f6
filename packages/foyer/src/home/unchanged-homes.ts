import type { Onlooker } from '../database/home-views.ts';
import { isRecent } from './is-recent.ts';

/**
 * Why: most openings of App Home show what it shows already. As long as nothing at all was committed since that was
 * found out (`changeMark`), there is nothing to read, to compare and to send.
 */

/** About 200 bytes each. Those that were not asked for the longest make room. */
const mostKept = 5000;

/** A Home that was found to show the record as it is. Times are in milliseconds. */
interface Unchanged {
  /** When it was found out. Who is an admin may change without a commit: with the time alone. */
  foundAt: number;
  /** When the person opened it last, as far as that is noted. */
  openedAt: number;
}

/** The Homes of which it is known that they are up to date. */
export interface UnchangedHomes {
  /** Whether somebody's Home needs nothing, not even a note that they opened it. */
  has(request: Onlooker & { opened?: boolean }, mark: number, at: number): boolean;
  /** Keeps what was found out by reading; `mark` is the change mark from before that, of which `has` was asked. */
  keep(onlooker: Onlooker, mark: number, found: Unchanged): void;
}

/** Makes an empty memory. */
export function createUnchangedHomes(): UnchangedHomes {
  const kept = new Map<string, Unchanged>();
  let keptSince: number | undefined;

  return {
    has(request, mark, at) {
      if (mark !== keptSince) kept.clear();
      keptSince = mark;
      const key = keyOf(request);
      const known = kept.get(key);
      if (!known || !isRecent(known.foundAt, at)) return false;
      if (request.opened && !isRecent(known.openedAt, at)) return false;
      kept.delete(key);
      kept.set(key, known);
      return true;
    },
    keep(onlooker, mark, found) {
      // What was committed while it was read belongs to another mark.
      if (mark !== keptSince) return;
      kept.set(keyOf(onlooker), found);
      const [oldest] = kept.keys();
      if (kept.size > mostKept && oldest !== undefined) kept.delete(oldest);
    },
  };
}

function keyOf({ installationId, userId }: Onlooker): string {
  return `${installationId} ${userId}`;
}
