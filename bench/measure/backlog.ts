import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Database } from '../../packages/foyer/src/database/database.ts';
import { openSqlite } from '../../packages/foyer/src/database/sqlite/open-sqlite.ts';
import { foyerEnvironment } from '../foyer-environment.ts';
import { watchRuns } from '../load/watch-runs.ts';
import type { Mark, Measurement, Row, RunOptions } from '../measurement.ts';
import { benchKeyring } from '../seed/bench-keyring.ts';
import { seedTeams } from '../seed/seed-teams.ts';
import { figureOf, interleave, pairedRatio, type Sample, valuesOf } from '../slices.ts';
import { type Contender, startContender } from '../start-contender.ts';
import { startPostgres } from '../start-postgres.ts';

/**
 * The bench queues runs while Foyer is running, as installs would. It measures from the start of the first run to the
 * end of the last. pg-boss has no steps. So a run of Foyer's pipeline is compared with a job that does the same work,
 * and a run with one empty step is compared with an empty job.
 */

const names = [
  'Foyer, whole pipeline',
  'Foyer, whole pipeline, with waiting runs',
  'pg-boss, same hooks, 4 workers',
  'Foyer, one empty step',
  'pg-boss, empty jobs, 1 worker',
  'pg-boss, empty jobs, 4 workers',
] as const;
type Name = (typeof names)[number];
type Metric = 'rate' | 'cpuMs';

export const backlog: Measurement = {
  name: 'backlog',
  what: 'Queued runs completed per second',
  async run(options) {
    const perSlice = options.quick ? 20 : 1000;
    const waiting = options.quick ? 500 : 100_000;
    const slack = await startContender('null-slack.ts');
    const postgres = await startPostgres();
    const opened: Turn[] = [];
    const keep = async (turn: Promise<Turn>): Promise<Turn['slice']> => {
      opened.push(await turn);
      return (await turn).slice;
    };
    const onFoyer = (name: Name, extra: Partial<FoyerTurn> = {}) =>
      keep(startFoyer({ name, perSlice, waiting: 0, slack, ...extra }, options));
    const onPgBoss = async (name: Name, database: string, env: Record<string, string>) =>
      keep(
        startPgBoss({ name, perSlice, url: await postgres.createDatabase(database), slack, env }, options),
      );
    try {
      options.say('starting six contenders');
      const turns: Record<Name, Turn['slice']> = {
        'Foyer, whole pipeline': await onFoyer('Foyer, whole pipeline'),
        'Foyer, whole pipeline, with waiting runs': await onFoyer(
          'Foyer, whole pipeline, with waiting runs',
          {
            waiting,
          },
        ),
        'pg-boss, same hooks, 4 workers': await onPgBoss('pg-boss, same hooks, 4 workers', 'hooks', {
          HOOKS: 'inline',
          WORKERS: '4',
        }),
        'Foyer, one empty step': await onFoyer('Foyer, one empty step', { empty: true }),
        'pg-boss, empty jobs, 1 worker': await onPgBoss('pg-boss, empty jobs, 1 worker', 'empty1', {
          WORKERS: '1',
        }),
        'pg-boss, empty jobs, 4 workers': await onPgBoss('pg-boss, empty jobs, 4 workers', 'empty4', {
          WORKERS: '4',
        }),
      };
      options.say(`running ${perSlice} queued runs per slice`);
      const samples = await interleave<Name, Metric>(options.slices, turns);
      return { rows: rowsOf(samples, waiting), marks: marksOf(samples, waiting), notes: [] };
    } finally {
      for (const turn of opened) await turn.close();
      await postgres.close();
      await slack.stop();
    }
  },
};

interface Turn {
  slice(slice: number): Promise<Sample<Metric>>;
  close(): Promise<void>;
}

interface FoyerTurn {
  name: Name;
  perSlice: number;
  /** How many other runs wait for something during the measurement. */
  waiting: number;
  /** Whether the run has only one step, which does nothing, instead of the pipeline's steps. */
  empty?: boolean;
  slack: Contender;
}

const waitingFrom = 50_000_000;

