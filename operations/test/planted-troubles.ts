import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '../../packages/foyer/src/testing/free-port.ts';
import { createTroubles, type Planted } from './troubles.ts';

/**
 * This script tests the rules of `alerts.yml` with a real Prometheus (Debian: apt-get install prometheus) and about
 * twenty instances of Foyer. It gives each instance a problem, or a near miss, which only resembles a problem. It
 * prints which alerts fired and after how long. It exits with code 1 if an expected page (an urgent alert) does not
 * fire within five minutes, or if any other page fires. The script takes about eight minutes, so it is not part of the
 * test suite:
 *
 *   npx node --conditions=source operations/test/planted-troubles.ts
 *
 * One problem is a full disk. It needs a tmpfs, which only root can mount. Without root, the script skips this problem
 * and says so.
 */
const pageWithinMs = 5 * 60_000;
const watchMs = pageWithinMs + 60_000;

const folder = mkdtempSync(join(tmpdir(), 'foyer-planted-'));
const disk = join(folder, 'disk');
mkdirSync(disk);
const hasDisk = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=64m', 'tmpfs', disk]).status === 0;
const planted: readonly Planted[] = await createTroubles(hasDisk ? disk : undefined);
if (!hasDisk) console.log('left out: a full disk (no tmpfs could be mounted)');

const targets = join(folder, 'targets.json');
function writeTargets(gone: ReadonlySet<string>): void {
  const list = planted.flatMap(({ job, hosts }) =>
    gone.has(job) ? [] : [{ targets: hosts, labels: { job } }],
  );
  writeFileSync(targets, JSON.stringify(list));
}
writeTargets(new Set());
const rules = new URL('../alerts.yml', import.meta.url).pathname;
const config = join(folder, 'prometheus.yml');
writeFileSync(
  config,
  `global: { scrape_interval: 15s, evaluation_interval: 30s }
rule_files: [${rules}]
scrape_configs:
  - job_name: planted
    file_sd_configs: [{ files: [${targets}], refresh_interval: 5s }]
`,
);
const port = await freePort();
const address = `127.0.0.1:${port}`;
const prometheus = spawn(
  'prometheus',
  [
    `--config.file=${config}`,
    `--storage.tsdb.path=${join(folder, 'data')}`,
    `--web.listen-address=${address}`,
    '--log.level=error',
  ],
  { stdio: ['ignore', 'inherit', 'inherit'] },
);

interface Alert {
  labels: { alertname: string; job: string; severity: string };
  state: string;
}

async function firing(): Promise<Alert[]> {
  try {
    const answer = await fetch(`http://${address}/api/v1/alerts`);
    const { data } = (await answer.json()) as { data: { alerts: Alert[] } };
    return data.alerts.filter(({ state }) => state === 'firing');
  } catch {
    return [];
  }
}

const abort = new AbortController();
const seen = new Map<string, Map<string, { severity: string; afterMs: number }>>();
try {
  // Gives Prometheus time to scrape every counter while it is still zero.
  await sleep(45_000);
  const startedAt = performance.now();
  const log = (text: string): void =>
    console.log(`${String(Math.round((performance.now() - startedAt) / 1000)).padStart(4)} s  ${text}`);
  log(`planting ${planted.length} troubles and near misses`);
  for (const { job, plant } of planted) {
    const vanish = (): void => writeTargets(new Set([job]));
    void plant({ signal: abort.signal, vanish }).catch((error) => {
      if (!abort.signal.aborted) log(`${job}: could not be planted: ${error}`);
    });
  }
  while (performance.now() - startedAt < watchMs) {
    for (const { labels } of await firing()) {
      const ofJob = seen.get(labels.job) ?? new Map();
      seen.set(labels.job, ofJob);
      if (ofJob.has(labels.alertname)) continue;
      const afterMs = performance.now() - startedAt;
      ofJob.set(labels.alertname, { severity: labels.severity, afterMs });
      log(`${labels.severity.padEnd(6)}  ${labels.alertname.padEnd(24)} ${labels.job}`);
    }
    await sleep(2000);
  }
  let wrong = 0;
  console.log('\njob | planted | expected | fired');
  for (const { job, what, pages } of planted) {
    const fired = [...(seen.get(job) ?? [])];
    const paged = fired.filter(([, { severity }]) => severity === 'page').map(([name]) => name);
    const inTime = pages === undefined || (seen.get(job)?.get(pages)?.afterMs ?? Infinity) <= pageWithinMs;
    const isRight = inTime && paged.every((name) => name === pages);
    if (!isRight) wrong += 1;
    const told = fired.map(
      ([name, { severity, afterMs }]) => `${name} (${severity}, ${Math.round(afterMs / 1000)} s)`,
    );
    console.log(
      `${isRight ? 'ok   ' : 'WRONG'} ${job} | ${what} | ${pages ?? 'no page'} | ${told.join(', ') || '-'}`,
    );
  }
  console.log(wrong === 0 ? '\nEvery trouble paged, and no near miss did.' : `\n${wrong} are wrong.`);
  process.exitCode = wrong === 0 ? 0 : 1;
} finally {
  abort.abort();
  prometheus.kill('SIGTERM');
  await Promise.race([Promise.allSettled(planted.map(({ close }) => close())), sleep(15_000)]);
  if (hasDisk) spawnSync('umount', [disk]);
  rmSync(folder, { recursive: true, force: true });
  process.exit();
}
