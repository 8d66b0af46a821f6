import { once } from 'node:events';
import { createServer } from 'node:net';

/**
 * Ports that the system never assigns automatically: the ports of outgoing connections begin at 32,768 (Linux) or
 * above, and those that browsers and `fetch` refuse end at 10,080. Why not the outgoing range: an outgoing connection
 * may take the port before the server listens, or while a killed server restarts.
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
