import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, rm } from 'node:fs/promises';
import { createServer, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { openSqlite } from '../../packages/foyer/src/database/sqlite/open-sqlite.ts';
import { listenOnLoopback } from '../contenders/listen-on-loopback.ts';
import { foyerEnvironment } from '../foyer-environment.ts';
import type { Measurement, Row } from '../measurement.ts';
import { profileFlags } from '../profile-flags.ts';
import { figureOf, interleave, pairedRatio, type Sample, valuesOf } from '../slices.ts';
import { startFlags } from '../start-flags.ts';

/**
 * Measures the time from the start of the process until `/readyz` first answers 200. Foyer's database is already
 * migrated, as at every start except the first. Node writes its compile cache when a process exits cleanly, so the
 * first round fills the cache. That round does not count.
 */

const names = ['bare Bolt', 'bare Bolt, compile cache', 'Foyer, cold', 'Foyer, compile cache'] as const;
type Name = (typeof names)[number];
type Metric = 'readyMs';

const bareBolt = fileURLToPath(new URL('../contenders/bare-bolt.js', import.meta.url));
const foyer = fileURLToPath(new URL('../../src/main.ts', import.meta.url));

export const startUp: Measurement = {
  name: 'start-up',
  what: 'From process start to `/readyz`',
  async run(options) {
    const file = join(options.folder, 'start-up.db');
    await (await openSqlite(file)).close();
    const cacheOf = (name: string) => join(options.folder, `compiled-${name}`);
    const environment = foyerEnvironment({ database: `file:${file}` });
    const start = (name: Name, script: string, cache?: string) => async (): Promise<Sample<Metric>> => {
      if (cache) await mkdir(cache, { recursive: true });
      const flags = [
        ...(script === foyer ? ['--conditions=source', ...startFlags()] : []),
        ...profileFlags(options.profileOf(name)),
      ];
      const cached: Record<string, string> = cache ? { NODE_COMPILE_CACHE: cache } : {};
      return { readyMs: await msToReady([...flags, script], { ...environment, ...cached }) };
    };
    const samples = await interleave<Name, Metric>(options.slices, {
      'bare Bolt': start('bare Bolt', bareBolt),
      'bare Bolt, compile cache': start('bare Bolt, compile cache', bareBolt, cacheOf('bolt')),
      'Foyer, cold': start('Foyer, cold', foyer),
      'Foyer, compile cache': start('Foyer, compile cache', foyer, cacheOf('foyer')),
    });
    await rm(file, { force: true });
    const reached = pairedRatio(
      valuesOf(samples['Foyer, compile cache'], 'readyMs'),
      valuesOf(samples['bare Bolt'], 'readyMs'),
    ).median;
    return {
      rows: names.map((name) => rowOf(name, samples)),
      marks: [
        {
          what: 'start-up time with the compile cache: Foyer ÷ a bare Bolt app',
          asked: 1.1,
          reached,
          better: 'less',
        },
      ],
      notes: [
        'The bare Bolt app is plain JavaScript; Foyer is TypeScript whose types Node strips at each cold start.',
      ],
    };
  },
};

function rowOf(name: Name, samples: Record<Name, Sample<Metric>[]>): Row {
  const values = valuesOf(samples[name], 'readyMs');
  return {
    situation: 'start to /readyz',
    contender: name,
    unit: 'ms',
    figure: figureOf(values),
    ratios:
      name === 'bare Bolt'
        ? []
        : [{ to: 'bare Bolt', ...pairedRatio(values, valuesOf(samples['bare Bolt'], 'readyMs')) }],
    beside: {},
  };
}

async function msToReady(args: string[], env: Record<string, string>): Promise<number> {
  const port = await freePort();
  const { PATH, HOME } = process.env;
  const startedAt = performance.now();
  const child = spawn(process.execPath, args, {
    env: { PATH, HOME, ...env, PORT: String(port) },
    // The process does not start in the checkout, because Foyer would read the developer's .env there.
    cwd: tmpdir(),
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const exited = once(child, 'exit');
  while (!(await isReady(port))) {
    if (child.exitCode !== null) throw new Error(`${args.at(-1)} exited with ${child.exitCode}`);
    await sleep(2);
  }
  const ms = performance.now() - startedAt;
  await end(child, exited);
  return ms;
}

async function end(child: ChildProcess, exited: Promise<unknown>): Promise<void> {
  child.kill('SIGTERM');
  await exited;
}

function isReady(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const asked = request({ port, host: '127.0.0.1', path: '/readyz', agent: false }, (res) => {
      res.resume();
      resolve(res.statusCode === 200);
    });
    asked.on('error', () => resolve(false));
    asked.end();
  });
}

async function freePort(): Promise<number> {
  const server = createServer();
  const port = await listenOnLoopback(server);
  server.close();
  await once(server, 'close');
  return port;
}
