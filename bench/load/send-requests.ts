import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

/**
 * Why plain sockets and no HTTP client: an HTTP client needs nearly as much time to send a request as the fastest
 * contender (`floor`) needs to answer it. The bench and the contender then wait for each other, and the contenders'
 * speeds look more alike than they are.
 */

/** A request that is built in advance, so that the load side only has to send it while the clock runs. */
export interface PreparedRequest {
  /** Names and values alternate. */
  headers: string[];
  body: string;
}

/** The times of one batch of requests. */
export interface Volley {
  /** When the first request went out, by `performance.now()`. */
  startedAt: number;
  /** The time from the start to the last answer. */
  ms: number;
  /** The latency of each request, in milliseconds, in the order of the answers. */
  latencies: Float64Array;
}

/** The bench's open connections to one contender. They stay open between volleys. */
export interface Connections {
  /** Posts every request to `path`, one at a time on each connection. @throws Error for an answer other than 200 */
  post(path: string, requests: readonly PreparedRequest[], connections: number): Promise<Volley>;
  close(): Promise<void>;
}

/**
 * The bench replaces a connection that was idle for longer than this. A contender closes a connection after some idle
 * seconds, and could do so just as the bench sends a request.
 */
const idleMs = 2000;

/** Opens connections as they are needed, and replaces those that were idle too long. */
export function openConnections(url: string): Connections {
  const { host, hostname, port } = new URL(url);
  let opened: Connection[] = [];

  async function take(count: number): Promise<Connection[]> {
    const usable = opened.filter((connection) => connection.isFresh());
    for (const connection of opened) if (!usable.includes(connection)) connection.close();
    opened = usable;
    while (opened.length < count) opened.push(await openConnection(hostname, Number(port)));
    return opened.slice(0, count);
  }

  return {
    async post(path, requests, connections) {
      const texts = requests.map((request) => textOf(host, path, request));
      const taken = await take(connections);
      const latencies = new Float64Array(texts.length);
      const all = Promise.withResolvers<void>();
      let next = 0;
      let ended = 0;
      const work = (connection: Connection): void => {
        const text = texts[next++];
        if (text === undefined) return;
        const sentAt = performance.now();
        connection.ask(text, (answer) => {
          if (typeof answer !== 'string') return all.reject(answer);
          if (!answer.startsWith('HTTP/1.1 200 ')) return all.reject(new Error(`${path} answered ${answer}`));
          latencies[ended++] = performance.now() - sentAt;
          if (ended === texts.length) all.resolve();
          else work(connection);
        });
      };
      const startedAt = performance.now();
      for (const connection of taken) work(connection);
      await all.promise;
      return { startedAt, ms: performance.now() - startedAt, latencies };
    },
    async close() {
      for (const connection of opened) connection.close();
    },
  };
}

interface Connection {
  /** Sends a request, and passes the whole answer, or the error, to `onAnswer`. Only one request may be in flight. */
  ask(text: Buffer, onAnswer: (answer: string | Error) => void): void;
  /** Whether the connection is open and was used recently. */
  isFresh(): boolean;
  close(): void;
}

async function openConnection(host: string, port: number): Promise<Connection> {
  let received = '';
  let usedAt = performance.now();
  let waiting: ((answer: string | Error) => void) | undefined;
  const settle = (answer: string | Error): void => {
    const tell = waiting;
    waiting = undefined;
    received = '';
    usedAt = performance.now();
    tell?.(answer);
  };
  const socket: Socket = connect({
    host,
    port,
    noDelay: true,
    // Reads every answer into the same buffer, without a stream in between.
    onread: {
      buffer: Buffer.allocUnsafe(64 * 1024),
      callback(bytes, buffer) {
        received += Buffer.from(buffer.buffer, buffer.byteOffset, bytes).toString('latin1');
        if (isWhole(received)) settle(received);
        return true;
      },
    },
  });
  await once(socket, 'connect');
  socket.on('error', settle);
  socket.on('close', () => settle(new Error('the contender closed the connection')));
  return {
    ask(text, onAnswer) {
      waiting = onAnswer;
      socket.write(text);
    },
    isFresh: () => socket.writable && socket.readable && performance.now() - usedAt < idleMs,
    close: () => socket.destroy(),
  };
}

/**
 * Whether an answer is complete. An answer without a Content-Length was sent in chunks, and ends with an empty chunk.
 */
function isWhole(answer: string): boolean {
  const headEnd = answer.indexOf('\r\n\r\n');
  if (headEnd < 0) return false;
  const length = /\r\nContent-Length: (\d+)/i.exec(answer)?.[1];
  if (length === undefined) return answer.endsWith('\r\n0\r\n\r\n');
  return answer.length >= headEnd + 4 + Number(length);
}

function textOf(host: string, path: string, { headers, body }: PreparedRequest): Buffer {
  const lines = [`POST ${path} HTTP/1.1`, `Host: ${host}`, 'Connection: keep-alive'];
  for (let at = 0; at < headers.length; at += 2) lines.push(`${headers[at]}: ${headers[at + 1]}`);
  lines.push(`Content-Length: ${Buffer.byteLength(body)}`);
  return Buffer.from(`${lines.join('\r\n')}\r\n\r\n${body}`);
}
