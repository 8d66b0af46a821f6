import type { IncomingMessage, ServerResponse } from 'node:http';
import { parseCookie } from 'cookie';
import readBody from 'raw-body';

/** One request, with its whole body, in the form that handlers need. */
export type Exchange = {
  method: string;
  url: URL;
  header(name: string): string | undefined;
  cookies: Record<string, string | undefined>;
  body: string;
  /** The body as a form, regardless of its content type. */
  form: URLSearchParams;
  /** The address the client used, such as `http://127.0.0.1:4000`. */
  origin: string;
  request: IncomingMessage;
  response: ServerResponse;
};

/** An answer to write. A handler that wrote the answer itself, or cut the connection, returns `null` instead. */
export type Reply = { status?: number; headers?: Record<string, string | string[]>; body?: string };

const largestBodyBytes = 5 * 1024 * 1024;

/** Reads a request. Throws raw-body's error (with a `status`) for a body over 5 MiB. */
export async function readExchange(request: IncomingMessage, response: ServerResponse): Promise<Exchange> {
  const origin = `http://${request.headers.host ?? 'localhost'}`;
  const body = await readBody(request, { limit: largestBodyBytes, encoding: 'utf8' });
  return {
    method: request.method ?? 'GET',
    url: new URL(request.url ?? '/', origin),
    header: (name) => {
      const value = request.headers[name];
      return Array.isArray(value) ? value.join(', ') : value;
    },
    cookies: parseCookie(request.headers.cookie ?? ''),
    body,
    form: new URLSearchParams(body),
    origin,
    request,
    response,
  };
}

/** Writes a reply and ends the response. Does nothing if the response has begun or the client has disconnected. */
export function writeReply(response: ServerResponse, reply: Reply): void {
  if (response.headersSent || response.destroyed) return;
  response.writeHead(reply.status ?? 200, { 'cache-control': 'no-store', ...reply.headers });
  response.end(reply.body ?? '');
}

export function jsonReply(value: unknown, status = 200, headers: Record<string, string> = {}): Reply {
  const body = JSON.stringify(value);
  return { status, headers: { 'content-type': 'application/json; charset=utf-8', ...headers }, body };
}

export function htmlReply(body: string, status = 200): Reply {
  return { status, headers: { 'content-type': 'text/html; charset=utf-8' }, body };
}

export function redirectReply(location: string, status = 302): Reply {
  return { status, headers: { location } };
}
