import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/**
 * A network between Foyer and Postgres that can fail: it refuses connections, swallows bytes, or cuts a connection
 * right before or after a commit. The proxy parses as much of the protocol as it needs:
 * https://www.postgresql.org/docs/current/protocol-message-formats.html
 */
export interface PostgresProxy {
  /** The server's URL, but with the host and port of the proxy. */
  url(database?: string): string;
  /**
   * Calls `watch` twice for each COMMIT: `watch('asked')` before the server gets the COMMIT, and `watch('done')` before
   * the client gets the answer. If `watch` returns 'cut', both ends lose the connection immediately. Returns a function
   * that stops watching.
   */
  onCommit(watch: (moment: 'asked' | 'done') => 'cut' | undefined): () => void;
  /** Cuts every connection. */
  cut(): void;
  /** Accepts connections and bytes, but forwards nothing until `pass` is called. `pass` then cuts every connection. */
  swallow(): void;
  /** Closes each new connection, until `pass`. */
  refuse(): void;
  pass(): void;
  /** The number of connections made so far. */
  connections(): number;
  close(): Promise<void>;
}

/** Starts a proxy in front of the server in `target`. */
export async function startPostgresProxy(target: string): Promise<PostgresProxy> {
  const upstream = new URL(target);
  const sockets = new Set<Socket>();
  const watchers = new Set<(moment: 'asked' | 'done') => 'cut' | undefined>();
  let mode: 'pass' | 'swallow' | 'refuse' = 'pass';
  let made = 0;

  const server = createServer((client) => {
    made += 1;
    if (mode === 'refuse') return void client.destroy();
    const backend = connect(Number(upstream.port), upstream.hostname);
    const end = (): void => {
      for (const socket of [client, backend]) {
        sockets.delete(socket);
        socket.destroy();
      }
    };
    for (const socket of [client, backend]) {
      sockets.add(socket);
      socket.setNoDelay(true).on('error', end).on('close', end);
    }
    const relay = (from: Socket, to: Socket, hasStartup: boolean, isCommit: (message: Buffer) => boolean) => {
      const moment = hasStartup ? 'asked' : 'done';
      const split = messages(hasStartup);
      from.on('data', (chunk: Buffer) => {
        for (const message of split(chunk)) {
          if (mode === 'swallow') continue;
          const cuts = isCommit(message) && [...watchers].some((watch) => watch(moment) === 'cut');
          if (cuts) return end();
          to.write(message);
        }
      });
    };
    relay(client, backend, true, (message) => message[0] === 0x51 && /^commit\0/i.test(text(message)));
    relay(backend, client, false, (message) => message[0] === 0x43 && text(message) === 'COMMIT\0');
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const cut = (): void => {
    for (const socket of [...sockets]) socket.destroy();
  };

  return {
    url: (database) =>
      Object.assign(new URL(target), {
        host: `127.0.0.1:${port}`,
        ...(database && { pathname: `/${database}` }),
      }).href,
    onCommit(watch) {
      watchers.add(watch);
      return () => void watchers.delete(watch);
    },
    cut,
    swallow() {
      mode = 'swallow';
    },
    refuse() {
      mode = 'refuse';
    },
    pass() {
      if (mode === 'swallow') cut();
      mode = 'pass';
    },
    connections: () => made,
    async close() {
      cut();
      server.close();
      await once(server, 'close');
    },
  };
}

const text = (message: Buffer): string => message.subarray(5).toString('latin1');

/**
 * Splits a stream into whole messages. A message is a letter, a length and a body. The first message from a client has
 * no letter.
 */
function messages(hasStartup: boolean): (chunk: Buffer) => Buffer[] {
  let held = Buffer.alloc(0);
  let isStartup = hasStartup;
  return (chunk) => {
    held = Buffer.concat([held, chunk]);
    const whole: Buffer[] = [];
    for (;;) {
      const at = isStartup ? 0 : 1;
      if (held.length < at + 4) return whole;
      const length = at + held.readUInt32BE(at);
      if (held.length < length) return whole;
      whole.push(held.subarray(0, length));
      held = held.subarray(length);
      isStartup = false;
    }
  };
}
