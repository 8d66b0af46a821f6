import type { Exchange, Reply } from './exchange.ts';

/** Answers a request; returns `null` if the handler wrote (or cut off) the response itself. */
export type Handler = (
  exchange: Exchange,
  parts: Record<string, string>,
) => Promise<Reply | null> | Reply | null;

/**
 * `on` is a method (`*` for any) and a path, such as `GET /people/:id`. `:id` matches one part of the path. A final
 * `:id*` matches the rest of it.
 */
export type Route = { on: string; handle: Handler };

/** Returns a function that finds the first route for a request, with the parameters of its path. */
export function createRouteTable(routes: readonly Route[]) {
  const table = routes.map(({ on, handle }) => {
    const [method = '*', path = '/'] = on.split(' ');
    const source = path.replaceAll('.', '\\.').replace(/:(\w+)(\*?)/g, (_all, name: string, rest: string) => {
      return rest ? `(?<${name}>.*)` : `(?<${name}>[^/]+)`;
    });
    return { method, pattern: new RegExp(`^${source}/?$`), handle };
  });
  return (method: string, path: string) => {
    const asked = method === 'HEAD' ? 'GET' : method;
    for (const { method: wanted, pattern, handle } of table) {
      if (wanted !== '*' && wanted !== asked) continue;
      const match = pattern.exec(path);
      if (match) return { handle, parts: decodeParts(match.groups ?? {}) };
    }
    return undefined;
  };
}

function decodeParts(groups: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(groups).map(([name, value]) => [name, decodeURIComponent(value)]));
}
