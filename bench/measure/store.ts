import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Mark, Measurement, Row, RunOptions } from '../measurement.ts';
import { openBenchDatabase } from '../open-bench-database.ts';
import { benchKeyring } from '../seed/bench-keyring.ts';
import { seedTeams } from '../seed/seed-teams.ts';
import { figureOf, interleave, pairedRatio, type Sample, valuesOf } from '../slices.ts';
import { type Contender, startContender } from '../start-contender.ts';
import { type BenchPostgres, startPostgres } from '../start-postgres.ts';

/**
 * Measures four stores on databases of each size. All stores on all databases take turns, so that the figures for a
 * million rows and for a thousand rows come from about the same time. In its turn, a store reads random teams, one
 * after the other, and decrypts their tokens. Then it stores some new teams and removes them.
 */

const stores = {
  foyer: 'Foyer',
  uncached: 'Foyer, no cache',
  kysely: 'Kysely',
  prepared: 'prepared statement',
} as const;
type StoreName = keyof typeof stores;
// The type of Object.keys is string[], but these are the keys of `stores`.
const storeNames = Object.keys(stores) as StoreName[];
const engines = ['SQLite', 'Postgres'] as const;
type Engine = (typeof engines)[number];
type Metric = 'fetch' | 'store' | 'remove';

export const store: Measurement = {
  name: 'store',
  what: 'Installations stored, fetched and deleted a second',
  async run(options) {
    const sizes = options.quick ? [100, 500] : [1000, 100_000, 1_000_000];
    const rows: Row[] = [];
    const marks: Mark[] = [];
    for (const engine of engines) {
      const stage = await setStage(engine, sizes, options);
      try {
        options.say(`${engine}: ${sizes.map((size) => size.toLocaleString('en')).join(', ')} rows`);
        const turns = Object.fromEntries(stage.subjects.map((subject) => [subject.key, subject.slice]));
        const samples = await interleave<string, Metric>(options.slices, turns);
        rows.push(...rowsOf(engine, sizes, samples));
        if (engine === 'SQLite') marks.push(...marksOf(sizes, samples));
      } finally {
        await stage.close();
      }
    }
    return {
      rows,
      marks,
      notes: [
        'The stores do different amounts of work to store and to delete an install. Foyer commits each install with ' +
          'its history, its run and six steps, and a delete also erases the tokens from the database files; the ' +
          'others write or delete one row.',
      ],
    };
  },
};

interface Subject {
  key: string;
  contender: Contender;
  slice(slice: number): Promise<Sample<Metric>>;
}

async function setStage(engine: Engine, sizes: readonly number[], options: RunOptions) {
  const postgres: BenchPostgres | undefined = engine === 'Postgres' ? await startPostgres() : undefined;
  const files: string[] = [];
  const subjects: Subject[] = [];
  for (const size of sizes) {
    const file = join(options.folder, `store-${size}.db`);
    if (!postgres) files.push(file);
    const place = postgres ? await postgres.createDatabase(`store${size}`) : file;
    options.say(`${engine}: seeding ${size.toLocaleString('en')} rows`);
    const database = await openBenchDatabase(place);
    await seedTeams(database, benchKeyring, { first: 0, count: size });
    await database.close();
    for (const name of storeNames) subjects.push(await startSubject(name, { engine, size, place }, options));
  }
  return {
    subjects,
    async close() {
      for (const { contender } of subjects) await contender.stop();
      await postgres?.close();
      await Promise.all(files.map((path) => rm(path, { force: true })));
    },
  };
}

const keyOf = (name: StoreName, size: number): string => `${name} ${size}`;

async function startSubject(
  name: StoreName,
  { engine, size, place }: { engine: Engine; size: number; place: string },
  options: RunOptions,
): Promise<Subject> {
  const env = { STORE: name, PLACE: place, TEAMS: String(size) };
  const contender = await startContender('store.ts', {
    env,
    profile: options.profileOf(stores[name], `${engine} ${size}`),
  });
  // A round trip to Postgres takes ten times as long as a read from SQLite, so fewer reads are measured there.
  const fetches = options.quick ? 100 : engine === 'SQLite' ? 4000 : 1000;
  const writes = options.quick ? 10 : 100;
  // Each store writes its own new teams. Their numbers are higher than those of all seeded teams.
  let next = (storeNames.indexOf(name) + 1) * 100_000_000;
  return {
    key: keyOf(name, size),
    contender,
    async slice() {
      const some = { first: next, count: writes };
      next += writes;
      const fetchMs = await contender.ask<number>('fetch', fetches);
      const storeMs = await contender.ask<number>('store', some);
      const removeMs = await contender.ask<number>('remove', some);
      return {
        fetch: (fetches / fetchMs) * 1000,
        store: (writes / storeMs) * 1000,
        remove: (writes / removeMs) * 1000,
      };
    },
  };
}

type Samples = Record<string, Sample<Metric>[]>;

const ratioOf = (samples: Samples, metric: Metric, key: string, to: string) =>
  pairedRatio(valuesOf(samples[key] ?? [], metric), valuesOf(samples[to] ?? [], metric));

function rowsOf(engine: Engine, sizes: readonly number[], samples: Samples): Row[] {
  const verbs = { fetch: 'fetch', store: 'store', remove: 'delete' } as const;
  const row = (metric: Metric, size: number, name: StoreName): Row => {
    const [smallest = size] = sizes;
    const key = keyOf(name, size);
    const ratios = [
      ...(name === 'foyer' || name === 'uncached'
        ? (['kysely', 'prepared'] as const).map((other) => ({
            to: stores[other],
            ...ratioOf(samples, metric, key, keyOf(other, size)),
          }))
        : []),
      ...(metric === 'fetch' && size !== smallest
        ? [
            {
              to: `${smallest.toLocaleString('en')} rows`,
              ...ratioOf(samples, metric, key, keyOf(name, smallest)),
            },
          ]
        : []),
    ];
    return {
      situation: `${engine}, ${verbs[metric]}, ${size.toLocaleString('en')} rows`,
      contender: stores[name],
      unit: 'a second',
      figure: figureOf(valuesOf(samples[key] ?? [], metric)),
      ratios,
      beside: {},
    };
  };
  return (['fetch', 'store', 'remove'] as const).flatMap((metric) =>
    sizes.flatMap((size) => storeNames.map((name) => row(metric, size, name))),
  );
}

function marksOf(sizes: readonly number[], samples: Samples): Mark[] {
  const [fewest = 0, most = 0] = [sizes[0], sizes.at(-1)];
  const reached = (name: StoreName, to: string) => ratioOf(samples, 'fetch', keyOf(name, most), to).median;
  const mark = (what: string, asked: number, figure: number): Mark => ({
    what,
    asked,
    reached: figure,
    better: 'more',
  });
  const [few, many] = [fewest, most].map((size) => size.toLocaleString('en'));
  return [
    mark(
      `fetches a second: from ${many} rows ÷ from ${few} rows, all cached`,
      0.6,
      reached('foyer', keyOf('foyer', fewest)),
    ),
    mark(
      `fetches a second, no cache: from ${many} rows ÷ from ${few} rows`,
      0.6,
      reached('uncached', keyOf('uncached', fewest)),
    ),
    mark(`fetches a second from ${many} rows: Foyer ÷ Kysely`, 2, reached('foyer', keyOf('kysely', most))),
  ];
}
