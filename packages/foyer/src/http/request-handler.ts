import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Config } from '../config/config.ts';
import type { Logger } from '../config/log.ts';
import { DatabaseUnavailableError } from '../database/database.ts';
import { clientAddress } from './bound-connections.ts';
import type { Refusals } from './count-refusals.ts';
import { securityHeaders } from './pages/page-headers.ts';
import type { SendPages } from './send-pages.ts';

/** Answers one request. Either ends the response or throws. */
export type Route = (req: IncomingMessage, res: ServerResponse) => void | Promise<void>;

/** Why no route answers: the path does not exist, or it accepts only other methods, which `Allow` names (RFC 9110). */
export type NoRoute = { kind: 'not_found' } | { kind: 'method_not_allowed'; headers: { Allow: string } };

/**
 * What Foyer promises for each of its paths, in its own server and in the host's:
 * - Each request gets a complete answer within ten seconds (invariant 10), even if a handler, Slack or the database
 *   hangs.
 * - Foyer reads a body only if a route asks for it.
 * - Foyer answers an error with a page, never with a stack trace.
 */

/**
 * If a request takes longer than this, Foyer answers it with a page that explains the delay. The work continues: the
 * install is still stored, or its tokens are revoked.
 */
const answerWithinMs = 9500;
/**
 * The client must have read the whole answer within this time after the request began. If not, Foyer closes the
 * connection.
 */
const readWithinMs = 10_000;
/** How often Foyer checks both limits. */
const lookEveryMs = 100;

interface RequestHandlerDeps {
  /** The prefix of every path: empty, or a path such as `/integrations/slack`. */
  basePath: string;
  route(method: string, path: string): Route | NoRoute;
  /** Whether Foyer accepts a request only on PUBLIC_URL's host name, because it acts for the person in this browser. */
  needsOwnHost(method: string, url: string): boolean;
  /**
   * Returns the id of the install request or sign-in if `url` is the address of a callback; undefined for any other
   * path or an invalid state. Must not throw.
   */
  requestIdOf(url: string, headers: IncomingMessage['headers']): string | undefined;
  http: Pick<Config['http'], 'publicUrl' | 'secure' | 'trustProxy'>;
  pages: Pick<SendPages, 'sendFailure'>;
  refusals: Pick<Refusals, 'add'>;
  /**
   * Called when Foyer has answered a request or its client has hung up (status 0). `path` has no query. Must not throw.
   */
  onAnswered?(request: { path: string; status: number }): void;
  log: Logger;
}

