import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { quantileSorted } from 'simple-statistics';
import { openSqlite } from '../../packages/foyer/src/database/sqlite/open-sqlite.ts';
import { foyerEnvironment } from '../foyer-environment.ts';
import { type Connections, openConnections } from '../load/send-requests.ts';
import { app, messageEvent } from '../load/signed-events.ts';
import { createTeamPicker, type TeamPicker } from '../load/team-picker.ts';
import type { Findings, Mark, Measurement, Row, RunOptions } from '../measurement.ts';
import { benchKeyring } from '../seed/bench-keyring.ts';
import { seedPythonStyle } from '../seed/seed-python-style.ts';
import { seedTeams } from '../seed/seed-teams.ts';
import { figureOf, interleave, pairedRatio, type Sample, valuesOf } from '../slices.ts';
import { type Contender, startContender } from '../start-contender.ts';

/**
 * Every contender acknowledges each event. All but `floor` also authorize it and call one listener; `floor` only
 * verifies its signature and parses it. A slice ends when the last event has been handled, so no contender gains by
 * answering first and working later.
 */

const names = ['floor', 'stock Bolt', 'Bolt on SQLite', 'Foyer'] as const;
type Name = (typeof names)[number];
type Metric = 'rate' | 'alone' | 'p50' | 'p99' | 'p99At32' | 'cpuUs' | 'loadBusy';

/** How the events of a slice are spread over the teams. */
const situations = {
  warm: 'warm: 200 busy teams',
  mixed: 'Zipf over all teams',
  cold: 'each event from a different team',
} as const;
type Situation = keyof typeof situations;

/** Sends signed events over 32 connections, then over one connection. Measures the rate and the latency. */
export const events: Measurement = {
  name: 'events',
  what: 'Signed events a second, over a store of 100,000 teams',
  async run(options) {
    const teams = options.quick ? 2000 : 100_000;
    options.say(`seeding ${teams} teams`);
    const seeds = await seed(options.folder, teams);
    const rows: Row[] = [];
    const ratios: Record<string, number> = {};
    let loadBusy = 0;
    for (const situation of ['warm', 'mixed', 'cold'] as const) {
      options.say(situations[situation]);
      const samples = await compare(situation, teams, seeds, options);
      rows.push(...rowsOf(situation, samples));
      const ratio = (to: Name) =>
        pairedRatio(valuesOf(samples.Foyer, 'rate'), valuesOf(samples[to], 'rate')).median;
      ratios[`${situation} stock`] = ratio('stock Bolt');
      ratios[`${situation} floor`] = ratio('floor');
      loadBusy = Math.max(loadBusy, figureOf(valuesOf(samples.floor, 'loadBusy')).median);
    }
    await Promise.all(seeds.files.map((file) => rm(file, { force: true })));
    return { rows, marks: marksOf(ratios), notes: [noteOn(loadBusy)] } satisfies Findings;
  },
};

interface Seeds {
  foyer: string;
  pythonStyle: string;
  teams: number;
  files: string[];
}

async function seed(folder: string, teams: number): Promise<Seeds> {
  const foyer = join(folder, 'events.db');
  const pythonStyle = join(folder, 'events-python-style.db');
  const database = await openSqlite(foyer);
  await seedTeams(database, benchKeyring, { first: 0, count: teams });
  await database.close();
  seedPythonStyle(pythonStyle, teams);
  return { foyer, pythonStyle, teams, files: [foyer, pythonStyle] };
}

async function compare(situation: Situation, teams: number, seeds: Seeds, options: RunOptions) {
  const contenders = await startAll(situation, seeds, options);
  // In `cold`, each team sends only one event. So no two rounds may use the same team.
  const perRound = situation === 'cold' ? Math.floor(teams / (options.slices + 1)) : Number.POSITIVE_INFINITY;
  const many = options.quick ? 200 : Math.min(8000, Math.floor(perRound * 0.85));
  const few = options.quick ? 50 : Math.min(1500, Math.floor(perRound * 0.15));
  const picker = createTeamPicker(situation, teams);
  const rounds = roundsOf(picker, many + few);
  const turn = (name: Name) => async (slice: number) => {
    const { contender, connections } = contenders[name];
    const numbers = rounds(slice);
    const crowd = await volley(contender, connections, numbers.slice(0, many), 32);
    const alone = await volley(contender, connections, numbers.slice(many), 1);
    return sampleOf(crowd, alone);
  };
  try {
    return await interleave<Name, Metric>(options.slices, {
      floor: turn('floor'),
      'stock Bolt': turn('stock Bolt'),
      'Bolt on SQLite': turn('Bolt on SQLite'),
      Foyer: turn('Foyer'),
    });
  } finally {
    for (const { contender, connections } of Object.values(contenders)) {
      await connections.close();
      await contender.stop();
    }
  }
}

