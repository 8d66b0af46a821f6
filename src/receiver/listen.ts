import { once } from 'node:events';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Config } from '../config.ts';

/** Makes a server listen; resolves to where. @throws the system's error, such as EADDRINUSE */
export async function listen(
  server: Server,
  http: Pick<Config['http'], 'port' | 'host'>,
): Promise<AddressInfo> {
  server.listen(http.port, http.host);
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the server listens on no port');
  return address;
}

/** Takes no new connection, lets the requests under way end, and cuts off what is left after `drainMs`. */
export async function closeServer(server: Server, drainMs: number): Promise<void> {
  const closed = once(server, 'close');
  server.close();
  server.closeIdleConnections();
  const cut = setTimeout(() => server.closeAllConnections(), drainMs);
  await closed;
  clearTimeout(cut);
}
