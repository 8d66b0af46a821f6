import { AsyncLocalStorage } from 'node:async_hooks';
import type { App } from '@slack/bolt';

/** The ways to add a listener to a Bolt app. */
const registrars = [
  'action',
  'command',
  'event',
  'function',
  'message',
  'options',
  'shortcut',
  'use',
  'view',
] as const;

/** Knows which listener is running. */
export interface ListenerNames {
  /** Names every listener that is added to the app from now on, such as `event app_mention (greet)`. */
  watch(app: App): void;
  /** The listener that the running code was started by, also after it has returned; undefined for any other code. */
  running(): string | undefined;
}

/**
 * Makes what names listeners. Why: an error that comes after a listener has returned (a promise that it did not await, a
 * timer) reaches the process without a word of where it came from. Its asynchronous context knows.
 */
export function createListenerNames(): ListenerNames {
  const current = new AsyncLocalStorage<string>();

  function named(label: string, listener: (...given: unknown[]) => unknown) {
    return (...given: unknown[]) => current.run(label, () => listener(...given));
  }

  return {
    watch(app) {
      for (const registrar of registrars) {
        const register: unknown = Reflect.get(app, registrar);
        if (typeof register !== 'function') continue;
        const add = (...parts: unknown[]): unknown => {
          const watched = parts.map((part) =>
            typeof part === 'function'
              ? named(labelOf(registrar, parts, part.name), (...given) =>
                  Reflect.apply(part, undefined, given),
                )
              : part,
          );
          return Reflect.apply(register, app, watched);
        };
        Object.defineProperty(app, registrar, { value: add, configurable: true, writable: true });
      }
    },
    running: () => current.getStore(),
  };
}

/** `event app_mention (greet)`: how it was added, for what, and the function's name if it has one. */
function labelOf(registrar: string, parts: readonly unknown[], name: string): string {
  const [first] = parts;
  const what =
    typeof first === 'string' || first instanceof RegExp
      ? ` ${first}`
      : typeof first === 'object' && first !== null
        ? ` ${JSON.stringify(first, (_key, value) => (value instanceof RegExp ? String(value) : value))}`
        : '';
  return `${registrar}${what}${name && ` (${name})`}`;
}
