import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { quantile } from 'simple-statistics';
import { openSqlite } from '../../packages/foyer/src/database/sqlite/open-sqlite.ts';
import { foyerEnvironment } from '../foyer-environment.ts';
import { type Browsers, openBrowsers } from '../load/browsers.ts';
import { type RunWatch, watchRuns } from '../load/watch-runs.ts';
import type { Mark, Measurement, Row, RunOptions } from '../measurement.ts';
import { figureOf, interleave, pairedRatio, type Sample, valuesOf } from '../slices.ts';
import { type Contender, startContender } from '../start-contender.ts';

/**
 * In one slice (see `slices.ts`), a few browsers install the app at the same time. Foyer's slice ends when the last run
 * has finished, and Foyer's CPU time is counted until Foyer is idle. The stock apps do all their work before they
 * answer, so their slices end with the last answer.
 */

const names = ['stock, empty callback', 'stock, hooks inline', 'Foyer'] as const;
type Name = (typeof names)[number];
type Metric = 'rate' | 'callbackP50' | 'callbackP95' | 'cpuMs';

/** How long Slack takes to answer, how many installs each slice contains, and how many browsers install at once. */
const sizes = [
  { latencyMs: 0, installs: 160, browsers: 16 },
  { latencyMs: 100, installs: 32, browsers: 8 },
  { latencyMs: 300, installs: 16, browsers: 8 },
] as const;
const [atOnce, at100] = sizes;

/** Measures whole installs: from the click on the install button until everything that the install starts has ended. */
export const installs: Measurement = {
  name: 'installs',
  what: 'Installs a second, and how long the browser waits for its page',
  async run(options) {
    const stage = await setStage(options);
    const rows: Row[] = [];
    const marks: Mark[] = [];
    try {
      for (const size of sizes) {
        options.say(`Slack answers after ${size.latencyMs} ms`);
        await stage.slack.ask('delay', size.latencyMs);
        const samples = await compare(
          stage,
          options.quick ? { ...size, installs: 8, browsers: 4 } : size,
          options,
        );
        rows.push(...rowsOf(size.latencyMs, samples));
        marks.push(...marksOf(size.latencyMs, samples));
      }
    } finally {
      await stage.close();
    }
    return { rows, marks, notes: [] };
  },
};

interface Installer {
  contender: Contender;
  browsers: Browsers;
  /** Watches Foyer's runs. Undefined for the stock apps, because they do all their work before they answer. */
  runs?: RunWatch;
}

interface Stage {
  slack: Contender;
  installers: Record<Name, Installer>;
  nextTeam: number;
  close(): Promise<void>;
}

async function setStage(options: RunOptions): Promise<Stage> {
  const slack = await startContender('null-slack.ts');
  const file = join(options.folder, 'installs.db');
  const hooksFile = join(options.folder, 'installs-inline.db');
  // Creates the schema before anything is measured or watched.
  await (await openSqlite(file)).close();
  const environment = foyerEnvironment({ database: `file:${file}`, slackUrl: slack.url });
  const start = async (name: Name, script: string, env: Record<string, string>): Promise<Installer> => {
    const contender = await startContender(script, {
      env: { ...environment, ...env },
      profile: options.profileOf(name),
    });
    return { contender, browsers: openBrowsers(contender.url) };
  };
  const runs = watchRuns(file);
  const installers = {
    'stock, empty callback': await start('stock, empty callback', 'stock-install.ts', {}),
    'stock, hooks inline': await start('stock, hooks inline', 'stock-install.ts', {
      HOOKS: 'inline',
      HOOKS_FILE: hooksFile,
    }),
    Foyer: { ...(await start('Foyer', 'foyer.ts', {})), runs },
  };
  return {
    slack,
    installers,
    nextTeam: 1,
    async close() {
      for (const { contender, browsers } of Object.values(installers)) {
        await browsers.close();
        await contender.stop();
      }
      runs.close();
      await slack.stop();
      await Promise.all([file, hooksFile].map((path) => rm(path, { force: true })));
    },
  };
}

interface Size {
  installs: number;
  browsers: number;
}

async function compare(stage: Stage, size: Size, options: RunOptions) {
  const turn = (name: Name) => () => slice(stage, stage.installers[name], size);
  return interleave<Name, Metric>(options.slices, {
    'stock, empty callback': turn('stock, empty callback'),
    'stock, hooks inline': turn('stock, hooks inline'),
    Foyer: turn('Foyer'),
  });
}

async function slice(stage: Stage, installer: Installer, size: Size): Promise<Sample<Metric>> {
  const { contender, browsers, runs } = installer;
  const waits: number[] = [];
  const before = await contender.usage();
  let left = size.installs;
  const startedAt = Date.now();
  const browse = async (): Promise<void> => {
    while (left > 0) {
      left -= 1;
      const { callbackMs } = await browsers.install(stage.nextTeam++);
      waits.push(callbackMs);
    }
  };
  await Promise.all(Array.from({ length: size.browsers }, browse));
  const answeredAt = Date.now();
  const endedAt = runs ? (await runs.ended(size.installs)).finishedAt : answeredAt;
  await stage.slack.ask('quiet');
  const after = await contender.usage();
  return {
    rate: (size.installs / (Math.max(endedAt, answeredAt) - startedAt)) * 1000,
    callbackP50: quantile(waits, 0.5),
    callbackP95: quantile(waits, 0.95),
    cpuMs: (after.cpuMs - before.cpuMs) / size.installs,
  };
}

function rowsOf(latencyMs: number, samples: Record<Name, Sample<Metric>[]>): Row[] {
  const row = (name: Name, metric: Metric, what: string, unit: string): Row => {
    const values = valuesOf(samples[name], metric);
    const others = names.filter((other) => other !== name && other !== 'Foyer');
    return {
      situation: `${what}, Slack at ${latencyMs} ms`,
      contender: name,
      unit,
      figure: figureOf(values),
      ratios: others.map((to) => ({ to, ...pairedRatio(values, valuesOf(samples[to], metric)) })),
      beside:
        metric === 'callbackP50' ? { 'p95 ms': figureOf(valuesOf(samples[name], 'callbackP95')).median } : {},
    };
  };
  return [
    ...names.map((name) => row(name, 'rate', 'complete installs', 'installs/s')),
    ...names.map((name) => row(name, 'callbackP50', 'time from callback to page', 'ms')),
    ...(latencyMs === 0 ? names.map((name) => row(name, 'cpuMs', 'CPU of an install', 'ms')) : []),
  ];
}

function marksOf(latencyMs: number, samples: Record<Name, Sample<Metric>[]>): Mark[] {
  const ratio = (metric: Metric, to: Name) =>
    pairedRatio(valuesOf(samples.Foyer, metric), valuesOf(samples[to], metric)).median;
  const marks: Mark[] = [];
  if (latencyMs === at100.latencyMs) {
    marks.push({
      what: 'time from callback to page, Slack at 100 ms: Foyer ÷ stock, empty callback',
      asked: 1.05,
      reached: ratio('callbackP50', 'stock, empty callback'),
      better: 'less',
    });
  }
  if (latencyMs === atOnce.latencyMs) {
    marks.push(
      {
        what: 'CPU of a whole install: Foyer ÷ stock, hooks inline',
        asked: 0.75,
        reached: ratio('cpuMs', 'stock, hooks inline'),
        better: 'less',
      },
      {
        what: 'installs a second, whole pipeline: Foyer ÷ stock, empty callback',
        asked: 0.6,
        reached: ratio('rate', 'stock, empty callback'),
        better: 'more',
      },
    );
  }
  return marks;
}
