import { once } from 'node:events';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Config } from '../config.ts';

/** A server that listens. */
export interface Listening {
  /** Where, on this machine. */
  address: AddressInfo;
  /**
   * Takes no new connection, lets the requests under way end, and cuts off what is left after `drainMs`. A connection
   * without a request holds up nothing: browsers open some that they never use.
   */
  close(drainMs: number): Promise<void>;
}

/** Makes a server listen. @throws the system's error, such as EADDRINUSE */
export async function listen(
  server: Server,
  http: Pick<Config['http'], 'port' | 'host'>,
): Promise<Listening> {
  let underWay = 0;
  let closing = false;
  server.on('request', (_req, res) => {
    underWay += 1;
    res.on('close', () => {
      underWay -= 1;
      if (closing && underWay === 0) server.closeAllConnections();
    });
  });
  server.listen(http.port, http.host);
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the server listens on no port');
  return {
    address,
    async close(drainMs) {
      const closed = once(server, 'close');
      closing = true;
      server.close();
      if (underWay === 0) server.closeAllConnections();
      else server.closeIdleConnections();
      const cut = setTimeout(() => server.closeAllConnections(), drainMs);
      await closed;
      clearTimeout(cut);
    },
  };
}
