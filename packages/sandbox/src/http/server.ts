import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { jsonReply, readExchange, writeReply } from './exchange.ts';
import { createRouteTable, type Route } from './routes.ts';

/** Serves the routes at `host` and `port`. `close` cuts every open connection and resolves when the port is free. */
export async function startServer({
  port,
  host,
  routes,
  now,
  onError,
}: {
  port: number;
  host: string;
  routes: readonly Route[];
  /** The time in the Date header. */
  now: () => number;
  onError: (error: unknown) => void;
}): Promise<{ url: string; close(): Promise<void> }> {
  const findRoute = createRouteTable(routes);

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const exchange = await readExchange(request, response);
    const route = findRoute(exchange.method, exchange.url.pathname);
    if (!route) return writeReply(response, jsonReply({ ok: false, error: 'not_found' }, 404));
    const reply = await route.handle(exchange, route.parts);
    if (reply) writeReply(response, reply);
  }

  const server = createServer((request, response) => {
    response.setHeader('date', new Date(now()).toUTCString());
    answer(request, response).catch((error: unknown) => {
      const status = statusOf(error);
      if (status === 500) onError(error);
      writeReply(response, jsonReply({ ok: false, error: 'internal_error' }, status));
    });
  });
  // Why: an app under test keeps connections alive between calls. With Node's default of 5 s, the sandbox could close a
  // connection just as the app sends a call on it.
  server.keepAliveTimeout = 60_000;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, resolve);
  });
  const { port: actualPort } = server.address() as AddressInfo; // a TCP server's address is never a string or null
  return {
    url: `http://${host}:${actualPort}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** Errors of raw-body and of parsing have a `status` in the 400s; any other error is a bug in the sandbox. */
function statusOf(error: unknown): number {
  const status = error instanceof Error && 'status' in error ? Number(error.status) : Number.NaN;
  return status >= 400 && status < 500 ? status : 500;
}
