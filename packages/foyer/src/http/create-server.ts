import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Logger } from '../config/log.ts';
import { DatabaseUnavailableError } from '../database/database.ts';
import type { SendPages } from './send-pages.ts';

/** What answers one request. It ends the response, or throws. */
export type Route = (req: IncomingMessage, res: ServerResponse) => void | Promise<void>;

/** Why nothing answers a request: there is no such path, or it takes other methods, which `Allow` names (RFC 9110). */
export type NoRoute = { kind: 'not_found' } | { kind: 'method_not_allowed'; headers: { Allow: string } };

/**
 * Foyer's own HTTP server. What it promises for every path: each request gets a complete answer within ten seconds
 * (invariant 10), whatever a handler, Slack or the database does; no body is read that nobody asked for; and an error
 * is a page that names its cause, never a stack.
 */

/** After this a visitor gets a page that says it takes too long; what was begun goes on or is given back. */
const answerWithinMs = 9500;
/** How often it is looked for. */
const lookEveryMs = 100;

export interface ServerDeps {
  route(method: string, path: string): Route | NoRoute;
  pages: Pick<SendPages, 'sendFailure'>;
  log: Logger;
}

/** Makes the server; `listen` and `close` are the caller's. */
export function createFoyerServer(deps: ServerDeps): Server {
  const { pages, log } = deps;

  /** The requests without a whole answer, the oldest first. */
  const waiting = new Set<{ path: string; res: ServerResponse; until: number }>();

  /** Why one look at all of them: a timer for each request costs more than everything else that happens here. */
  function endLate(): void {
    const now = performance.now();
    for (const open of waiting) {
      if (open.until > now) return;
      waiting.delete(open);
      log.error({ path: nameOf(open.path) }, 'a request took too long');
      pages.sendFailure(open.res, { kind: 'took_too_long' });
    }
  }

  function refuse(res: ServerResponse, error: unknown, path: string): void {
    const down = error instanceof DatabaseUnavailableError;
    const about = { err: error, path: nameOf(path) };
    log.error(about, down ? 'the database does not answer' : 'a request failed');
    pages.sendFailure(
      res,
      down ? { kind: 'temporarily_unavailable', code: error.code } : { kind: 'internal' },
    );
    // Headers without a body: nothing honest can follow them.
    if (!res.writableEnded) res.destroy();
  }

  async function handle(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const path = pathOf(req);
    const open = { path, res, until: performance.now() + answerWithinMs };
    waiting.add(open);
    res.on('close', () => waiting.delete(open));
    try {
      const route = deps.route(req.method ?? 'GET', path);
      if (typeof route === 'function') await route(req, res);
      else pages.sendFailure(res, { kind: route.kind }, 'headers' in route ? route.headers : undefined);
    } catch (error) {
      refuse(res, error, path);
    }
  }

  const server = createServer(
    {
      // A slow or idle peer holds a connection this long and no longer.
      headersTimeout: 8000,
      requestTimeout: 9000,
      keepAliveTimeout: 5000,
      connectionsCheckingInterval: 1000,
      maxHeaderSize: 16 * 1024,
    },
    (req, res) => {
      res.on('error', (error) => log.debug({ err: error }, 'a response could not be sent'));
      void handle(req, res);
    },
  );
  server.maxConnections = 10_000;
  const looking = setInterval(endLate, lookEveryMs).unref();
  server.on('close', () => clearInterval(looking));
  return server;
}

/** The path alone: what stands behind `?` may hold a code and a state, and goes into no log. */
function pathOf(req: IncomingMessage): string {
  const [path = '/'] = (req.url ?? '/').split('?', 1);
  return path.slice(0, 200);
}

/** A path as the log may show it: the address of a progress page is all that is needed to open it. */
function nameOf(path: string): string {
  return path.replace(/^(\/installs\/)[^/]+/, '$1…');
}
