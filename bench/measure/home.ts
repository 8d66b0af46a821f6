import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { median } from 'simple-statistics';
import { openSqlite } from '../../packages/foyer/src/database/sqlite/open-sqlite.ts';
import { foyerEnvironment } from '../foyer-environment.ts';
import { type Connections, openConnections } from '../load/send-requests.ts';
import { app, homeOpenedEvent, installerIdOf } from '../load/signed-events.ts';
import type { Measurement, Row, RunOptions } from '../measurement.ts';
import { benchKeyring } from '../seed/bench-keyring.ts';
import { renameTeams } from '../seed/rename-teams.ts';
import { seedTeams } from '../seed/seed-teams.ts';
import { figureOf, interleave, pairedRatio, type Sample, valuesOf } from '../slices.ts';
import { type Contender, startContender } from '../start-contender.ts';

/**
 * In a slice, the installer of each team opens App Home three times:
 * - changed: the team's name has changed in the database, so Slack shows an old view.
 * - unchanged: the view is unchanged. In the meantime, Foyer has written to the database which views it published.
 * - quiet: the view is unchanged, and Foyer has written nothing in the meantime.
 *
 * Stock Bolt publishes the view every time, because it does not record what it published. After that, all names change
 * again, and some of the installers open App Home once more, one at a time, to measure the delay.
 */

const names = ['stock Bolt', 'Foyer'] as const;
type Name = (typeof names)[number];
type Metric = 'changed' | 'unchanged' | 'quiet' | 'changedCpu' | 'unchangedCpu' | 'quietCpu' | 'toPublish';

export const home: Measurement = {
  name: 'home',
  what: 'App Home, from the event to `views.publish`',
  async run(options) {
    const teams = options.quick ? 40 : 500;
    const file = join(options.folder, 'home.db');
    const database = await openSqlite(file);
    await seedTeams(database, benchKeyring, { first: 0, count: teams, runs: 'succeeded' });
    await database.close();
    const slack = await startContender('null-slack.ts');
    const stage: Stage = { slack, file, teams };
    const turns = {
      'stock Bolt': await open('stock Bolt', stage, options),
      Foyer: await open('Foyer', stage, options),
    };
    const samples = await interleave<Name, Metric>(options.slices, {
      'stock Bolt': (slice) => openHomes(turns['stock Bolt'], stage, slice),
      Foyer: (slice) => openHomes(turns.Foyer, stage, slice),
    });
    for (const { contender, connections } of Object.values(turns)) {
      await connections.close();
      await contender.stop();
    }
    await slack.stop();
    await rm(file, { force: true });
    const ratio = (metric: Metric) =>
      pairedRatio(valuesOf(samples.Foyer, metric), valuesOf(samples['stock Bolt'], metric)).median;
    return {
      rows: rowsOf(samples),
      marks: [
        {
          what: 'Home views a second, view changed: Foyer ÷ stock Bolt',
          asked: 3,
          reached: ratio('changed'),
          better: 'more',
        },
        {
          what: 'Home events a second, view unchanged: Foyer ÷ stock Bolt',
          asked: 10,
          reached: ratio('unchanged'),
          better: 'more',
        },
      ],
      notes: [],
    };
  },
};

interface Stage {
  slack: Contender;
  file: string;
  teams: number;
}
interface Turn {
  contender: Contender;
  connections: Connections;
}

async function open(name: Name, { slack, file, teams }: Stage, options: RunOptions): Promise<Turn> {
  const profile = options.profileOf(name);
  const env = {
    ...foyerEnvironment({ database: `file:${file}`, slackUrl: slack.url }),
    SLACK_SIGNING_SECRET: app.signingSecret,
    TEAMS: String(teams),
  };
  const contender = await startContender(name === 'Foyer' ? 'foyer.ts' : 'stock-bolt.ts', {
    env,
    profile,
  });
  return { contender, connections: openConnections(contender.url) };
}

const connectionCount = 32;
/**
 * The maximum number of events in flight. Both contenders answer Slack before they publish, so additional events would
 * only wait in the contender's queue.
 */
const window = 125;

async function openHomes(turn: Turn, stage: Stage, slice: number): Promise<Sample<Metric>> {
  renameTeams(stage.file, slice);
  const changed = await openAll(turn, stage);
  const unchanged = await openAll(turn, stage);
  const quiet = await openAll(turn, stage);
  renameTeams(stage.file, slice + 0.5);
  return {
    changed: changed.rate,
    unchanged: unchanged.rate,
    quiet: quiet.rate,
    changedCpu: changed.cpuUs,
    unchangedCpu: unchanged.cpuUs,
    quietCpu: quiet.cpuUs,
    toPublish: await msToPublish(turn, stage),
  };
}

async function openAll({ contender, connections }: Turn, { slack, teams }: Stage) {
  const requests = Array.from({ length: teams }, (_, number) => homeOpenedEvent(number));
  const before = await contender.usage();
  const startedAt = performance.now();
  for (let from = 0; from < teams; from += window) {
    const some = requests.slice(from, from + window);
    const settled = contender.ask('settled', some.length);
    await connections.post('/slack/events', some, connectionCount);
    await settled;
  }
  const ms = performance.now() - startedAt;
  await slack.ask('quiet');
  const after = await contender.usage();
  return { rate: (teams / ms) * 1000, cpuUs: ((after.cpuMs - before.cpuMs) / teams) * 1000 };
}

/** The median time from sending an event until its view arrives at Slack, with nothing else in flight. */
async function msToPublish({ contender, connections }: Turn, { slack, teams }: Stage): Promise<number> {
  const waits: number[] = [];
  for (let number = 0; number < Math.min(teams, 60); number += 1) {
    const request = homeOpenedEvent(number);
    const settled = contender.ask('settled', 1);
    const sentAt = process.hrtime.bigint();
    await connections.post('/slack/events', [request], 1);
    await settled;
    const [arrivedAt = '0'] = await slack.ask<string[]>('published', [installerIdOf(number)]);
    if (arrivedAt === '0') throw new Error(`no view was published for team ${number}`);
    waits.push(Number(BigInt(arrivedAt) - sentAt) / 1e6);
  }
  return median(waits);
}

function rowsOf(samples: Record<Name, Sample<Metric>[]>): Row[] {
  const row = (name: Name, metric: Metric, situation: string, unit: string, cpu?: Metric): Row => {
    const values = valuesOf(samples[name], metric);
    return {
      situation,
      contender: name,
      unit,
      figure: figureOf(values),
      ratios:
        name === 'Foyer'
          ? [{ to: 'stock Bolt', ...pairedRatio(values, valuesOf(samples['stock Bolt'], metric)) }]
          : [],
      beside: cpu ? { 'CPU µs a view': median(valuesOf(samples[name], cpu)) } : {},
    };
  };
  return [
    ...names.map((name) => row(name, 'changed', 'view changed', 'views/s', 'changedCpu')),
    ...names.map((name) => row(name, 'unchanged', 'view unchanged', 'events/s', 'unchangedCpu')),
    ...names.map((name) => row(name, 'quiet', 'view unchanged, no commits', 'events/s', 'quietCpu')),
    ...names.map((name) =>
      row(name, 'toPublish', 'time from event to views.publish, one event at a time', 'ms'),
    ),
  ];
}
