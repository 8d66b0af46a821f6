import type { App } from '@slack/bolt';
import {
  addListeners as addFoyersListeners,
  type ListenersDeps,
} from '../../packages/foyer/src/events/listeners.ts';
import { addBenchListeners, listenerWork } from './bench-listeners.ts';

/** Foyer's own listeners, and the bench's: what `contenders/foyer.ts` puts in the place of `listeners.ts`. */

let ended: () => void = () => {};

/** Sets who is told when all listeners of an event have ended. */
export function onListenersEnded(tell: () => void): void {
  ended = tell;
}

export function addListeners(app: App, deps: ListenersDeps): void {
  addBenchListeners(app, listenerWork, () => ended());
  addFoyersListeners(app, deps);
}