/** Gives every contender the same teams in the same round. */
function roundsOf(picker: TeamPicker, perRound: number): (slice: number) => number[] {
  const rounds = new Map<number, number[]>();
  return (slice) => {
    const known = rounds.get(slice);
    if (known) return known;
    rounds.clear();
    const numbers = Array.from({ length: perRound }, picker);
    rounds.set(slice, numbers);
    return numbers;
  };
}

interface Started {
  contender: Contender;
  connections: Connections;
}

async function startAll(
  situation: Situation,
  seeds: Seeds,
  options: RunOptions,
): Promise<Record<Name, Started>> {
  const start = async (name: Name, file: string, env: Record<string, string>): Promise<Started> => {
    const contender = await startContender(file, { env, profile: options.profileOf(name, situation) });
    return { contender, connections: openConnections(contender.url) };
  };
  const plain = { SLACK_SIGNING_SECRET: app.signingSecret, SLACK_API_URL: 'http://127.0.0.1:9/api/' };
  return {
    floor: await start('floor', 'floor.ts', plain),
    'stock Bolt': await start('stock Bolt', 'stock-bolt.ts', { ...plain, TEAMS: String(seeds.teams) }),
    'Bolt on SQLite': await start('Bolt on SQLite', 'bolt-sqlite.ts', {
      ...plain,
      PYTHON_STYLE_FILE: seeds.pythonStyle,
    }),
    Foyer: await start('Foyer', 'foyer.ts', foyerEnvironment({ database: `file:${seeds.foyer}` })),
  };
}

interface Shot {
  count: number;
  ms: number;
  latencies: Float64Array;
  cpuMs: number;
  loadCpuMs: number;
}

async function volley(
  contender: Contender,
  connections: Connections,
  numbers: readonly number[],
  atOnce: number,
): Promise<Shot> {
  // Signs the events before the clock starts, because signing is not the contender's work.
  const requests = numbers.map(messageEvent);
  const before = await contender.usage();
  const ownBefore = process.cpuUsage();
  const settled = contender.ask('settled', requests.length);
  const { startedAt, latencies } = await connections.post('/slack/events', requests, atOnce);
  await settled;
  const ms = performance.now() - startedAt;
  const own = process.cpuUsage(ownBefore);
  const after = await contender.usage();
  return {
    count: requests.length,
    ms,
    latencies: latencies.sort(),
    cpuMs: after.cpuMs - before.cpuMs,
    loadCpuMs: (own.user + own.system) / 1000,
  };
}

function sampleOf(crowd: Shot, alone: Shot): Sample<Metric> {
  const at = (shot: Shot, quantile: number) => quantileSorted(Array.from(shot.latencies), quantile);
  return {
    rate: (crowd.count / crowd.ms) * 1000,
    alone: (alone.count / alone.ms) * 1000,
    p50: at(alone, 0.5),
    p99: at(alone, 0.99),
    p99At32: at(crowd, 0.99),
    cpuUs: (crowd.cpuMs / crowd.count) * 1000,
    loadBusy: crowd.loadCpuMs / crowd.ms,
  };
}

function rowsOf(situation: Situation, samples: Record<Name, Sample<Metric>[]>): Row[] {
  const row = (name: Name, metric: 'rate' | 'alone', connections: string): Row => {
    const values = valuesOf(samples[name], metric);
    const middle = (other: Metric) => figureOf(valuesOf(samples[name], other)).median;
    const to = (other: Name) => ({
      to: other,
      ...pairedRatio(values, valuesOf(samples[other], metric)),
    });
    return {
      situation: `${situations[situation]}, ${connections}`,
      contender: name,
      unit: 'events/s',
      figure: figureOf(values),
      ratios: (['stock Bolt', 'floor'] as const).filter((other) => other !== name).map(to),
      beside:
        metric === 'rate'
          ? { 'CPU µs an event': middle('cpuUs'), 'p99 ms': middle('p99At32') }
          : { 'p50 ms': middle('p50'), 'p99 ms': middle('p99') },
    };
  };
  return [
    ...names.map((name) => row(name, 'rate', '32 connections')),
    ...names.map((name) => row(name, 'alone', '1 connection')),
  ];
}

function marksOf(ratios: Record<string, number>): Mark[] {
  const mark = (what: string, asked: number, key: string): Mark => ({
    what,
    asked,
    reached: ratios[key] ?? Number.NaN,
    better: 'more',
  });
  return [
    mark('signed events a second, warm: Foyer ÷ stock Bolt', 2.5, 'warm stock'),
    mark('signed events a second, warm: Foyer ÷ floor', 0.6, 'warm floor'),
    mark('signed events a second, each from a different team: Foyer ÷ stock Bolt', 1.4, 'cold stock'),
  ];
}

function noteOn(loadBusy: number): string {
  const percent = Math.round(loadBusy * 100);
  return (
    `While it sent events to \`floor\`, the fastest contender, the load generator used ${percent} % of one core. So ` +
    (loadBusy < 0.9 ? 'the contenders are the bottleneck.' : '`floor` may be faster than measured.')
  );
}
