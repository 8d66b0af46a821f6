import { randomInt } from 'node:crypto';
import { monotonicFactory } from 'ulid';

// Why a source of our own: the library's asks for random bytes at each of 16 letters, and Node's `randomInt` keeps a store.
const nextUlid = monotonicFactory(() => randomInt(32) / 32);

/** A new id such as `run_01J…`: unique, and in order of time within a process, so that it sorts as it happened. */
export function newId(prefix: 'ins' | 'run' | 'his' | 'con'): string {
  return `${prefix}_${nextUlid()}`;
}
