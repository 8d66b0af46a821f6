import { randomInt } from 'node:crypto';
import { monotonicFactory } from 'ulid';

// Why not the library's own source of randomness: an id has 16 random characters, and the library requests random bytes
// from the system for each of them. Node's `randomInt` takes random bytes from a cache.
const nextUlid = monotonicFactory(() => randomInt(32) / 32);

/** A new id such as `run_01J…`: unique, and ascending within a process, so that ids sort in order of creation. */
export function newId(prefix: 'ins' | 'run' | 'his' | 'con'): string {
  return `${prefix}_${nextUlid()}`;
}
