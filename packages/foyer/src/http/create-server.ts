import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerResponse,
} from 'node:http';
import type { Logger } from '../config/log.ts';
import { DatabaseUnavailableError } from '../database/database.ts';
import type { SendPages } from './send-pages.ts';

/** What answers one request. It ends the response, or throws. */
export type Route = (req: IncomingMessage, res: ServerResponse) => void | Promise<void>;

/** Why nothing answers a request: there is no such path, or it takes other methods, which `Allow` names (RFC 9110). */
export type NoRoute = { kind: 'not_found' } | { kind: 'method_not_allowed'; headers: { Allow: string } };

/**
 * What Foyer promises for each of its paths, in its own server and in the host's: each request gets a complete answer
 * within ten seconds (invariant 10), whatever a handler, Slack or the database does; no body is read that no route asks
 * for; and an error is a page that names its cause, never a stack.
 */

/** After this a visitor gets a page that says it takes too long; what was begun goes on or is given back. */
const answerWithinMs = 9500;
/** How often it is looked for. */
const lookEveryMs = 100;

export interface RequestHandlerDeps {
  /** What precedes every path: empty, or such as `/integrations/slack`. */
  basePath: string;
  route(method: string, path: string): Route | NoRoute;
  pages: Pick<SendPages, 'sendFailure'>;
  log: Logger;
}

/** Answers requests, in a server of Foyer's own or of the host's. */
export interface RequestHandler {
  /** Answers a request and resolves to true; resolves to false, with nothing touched, if the path is not Foyer's. */
  handle(req: IncomingMessage, res: ServerResponse): Promise<boolean>;
  /** Answers "not found" as a page, for a server that has nothing else. */
  notFound(res: ServerResponse): void;
  /** Ends the watch over late answers. */
  close(): void;
}

/** Makes what answers every path of Foyer's. */
export function createRequestHandler(deps: RequestHandlerDeps): RequestHandler {
  const { basePath, pages, log } = deps;

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
  const looking = setInterval(endLate, lookEveryMs).unref();

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

  /** The path and query behind the base path; undefined for an address that is not below it. */
  function ownUrl(req: IncomingMessage): string | undefined {
    // Express and Connect cut the path that a middleware is mounted at, and keep the whole one here.
    const url =
      'originalUrl' in req && typeof req.originalUrl === 'string' ? req.originalUrl : (req.url ?? '/');
    if (!url.startsWith(basePath)) return undefined;
    const own = url.slice(basePath.length);
    if (own === '' || own.startsWith('?')) return `/${own}`;
    return own.startsWith('/') ? own : undefined;
  }

  async function answer(
    req: IncomingMessage,
    res: ServerResponse,
    path: string,
    route: Route,
  ): Promise<void> {
    const open = { path, res, until: performance.now() + answerWithinMs };
    waiting.add(open);
    res.on('close', () => waiting.delete(open));
    try {
      await route(req, res);
    } catch (error) {
      refuse(res, error, path);
    }
  }

  return {
    async handle(req, res) {
      const url = ownUrl(req);
      if (url === undefined) return false;
      const path = pathOf(url);
      const route = deps.route(req.method ?? 'GET', path);
      if (typeof route === 'function') {
        req.url = url;
        await answer(req, res, path, route);
        return true;
      }
      if (route.kind === 'not_found') return false;
      pages.sendFailure(res, { kind: route.kind }, route.headers);
      return true;
    },
    notFound: (res) => pages.sendFailure(res, { kind: 'not_found' }),
    close: () => clearInterval(looking),
  };
}

/** Makes Foyer's own server; `listen` and `close` are the caller's. `otherwise` answers what is not Foyer's. */
export function createFoyerServer(deps: {
  handler: Pick<RequestHandler, 'handle' | 'notFound'>;
  otherwise?: RequestListener;
  log: Logger;
}): Server {
  const { handler, otherwise, log } = deps;
  const server = createServer(
    {
      // A slow or idle peer holds a connection this long and no longer.
      headersTimeout: 8000,
      requestTimeout: 9000,
      keepAliveTimeout: 5000,
      connectionsCheckingInterval: 1000,
      maxHeaderSize: 16 * 1024,
    },
    async (req, res) => {
      res.on('error', (error) => log.debug({ err: error }, 'a response could not be sent'));
      if (await handler.handle(req, res)) return;
      if (otherwise) otherwise(req, res);
      else handler.notFound(res);
    },
  );
  server.maxConnections = 10_000;
  return server;
}

/** The path alone: what stands behind `?` may hold a code and a state, and goes into no log. */
function pathOf(url: string): string {
  const [path = '/'] = url.split('?', 1);
  return path.slice(0, 200);
}

/** A path as the log may show it: the address of a progress page is all that is needed to open it. */
function nameOf(path: string): string {
  return path.replace(/^(\/installs\/)[^/]+/, '$1…');
}
