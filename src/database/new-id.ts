import { monotonicFactory } from 'ulid';

const nextUlid = monotonicFactory();

/** A new id such as `run_01J…`: unique, and in order of time within a process, so that it sorts as it happened. */
export function newId(prefix: 'ins' | 'run' | 'his'): string {
  return `${prefix}_${nextUlid()}`;
}
