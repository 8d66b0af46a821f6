import { once } from 'node:events';
import { createServer } from 'node:net';

/**
 * Ports that the system gives to nobody by itself: those of outgoing connections begin at 32,768 (Linux) or above, and
 * those that browsers and `fetch` refuse end at 10,080. A port from among the outgoing ones may be gone again before
 * its server listens, or while a server that was killed is started anew.
 */
const first = 11_000;
const many = 21_000;

/** Processes that test beside each other begin at different places. */
let next = (process.pid * 97) % many;

/** A port of 127.0.0.1 on which nobody listens, and which stays free for whoever asked. */
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
