import { once } from 'node:events';
import { createServer } from 'node:net';

/**
 * Ports 11,000 to 31,999: above the ports that browsers and `fetch` refuse (up to 10,080), and below the ports of
 * outgoing connections (from 32,768 on Linux, higher elsewhere). Why not the latter: an outgoing connection may occupy
 * the port before the server listens, or while a killed server restarts.
 */
const first = 11_000;
const many = 21_000;

/** Test processes that run at the same time usually begin at different ports. */
let next = (process.pid * 97) % many;

/** Returns a free port of 127.0.0.1, a different one at each call. */
export async function freePort(): Promise<number> {
  for (let tried = 0; tried < many; tried += 1) {
    const port = first + next;
    next = (next + 1) % many;
    if (await isFree(port)) return port;
  }
  throw new Error(`no port between ${first} and ${first + many} is free`);
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer().listen(port, '127.0.0.1');
  try {
    await once(server, 'listening');
  } catch {
    return false;
  }
  await new Promise((closed) => server.close(closed));
  return true;
}
