import { once } from 'node:events';
import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerResponse,
} from 'node:http';
import type { Socket } from 'node:net';
import type { Config } from '../config/config.ts';
import { ConfigError, type ConfigProblem } from '../config/config-error.ts';
import type { Logger } from '../config/log.ts';
import { boundConnections, type ConnectionBounds } from './bound-connections.ts';
import type { RefusalKind, Refusals } from './count-refusals.ts';
import { securityHeaders } from './pages/page-headers.ts';
import type { RequestHandler } from './request-handler.ts';

/**
 * Creates Foyer's own server, with limits on its connections. The caller calls `listen` and `close`. For a path that is
 * not Foyer's, the server calls `otherwise`.
 */
export function createFoyerServer(deps: {
  handler: Pick<RequestHandler, 'handle' | 'notFound'>;
  http: Pick<Config['http'], 'secure' | 'trustProxy'>;
  refusals: Pick<Refusals, 'add'>;
  otherwise?: RequestListener;
  /** Set only by tests. */
  bounds?: Partial<ConnectionBounds>;
  log: Logger;
}): Server {
  const { handler, otherwise, log, refusals, bounds } = deps;
  const { secure, trustProxy } = deps.http;
  const server = createServer(
    {
      // Limits how long a slow or idle client can keep a connection open.
      headersTimeout: 8000,
      requestTimeout: 9000,
      keepAliveTimeout: 5000,
      connectionsCheckingInterval: 1000,
      maxHeaderSize: 16 * 1024,
      // Foyer itself refuses a request without a `Host` header (see below), since Node's answer would lack the security
      // headers.
      requireHostHeader: false,
    },
    async (req, res) => {
      if (!connections.admit(req, res)) return;
      if (req.headers.host === undefined && req.httpVersion === '1.1') return refuse(req, res, 400);
      res.on('error', (error) => log.debug({ err: error }, 'a response could not be sent'));
      if (await handler.handle(req, res)) return;
      if (otherwise) {
        connections.leaveToHost(req, res);
        otherwise(req, res);
      } else handler.notFound(res);
    },
  );
  const connections = boundConnections(server, { trustProxy, refusals, bounds });
  function refuse(req: IncomingMessage, res: ServerResponse, status: 400 | 417): void {
    refusals.add('malformed_request', req.socket.remoteAddress ?? '');
    res.writeHead(status, { ...securityHeaders(secure), Connection: 'close' }).end();
  }
  server.on('checkExpectation', (req, res) => {
    if (connections.admit(req, res)) refuse(req, res, 417);
  });
  const refusalHeaders = Object.entries(securityHeaders(secure))
    .map(([name, value]) => `${name}: ${value}\r\n`)
    .join('');
  // Node emits `clientError` if its parser refuses a request, or if a request does not arrive in time. Such a request
  // may reach no route, so this listener answers it.
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Socket) => {
    const line = clientErrors[error.code ?? ''] ?? clientErrors.HPE;
    if (!line || error.code === 'ECONNRESET' || !socket.writable) return void socket.destroy();
    refusals.add(line.kind, socket.remoteAddress ?? '');
    // Foyer is already sending an answer, and the client would read a second answer as a part of it.
    if (socket.bytesWritten > 0 && socket.writableLength > 0) return void socket.destroy();
    socket.end(
      `HTTP/1.1 ${line.status}\r\n${refusalHeaders}Content-Length: 0\r\nConnection: close\r\n\r\n`,
      () => socket.destroy(),
    );
    // A client that does not read the refusal must not keep the connection open.
    setTimeout(() => socket.destroy(), 1000).unref();
  });
  return server;
}

const clientErrors: Readonly<Record<string, { status: string; kind: RefusalKind }>> = {
  HPE: { status: '400 Bad Request', kind: 'malformed_request' },
  HPE_HEADER_OVERFLOW: { status: '431 Request Header Fields Too Large', kind: 'malformed_request' },
  HPE_CHUNK_EXTENSIONS_OVERFLOW: { status: '413 Payload Too Large', kind: 'malformed_request' },
  ERR_HTTP_REQUEST_TIMEOUT: { status: '408 Request Timeout', kind: 'request_too_slow' },
};

