import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseSetCookie } from 'cookie';
import { parseConfig } from '../packages/foyer/src/config/config.ts';
import { createLogger } from '../packages/foyer/src/config/log.ts';
import { openDatabase } from '../packages/foyer/src/database/open-database.ts';
import { startFoyer } from '../packages/foyer/src/serve.ts';
import { fixtureManifest } from '../packages/foyer/test/support/fixture-manifest.ts';
import { seedInstallations } from './seed-installations.ts';
import { startPostgres } from './start-postgres.ts';

/**
 * `npm run bench:operator`: how long the operator's pages take with 100,000 installations (COUNT sets another number)
 * on SQLite, or with ENGINE=postgres on its own Postgres. The landing page of the same process, which needs no
 * database, is the yardstick: quote the ratio within one run.
 */

const count = Number(process.env.COUNT ?? 100_000);
const rounds = 21;
const password = 'a password for the bench';

const folder = await mkdtemp(join(tmpdir(), 'foyer-bench-'));
const file = join(folder, 'foyer.db');
const secrets = {
  SLACK_CLIENT_ID: '1.2',
  SLACK_CLIENT_SECRET: 'client-secret',
  SLACK_SIGNING_SECRET: 'signing-secret',
};
const postgres = process.env.ENGINE === 'postgres' ? await startPostgres() : undefined;
const environment = {
  ...secrets,
  DATABASE_URL: postgres ? await postgres.createDatabase('bench') : `file:${file}`,
  TOKEN_ENCRYPTION_KEYS: `bench:${randomBytes(32).toString('base64')}`,
  OPERATOR_PASSWORD: password,
  PORT: '0',
  HOST: '127.0.0.1',
};
const config = parseConfig(environment, fixtureManifest);

const database = await openDatabase(config.database);
await seedInstallations(database, { clientId: config.slack.clientId, count, now: Date.now() });
await database.close();
await postgres?.vacuum('bench');

const foyer = await startFoyer(config, createLogger({ logLevel: 'silent', secrets: [] }));
const url = `http://127.0.0.1:${foyer.address.port}`;

async function logIn(): Promise<string> {
  const answer = await fetch(`${url}/operator/login`, {
    method: 'POST',
    redirect: 'manual',
    headers: { 'content-type': 'application/x-www-form-urlencoded', 'sec-fetch-site': 'same-origin' },
    body: new URLSearchParams({ password }),
  });
  const { name, value } = parseSetCookie(answer.headers.getSetCookie()[0] ?? '');
  if (!value) throw new Error(`the login answered ${answer.status} without a session`);
  return `${name}=${value}`;
}

const cookie = await logIn();

async function msOf(path: string): Promise<number> {
  const startedAt = performance.now();
  const answer = await fetch(url + path, { headers: { cookie } });
  await answer.text();
  if (answer.status !== 200) throw new Error(`${path} answered ${answer.status}`);
  return performance.now() - startedAt;
}

/** The address of the next page, from the list's own link. */
async function nextPage(path: string): Promise<string> {
  const text = await (await fetch(url + path, { headers: { cookie } })).text();
  const [, next] = /href="([^"]+)"[^>]*rel="next"|rel="next"[^>]*href="([^"]+)"/.exec(text) ?? [];
  return next?.replaceAll('&amp;', '&') ?? path;
}

const middle = `T${String(Math.floor(count / 2)).padStart(9, '0')}`;
const pages: Record<string, string> = {
  'landing page (the yardstick)': '/',
  overview: '/operator',
  'installations, first page': '/operator/installations',
  'installations, next page': await nextPage('/operator/installations'),
  'installations, failed runs': '/operator/installations?run=failed',
  'installations, by a name’s part': '/operator/installations?q=Globex',
  'installations, by a team’s id': `/operator/installations?q=${middle}`,
  'one installation': `/operator/installations/ins_${String(Math.floor(count / 2)).padStart(9, '0')}`,
  'install requests': '/operator/requests',
  metrics: '/metrics',
};

// Interleaved, so that a slow moment of the machine affects all of them equally.
const times = new Map(Object.keys(pages).map((name) => [name, [] as number[]]));
for (let round = 0; round <= rounds; round += 1) {
  for (const [name, path] of Object.entries(pages)) {
    const ms = await msOf(path);
    if (round > 0) times.get(name)?.push(ms);
  }
}

const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0;
const yardstick = median(times.get('landing page (the yardstick)') ?? []);
console.log(
  `${count} installations on ${postgres ? 'Postgres' : 'SQLite'}, ${rounds} rounds, Node ${process.version}, ${availableParallelism()} cores\n`,
);
console.log('| page | median ms | slowest ms | × landing page |\n| --- | --- | --- | --- |');
for (const [name, values] of times) {
  const cells = [median(values), Math.max(...values), median(values) / yardstick].map((value) =>
    value.toFixed(1),
  );
  console.log(`| ${name} | ${cells.join(' | ')} |`);
}

await foyer.stop();
await postgres?.close();
await rm(folder, { recursive: true });
