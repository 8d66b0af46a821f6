import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { isIP, type Socket } from 'node:net';
import type { RefusalKind, Refusals } from './count-refusals.ts';

/**
 * Returns the client's address, as far as Foyer can trust it. Each trusted proxy appends the address of its caller to
 * X-Forwarded-For. The client itself may have written everything to the left of those entries.
 */
export function clientAddress(req: Pick<IncomingMessage, 'headers' | 'socket'>, trustProxy: number): string {
  // A request that came through `fetch` has no socket.
  const direct = req.socket?.remoteAddress ?? '';
  if (trustProxy === 0) return direct;
  const header = req.headers['x-forwarded-for'] ?? '';
  const forwarded = String(header)
    .split(',')
    .map((part) => part.trim())
    .filter(Boolean);
  const address = [...forwarded, direct].at(-1 - trustProxy) ?? forwarded[0] ?? direct;
  return isIP(address) === 0 ? direct : address;
}

/** Returns the key for the limits: an IPv4 address, or an IPv6 /64, because one customer controls a whole /64. */
export function networkOf(address: string): string {
  if (!address.includes(':') || address.startsWith('::ffff:')) return address.replace(/^::ffff:/, '');
  const [head = '', tail] = address.split('::', 2);
  const groups = head === '' ? [] : head.split(':');
  const rest = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros =
    tail === undefined ? [] : Array.from({ length: Math.max(0, 8 - groups.length - rest.length) }, () => '0');
  return [...groups, ...zeros, ...rest].slice(0, 4).join(':');
}

/**
 * Limits what strangers can keep open in Foyer's own server (invariant 10): connections in total and from each address,
 * pipelined requests, and unread answers.
 *
 * Why Foyer closes the oldest connection and not the newest: otherwise, a stranger could lock everyone else out with
 * idle connections, or with requests that never end. To make room, Foyer never closes a connection that has sent a
 * complete request and waits for its answer.
 */
export interface ConnectionBounds {
  /** The most connections in total; an idle connection costs about 10 kB. */
  mostConnections: number;
  /**
   * The most connections from one address or IPv6 /64. Not used behind a proxy, since all connections have its address.
   */
  mostPerAddress: number;
  /**
   * How many requests on one connection may wait for their answers at the same time. Node handles all requests in a
   * packet before the requests of other connections: when the limit was 32, a hundred connections could delay all
   * others by 5 s. A low limit does no harm, because browsers and proxies do not pipeline requests.
   */
  mostPipelined: number;
  /** The most bytes that one connection may leave unread. */
  mostUnreadBytes: number;
  /** The most bytes that all connections together may leave unread. */
  mostUnreadBytesInAll: number;
  /** If a connection leaves an answer unread and reads nothing for this long, Foyer closes the connection. */
  unreadForMs: number;
}

const defaultConnectionBounds: ConnectionBounds = {
  mostConnections: 1000,
  mostPerAddress: 250,
  mostPipelined: 4,
  mostUnreadBytes: 1024 * 1024,
  mostUnreadBytesInAll: 32 * 1024 * 1024,
  unreadForMs: 5000,
};

/** What Foyer needs to know about a connection to limit it. */
interface Connection {
  socket: Socket;
  network: string;
  /** All open connections. */
  all: { readonly size: number };
  /** The latest request, even if Foyer has answered it, because its body may still be arriving. */
  latest?: IncomingMessage;
  /** `answering`: the answers that are not complete. `hosts`: the answers that the host's own app is writing. */
  answering: Set<ServerResponse>;
  hosts: Set<ServerResponse>;
  /** The latest time at which the client was seen to read, or at which it had nothing to read. */
  readAt: number;
  leftUnread: number;
}

const lookEveryMs = 200;
/** How many bytes of headers Node parses in one go. */
const headerPieceBytes = 2048;
/**
 * If more connections than this are open, Node parses headers in smaller pieces. A piece of 2048 bytes can contain 78
 * requests, and Node makes objects for all of them, even if the fifth request closes the connection. With the smaller
 * pieces, a flood from 450 connections peaks at 280 MB instead of 390 MB.
 */
const manyConnections = 64;
const smallPieceBytes = 512;
/** How many bytes of a body Node parses in one go. Most of Slack's events are smaller. */
const bodyPieceBytes = 8192;
/** How long Node parses data from one connection before it turns to other connections. */
const sliceMs = 0.5;