/** The maximum number of connections that the kernel queues. It is also the default of `server.listen`. */
const longestQueue = 511;

/** While the server closes, it closes a new connection that sends no request within this time. */
const firstRequestMs = 500;

/** Makes a server listen. @throws ConfigError if it cannot listen on PORT or HOST */
export async function listen(server: Server, http: Pick<Config['http'], 'port' | 'host'>) {
  let taken = 0;
  let underWay = 0;
  let closing = false;
  /** The connections that have not sent a request, and when each was opened. */
  const unused = new Map<Socket, number>();
  server.on('connection', (socket) => {
    taken += 1;
    unused.set(socket, performance.now());
    socket.on('close', () => unused.delete(socket));
  });
  server.on('request', (req, res) => {
    unused.delete(req.socket);
    underWay += 1;
    res.on('close', () => {
      underWay -= 1;
      if (closing) closeUnneeded();
    });
  });
  /**
   * Accepts the connections that wait in the kernel, since closing the server would reset them. Node accepts one
   * connection in each turn of the event loop. The function waits for at least two turns, because the first may be half
   * over.
   */
  async function takeQueued(): Promise<void> {
    for (let turn = 1, before = taken; turn <= 2 || (taken > before && turn <= longestQueue); turn += 1) {
      before = taken;
      await new Promise((next) => setImmediate(next));
    }
  }
  function closeUnneeded(): void {
    const newestMs = performance.now() - Math.max(...unused.values());
    if (underWay > 0) server.closeIdleConnections();
    else if (newestMs < firstRequestMs) setTimeout(closeUnneeded, firstRequestMs - newestMs).unref();
    else server.closeAllConnections();
  }
  server.listen(http.port, http.host);
  try {
    await once(server, 'listening');
  } catch (error) {
    const problem = listenProblem((error as NodeJS.ErrnoException).code ?? '', http);
    throw problem ? new ConfigError([problem], { cause: error }) : error;
  }
  const address = server.address();
  if (address === null || typeof address === 'string')
    throw new Error('the server is not listening on a TCP port');
  return {
    /** The address and port on this machine. */
    address,
    /**
     * Accepts no new connections, waits for the requests in progress, and closes the remaining connections after
     * `drainMs`. A connection that was opened just before this call gets half a second to send its request. The server
     * does not wait for an older connection without a request, because browsers open some that they never use.
     */
    async close(drainMs: number): Promise<void> {
      await takeQueued();
      const closed = once(server, 'close');
      closing = true;
      server.close();
      closeUnneeded();
      const cut = setTimeout(() => server.closeAllConnections(), drainMs);
      await closed;
      clearTimeout(cut);
    },
  };
}

export type Listening = Awaited<ReturnType<typeof listen>>;

/**
 * Returns what is wrong with PORT or HOST if that is why the server cannot listen; undefined if there is another cause.
 */
function listenProblem(
  code: string,
  { port, host }: Pick<Config['http'], 'port' | 'host'>,
): ConfigProblem | undefined {
  if (code === 'EADDRINUSE') {
    const problem = `${port} is taken: another process listens on it`;
    return { name: 'PORT', problem, fix: 'stop that process, or use another port' };
  }
  if (code === 'EACCES') {
    const fix = 'use a port from 1024 up, with a proxy in front, or allow this user to listen on low ports';
    return { name: 'PORT', problem: `${port} is a port that this user has no permission to listen on`, fix };
  }
  if (!/^(EADDRNOTAVAIL|ENOTFOUND|EAI_\w+|EINVAL)$/.test(code)) return undefined;
  const fix =
    'use one of this machine’s addresses, or 0.0.0.0 for all of them, or leave HOST out for 127.0.0.1, which only this machine can reach';
  return { name: 'HOST', problem: `${host} is not an address of this machine (${code})`, fix };
}
