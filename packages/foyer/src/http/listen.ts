import { once } from 'node:events';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Config } from '../config/config.ts';
import { ConfigError, type ConfigProblem } from '../config/config-error.ts';

/** A server that listens. */
export interface Listening {
  /** The address and port on this machine. */
  address: AddressInfo;
  /**
   * Accepts no new connection, waits for the requests in progress, and closes what is left after `drainMs`. It does not
   * wait for a connection without a request: browsers open some that they never use.
   */
  close(drainMs: number): Promise<void>;
}

/** Makes a server listen. @throws ConfigError if it cannot listen on PORT or HOST */
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
  try {
    await once(server, 'listening');
  } catch (error) {
    const fault = faultOf((error as NodeJS.ErrnoException).code ?? '', http);
    throw fault ? new ConfigError([fault], { cause: error }) : error;
  }
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

/** Returns what is wrong with PORT or HOST, if that is why the server cannot listen. */
function faultOf(
  code: string,
  { port, host }: Pick<Config['http'], 'port' | 'host'>,
): ConfigProblem | undefined {
  if (code === 'EADDRINUSE') {
    const problem = `${port} is taken: another process listens on it`;
    return { name: 'PORT', problem, fix: 'stop that process, or use another port' };
  }
  if (code === 'EACCES') {
    const fix = 'use a port from 1024 up, with a proxy in front, or allow this user to listen on low ports';
    return { name: 'PORT', problem: `${port} may not be used by this user`, fix };
  }
  if (!/^(EADDRNOTAVAIL|ENOTFOUND|EAI_\w+|EINVAL)$/.test(code)) return undefined;
  const fix =
    'use one of its addresses, 0.0.0.0 for all of them, or leave it out for 127.0.0.1, which only this machine can reach';
  return { name: 'HOST', problem: `${host} is not an address of this machine (${code})`, fix };
}