async function startFoyer(turn: FoyerTurn, options: RunOptions): Promise<Turn> {
  const { perSlice, slack, empty = false } = turn;
  const file = join(options.folder, `backlog-${turn.name.replaceAll(/\W+/g, '-')}.db`);
  const database = await openSqlite(file);
  if (turn.waiting > 0) {
    const waiting = { first: waitingFrom, count: turn.waiting, runs: 'waiting' as const };
    await seedTeams(database, benchKeyring, waiting);
  }
  const env = foyerEnvironment({ database: `file:${file}`, slackUrl: slack.url });
  const profile = options.profileOf(turn.name);
  const contender = await startContender(empty ? 'empty-worker.ts' : 'foyer.ts', { env, profile });
  const runs = watchRuns(file);
  let next = 1;
  return {
    async slice() {
      const before = await contender.usage();
      await queueRuns(database, { first: next, count: perSlice, empty });
      next += perSlice;
      const { startedAt, finishedAt } = await runs.ended(perSlice);
      await slack.ask('quiet');
      const after = await contender.usage();
      return {
        rate: (perSlice / (finishedAt - startedAt)) * 1000,
        cpuMs: (after.cpuMs - before.cpuMs) / perSlice,
      };
    },
    async close() {
      runs.close();
      await contender.stop();
      await database.close();
      await rm(file, { force: true });
    },
  };
}

function queueRuns(
  database: Database,
  { first, count, empty }: { first: number; count: number; empty: boolean },
): Promise<void> {
  const stepNames = empty ? { stepNames: ['nothing'] } : {};
  return seedTeams(database, benchKeyring, { first, count, runs: 'queued', ...stepNames });
}

interface PgBossTurn {
  name: Name;
  perSlice: number;
  url: string;
  slack: Contender;
  env: Record<string, string>;
}

async function startPgBoss(turn: PgBossTurn, options: RunOptions): Promise<Turn> {
  const { perSlice } = turn;
  const env = { POSTGRES_URL: turn.url, SLACK_API_URL: `${turn.slack.url}/api/`, ...turn.env };
  const profile = options.profileOf(turn.name);
  const contender = await startContender('pg-boss.ts', { env, profile });
  let next = 1;
  return {
    async slice() {
      await contender.ask('queue', { first: next, count: perSlice });
      next += perSlice;
      const before = await contender.usage();
      const ms = await contender.ask<number>('work');
      const after = await contender.usage();
      return { rate: (perSlice / ms) * 1000, cpuMs: (after.cpuMs - before.cpuMs) / perSlice };
    },
    close: () => contender.stop(),
  };
}

/** What each contender is compared with. */
const yardsticks: Partial<Record<Name, readonly Name[]>> = {
  'Foyer, whole pipeline': ['pg-boss, same hooks, 4 workers', 'pg-boss, empty jobs, 1 worker'],
  'Foyer, whole pipeline, with waiting runs': ['Foyer, whole pipeline'],
  'Foyer, one empty step': ['pg-boss, empty jobs, 1 worker', 'pg-boss, empty jobs, 4 workers'],
};

function rowsOf(samples: Record<Name, Sample<Metric>[]>, waiting: number): Row[] {
  return names.map((name) => ({
    situation: name.endsWith('waiting runs')
      ? `${waiting.toLocaleString('en')} other runs waiting`
      : 'nothing waiting',
    contender: name,
    unit: name.startsWith('Foyer') ? 'runs/s' : 'jobs/s',
    figure: figureOf(valuesOf(samples[name], 'rate')),
    ratios: (yardsticks[name] ?? []).map((to) => ({
      to,
      ...pairedRatio(valuesOf(samples[name], 'rate'), valuesOf(samples[to], 'rate')),
    })),
    beside: { 'CPU ms each': figureOf(valuesOf(samples[name], 'cpuMs')).median },
  }));
}

function marksOf(samples: Record<Name, Sample<Metric>[]>, waiting: number): Mark[] {
  const mark = (what: string, asked: number, name: Name, to: Name): Mark => ({
    what,
    asked,
    reached: pairedRatio(valuesOf(samples[name], 'rate'), valuesOf(samples[to], 'rate')).median,
    better: 'more',
  });
  return [
    mark(
      'runs a second, one empty step: Foyer ÷ pg-boss, empty jobs, 1 worker',
      2,
      'Foyer, one empty step',
      'pg-boss, empty jobs, 1 worker',
    ),
    mark(
      'runs a second, whole pipeline: Foyer ÷ pg-boss, same hooks, 4 workers',
      2,
      'Foyer, whole pipeline',
      'pg-boss, same hooks, 4 workers',
    ),
    mark(
      `runs a second: with ${waiting.toLocaleString('en')} others waiting ÷ with none waiting`,
      0.8,
      'Foyer, whole pipeline, with waiting runs',
      'Foyer, whole pipeline',
    ),
  ];
}
