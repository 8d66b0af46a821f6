import type { App } from '@slack/bolt';
import { WebClient, type WebClientOptions } from '@slack/web-api';

/**
 * Why Bolt's own clients are replaced: it makes one for each team and keeps it for ever (25 kB each, 2.8 GB after a
 * hundred thousand teams), and most listeners never use theirs. Here the `client` of a listener is made when it is first
 * used, and goes with its event. Bolt keeps its clients in `app.clients`, by team, in pools that it asks for one by
 * token; `lazy-clients.test.ts` fails where a new Bolt does otherwise.
 */
export function makeClientsLazy(app: App): void {
  const pool = { getOrCreate: createLazyClient };
  Object.defineProperty(app, 'clients', { value: new Proxy({}, { get: () => pool }) });
}

/** A WebClient that is made when something of it is first asked for. */
export function createLazyClient(token: string, options: WebClientOptions): WebClient {
  let made: WebClient | undefined;
  const client = (): WebClient => {
    made ??= new WebClient(token, options);
    return made;
  };
  return new Proxy(Object.create(WebClient.prototype) as WebClient, {
    get: (_target, name) => Reflect.get(client(), name, client()),
    set: (_target, name, value) => Reflect.set(client(), name, value),
    has: (_target, name) => Reflect.has(client(), name),
    ownKeys: () => Reflect.ownKeys(client()),
    getOwnPropertyDescriptor: (_target, name) => {
      const found = Reflect.getOwnPropertyDescriptor(client(), name);
      return found && { ...found, configurable: true };
    },
  });
}
