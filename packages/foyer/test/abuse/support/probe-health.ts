import { request } from 'node:http';
import { parentPort, workerData } from 'node:worker_threads';

/**
 * Asks for /healthz again and again on connections of its own, in a thread of its own: an attacker who is busy must not
 * make the answers look late. Ends at the first message, and reports the slowest answer in milliseconds.
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
