import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import type { TestContext } from 'node:test';

/** A fake Slack. The test itself writes each answer to `oauth.v2.access`: bytes that need not be valid HTTP or JSON. */
export interface RawSlack {
  apiUrl: string;
  /** The tokens that `auth.revoke` was called with. */
  readonly revoked: ReadonlySet<string>;
  /** How often each method was called. */
  calls(method: string): number;
  /** From now on, `write` answers each call of `oauth.v2.access`: it writes to the connection and closes it. */
  onExchange(write: (socket: Socket, form: URLSearchParams) => void): void;
  /** Sets the answer to `auth.test`. */
  testWith(answer: unknown): void;
  /** Makes `auth.revoke` fail, or work again. */
  refuseRevoke(refuses: boolean): void;
}

const http = (body: string): string =>
  `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;

/** Starts a fake Slack that stops when the test ends. */
export async function startRawSlack(t: Pick<TestContext, 'after'>): Promise<RawSlack> {
  const revoked = new Set<string>();
  const calls: string[] = [];
  const sockets = new Set<Socket>();
  let exchange: (socket: Socket, form: URLSearchParams) => void = (socket) =>
    socket.end(http('{"ok":false}'));
  let test: unknown = { ok: false };
  let refuses = false;

  const answer = (socket: Socket, request: string): void => {
    const method = /^POST \/api\/(\S+)/.exec(request)?.[1] ?? '';
    calls.push(method);
    if (method === 'oauth.v2.access') {
      exchange(socket, new URLSearchParams(request.slice(request.indexOf('\r\n\r\n') + 4)));
      return;
    }
    if (method === 'auth.revoke' && refuses) {
      socket.write(http('{"ok":false,"error":"internal_error"}'));
      return;
    }
    if (method === 'auth.revoke') {
      const token = /^authorization: Bearer (\S+)/im.exec(request)?.[1];
      if (token) revoked.add(token);
    }
    socket.write(http(JSON.stringify(method === 'auth.test' ? test : { ok: true })));
  };

  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => {});
    let read = '';
    socket.on('data', (chunk) => {
      read += chunk.toString('latin1');
      for (;;) {
        const head = read.indexOf('\r\n\r\n');
        if (head < 0) return;
        const end = head + 4 + Number(/^content-length: (\d+)/im.exec(read.slice(0, head))?.[1] ?? 0);
        if (read.length < end) return;
        const request = read.slice(0, end);
        read = read.slice(end);
        answer(socket, request);
      }
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return {
    apiUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}/api/`,
    revoked,
    calls: (method) => calls.filter((called) => called === method).length,
    onExchange(write) {
      exchange = write;
    },
    testWith(given) {
      test = given;
    },
    refuseRevoke(given) {
      refuses = given;
    },
  };
}

/** Returns a function that writes an answer with this body, and then closes the connection. */
export function endWith(body: string | Buffer, headers = '', status = '200 OK'): (socket: Socket) => void {
  return (socket) => {
    socket.write(
      `HTTP/1.1 ${status}\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\n${headers}connection: close\r\n\r\n`,
    );
    socket.end(body);
  };
}
