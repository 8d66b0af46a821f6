import { request } from 'node:http';
import { parentPort, workerData } from 'node:worker_threads';

/**
 * Requests /healthz in a loop from a separate thread, on its own connections, so that a busy attacker does not make the
 * answers look late. When this thread receives a message from the main thread, it stops and reports the time of the
 * slowest answer, in milliseconds.
 */
const { host, url } = workerData as { host: string; url: string };
let slowestMs = 0;
let isOver = false;
parentPort?.once('message', () => {
  isOver = true;
});

const ask = (): Promise<number | undefined> =>
  new Promise((resolve, reject) => {
    request(url, { agent: false, headers: { host } }, (res) => {
      res.resume().on('end', () => resolve(res.statusCode));
    })
      .on('error', reject)
      .end();
  });

while (!isOver) {
  const startedAt = performance.now();
  const status = await ask();
  if (status !== 200) throw new Error(`/healthz answered ${status}`);
  slowestMs = Math.max(slowestMs, performance.now() - startedAt);
  await new Promise((next) => setTimeout(next, 20));
}
parentPort?.postMessage(slowestMs);