/** Creates the handler of all of Foyer's paths, in Foyer's own server or in the host's. */
export function createRequestHandler(deps: RequestHandlerDeps) {
  const { basePath, pages, log, refusals } = deps;
  const { publicUrl, secure, trustProxy } = deps.http;
  const headers = Object.entries(securityHeaders(secure));
  const ownHost = new URL(publicUrl).host;

  /** A request that Foyer has not answered completely. */
  interface Open {
    path: string;
    requestId(): string | undefined;
    address: string;
    res: ServerResponse;
    since: number;
    answeredLate?: true;
  }
  /** Oldest first. */
  const waiting = new Set<Open>();

  /**
   * Sends a failure page for each request that has taken too long, unless its answer has begun. Closes each connection
   * whose answer is still not complete after `readWithinMs`. All requests share one timer, because a timer for each
   * request would cost more than the rest of this handler.
   */
  function endLate(): void {
    const now = performance.now();
    for (const open of waiting) {
      const { res, path, address } = open;
      if (now - open.since < answerWithinMs) return;
      if (!open.answeredLate) {
        open.answeredLate = true;
        if (res.headersSent) continue;
        const requestId = open.requestId();
        nameFailed(requestId);
        log.error({ path: nameOf(path), requestId }, 'a request took too long');
        pages.sendFailure(res, { kind: 'took_too_long', requestId, ...elsewhere(open) });
      } else if (now - open.since > readWithinMs) {
        waiting.delete(open);
        refusals.add('answer_unread', address);
        res.destroy();
      }
    }
  }
  const looking = setInterval(endLate, lookEveryMs).unref();

  /**
   * Logs the id in a separate line. For repeated errors, the log writes only a count, but it must contain each id that
   * a page shows.
   */
  function nameFailed(requestId: string | undefined): void {
    if (requestId !== undefined) log.info({ requestId }, 'an install or a sign-in failed');
  }

  /**
   * Returns an empty object if the request was part of an install. For any other request, returns what its failure page
   * needs: the page does not mention an install, and its button requests `path` again.
   */
  function elsewhere({ path, res }: Open): { isElsewhere?: true; path?: string } {
    if (/^\/slack\/(?:install|oauth_redirect)\/?$/.test(path)) return {};
    // The callback's code is used up, so a sign-in must begin again. A form cannot be sent again.
    const again = path.replace(/^(\/slack\/signin)\/callback\/?$/, '$1');
    return { isElsewhere: true, ...(res.req.method !== 'POST' && { path: basePath + again }) };
  }

  function refuse(open: Open, error: unknown): void {
    const { res, path, requestId: idOf } = open;
    const down = error instanceof DatabaseUnavailableError;
    const requestId = idOf();
    nameFailed(requestId);
    const about = { err: error, path: nameOf(path), requestId };
    log.error(about, down ? 'the database does not answer' : 'a request failed');
    pages.sendFailure(
      res,
      down
        ? { kind: 'temporarily_unavailable', code: error.code, requestId }
        : { kind: 'internal', requestId, ...elsewhere(open) },
    );
    // If the route had already sent its headers when it failed, Foyer could not send a page. Closing the connection
    // shows the client that the answer is incomplete.
    if (!res.writableEnded) res.destroy();
  }

  /** Returns the path and query after the base path; undefined if the address is outside the base path. */
  function ownUrl(req: IncomingMessage): string | undefined {
    // Express and Connect remove the path at which a middleware is mounted. `originalUrl` contains the whole path.
    const url =
      'originalUrl' in req && typeof req.originalUrl === 'string' ? req.originalUrl : (req.url ?? '/');
    if (!url.startsWith(basePath)) return undefined;
    const own = url.slice(basePath.length);
    if (own === '' || own.startsWith('?')) return `/${own}`;
    return own.startsWith('/') ? own : undefined;
  }

  async function answer(req: IncomingMessage, res: ServerResponse, url: string, path: string, route: Route) {
    const open: Open = {
      path,
      requestId: () => deps.requestIdOf(url, req.headers),
      address: clientAddress(req, trustProxy),
      res,
      since: performance.now(),
    };
    waiting.add(open);
    const ended = (): void => void waiting.delete(open);
    res.on('close', ended).on('finish', ended);
    try {
      await route(req, res);
    } catch (error) {
      refuse(open, error);
    }
  }

  function countAnswer(path: string, res: ServerResponse): void {
    if (!deps.onAnswered) return;
    res.on('close', () => deps.onAnswered?.({ path, status: res.headersSent ? res.statusCode : 0 }));
  }

  return {
    /**
     * Answers a request and resolves to true. If the path is not one of Foyer's, changes nothing and resolves to false.
     */
    async handle(req: IncomingMessage, res: ServerResponse): Promise<boolean> {
      const url = ownUrl(req);
      if (url === undefined) return false;
      const path = pathOf(url);
      const method = req.method ?? 'GET';
      const route = deps.route(method, path);
      if (typeof route !== 'function' && route.kind === 'not_found') return false;
      countAnswer(path, res);
      for (const [name, value] of headers) res.setHeader(name, value);
      // Another site can make its own host name lead here (DNS rebinding). Under such a name, no request may act for
      // the person in this browser.
      if (deps.needsOwnHost(method, url) && hostOf(req, secure) !== ownHost) {
        refusals.add('wrong_host', clientAddress(req, trustProxy));
        pages.sendFailure(res, { kind: 'wrong_host' }, { Connection: 'close' });
        return true;
      }
      if (typeof route === 'function') {
        req.url = url;
        await answer(req, res, url, path, route);
        return true;
      }
      pages.sendFailure(res, { kind: route.kind }, 'headers' in route ? route.headers : {});
      return true;
    },
    /** Answers with a "not found" page, for a server in which Foyer handles every path. */
    notFound(res: ServerResponse): void {
      countAnswer('other', res);
      for (const [name, value] of headers) res.setHeader(name, value);
      pages.sendFailure(res, { kind: 'not_found' });
    },
    /** Stops checking for late answers. */
    close: (): void => clearInterval(looking),
  };
}

export type RequestHandler = ReturnType<typeof createRequestHandler>;

/** Returns only the path: the query may contain a code and a state, which must not get into a log. */
function pathOf(url: string): string {
  const [path = '/'] = url.split('?', 1);
  return path.slice(0, 200);
}

/**
 * Hides the token of a progress page, so that the log can show the path. Anyone who has the token can open the page.
 */
function nameOf(path: string): string {
  return path.replace(/^(\/installs\/)[^/]+/, '$1…');
}

/** Returns the host name and port to which a request was sent, without the scheme's default port. */
function hostOf(req: IncomingMessage, secure: boolean): string {
  const host = (req.headers.host ?? '').toLowerCase();
  return host.replace(secure ? /:443$/ : /:80$/, '');
}

/**
 * Redirects a browser. Sets `cookies` in addition to the cookies that the host has already set on the response. Does
 * nothing if the request has already been answered because it took too long.
 */
export function leadTo(
  res: ServerResponse,
  status: 302 | 303,
  location: string,
  cookies: string[] = [],
): void {
  if (res.headersSent) return;
  for (const cookie of cookies) res.appendHeader('Set-Cookie', cookie);
  const headers = { 'Cache-Control': 'no-store', 'Referrer-Policy': 'no-referrer' };
  res.writeHead(status, { Location: location, ...headers }).end();
}