/** Applies the limits to a server. */
export function boundConnections(
  server: Server,
  deps: { trustProxy: number; refusals: Pick<Refusals, 'add'>; bounds?: Partial<ConnectionBounds> },
) {
  const bounds = { ...defaultConnectionBounds, ...deps.bounds };
  const perAddress = deps.trustProxy > 0 ? bounds.mostConnections : bounds.mostPerAddress;
  /** The open connections, oldest first: all of them, and those of each address. */
  const connections = new Map<Socket, Connection>();
  const networks = new Map<string, Set<Connection>>();

  function cut(connection: Connection, kind: RefusalKind): void {
    forget(connection);
    deps.refusals.add(kind, connection.network);
    connection.socket.destroy();
  }

  function forget(connection: Connection): void {
    connections.delete(connection.socket);
    const beside = networks.get(connection.network);
    beside?.delete(connection);
    if (beside?.size === 0) networks.delete(connection.network);
  }

  /**
   * Closes the oldest connection that has no complete request to answer. If every other connection has a complete
   * request, closes `newest`.
   */
  function makeRoom(among: Iterable<Connection>, newest: Connection, kind: RefusalKind): void {
    let oldest = newest;
    for (const connection of among) {
      if (hasWholeRequest(connection)) continue;
      oldest = connection;
      break;
    }
    cut(oldest, kind);
  }

  server.on('connection', (socket) => {
    const network = networkOf(socket.remoteAddress ?? '');
    const connection: Connection = {
      socket,
      network,
      all: connections,
      answering: new Set(),
      hosts: new Set(),
      readAt: 0,
      leftUnread: 0,
    };
    connections.set(socket, connection);
    const beside = networks.get(network) ?? new Set();
    networks.set(network, beside.add(connection));
    socket.on('close', () => forget(connection));
    socket.on('readable', () => readOn(connection));
    if (beside.size > perAddress) makeRoom(beside, connection, 'too_many_from_one_address');
    else if (connections.size > bounds.mostConnections)
      makeRoom(connections.values(), connection, 'too_many_connections');
  });

  /** Closes connections that do not read their answers. */
  function cutUnread(): void {
    const now = performance.now();
    let inAll = 0;
    const unread: Connection[] = [];
    for (const connection of connections.values()) {
      const left = unreadBytes(connection);
      // If the number of unread bytes has fallen, the client is reading. Node lowers the number only when a whole write
      // is flushed. But pages are small, so the number falls even if the client reads slowly.
      if (left === 0 || left < connection.leftUnread || connection.readAt === 0) connection.readAt = now;
      connection.leftUnread = left;
      // The host's app may send anything, even to slow clients.
      if (left === 0 || connection.hosts.size > 0) continue;
      if (left > bounds.mostUnreadBytes || now - connection.readAt > bounds.unreadForMs) {
        cut(connection, 'answer_unread');
        continue;
      }
      inAll += left;
      unread.push(connection);
    }
    if (inAll <= bounds.mostUnreadBytesInAll) return;
    unread.sort((a, b) => b.leftUnread - a.leftUnread);
    for (const connection of unread) {
      if (inAll <= bounds.mostUnreadBytesInAll) return;
      inAll -= connection.leftUnread;
      cut(connection, 'answer_unread');
    }
  }
  const looking = setInterval(cutUnread, lookEveryMs).unref();
  server.on('close', () => clearInterval(looking));

  return {
    /**
     * Returns whether Foyer may answer the request. If the request exceeds a limit, closes its connection and returns
     * false.
     */
    admit(req: IncomingMessage, res: ServerResponse): boolean {
      const connection = connections.get(req.socket);
      // If an earlier request in the same packet closed the connection, this one gets no answer and costs no work.
      if (!connection || req.socket.destroyed) return false;
      if (connection.answering.size >= bounds.mostPipelined) {
        cut(connection, 'too_many_pipelined');
        return false;
      }
      if (connection.hosts.size === 0 && unreadBytes(connection) > bounds.mostUnreadBytes) {
        cut(connection, 'answer_unread');
        return false;
      }
      connection.latest = req;
      connection.answering.add(res);
      res.on('close', () => {
        connection.answering.delete(res);
        readOn(connection);
      });
      return true;
    },
    /** While the host's own app answers a request, the limits on bytes that the client has not read do not apply. */
    leaveToHost(req: IncomingMessage, res: ServerResponse): void {
      const hosts = connections.get(req.socket)?.hosts.add(res);
      res.on('close', () => hosts?.delete(res));
    },
  };
}

/**
 * Passes a connection's data to Node in small pieces, and passes each request only when the previous one is answered.
 *
 * Why: without this, Node reads 64 KiB or more from a connection and parses all of it before it does anything else,
 * even if the connection was closed. 64 KiB can be 2,400 small requests, or 11,000 chunks of a body. 450 such
 * connections made everyone wait for 15 s.
 */
function readOn(connection: Connection): void {
  const { socket } = connection;
  const until = performance.now() + sliceMs;
  while (!socket.destroyed) {
    const isInBody = connection.latest?.complete === false;
    const headerBytes = connection.all.size > manyConnections ? smallPieceBytes : headerPieceBytes;
    const length = Math.min(isInBody ? bodyPieceBytes : headerBytes, socket.readableLength);
    if (length > 0 && hasWholeRequest(connection)) return;
    // If nothing is left to read, this calls `read` without a length. `read` then asks for more data, or ends the
    // stream, so Foyer notices immediately when a client hangs up.
    if (socket.read(length > 0 ? length : undefined) === null) return;
    if (performance.now() > until) return void setImmediate(readOn, connection);
  }
}

function hasWholeRequest({ answering }: Connection): boolean {
  for (const res of answering) if (res.req.complete) return true;
  return false;
}

/**
 * Counts the bytes that the client has not read: the bytes that Node has written to the connection, and the answers that
 * Node has not written yet.
 */
function unreadBytes({ socket, answering }: Connection): number {
  let bytes = socket.writableLength;
  for (const res of answering) if (!res.socket) bytes += res.writableLength;
  return bytes;
}
