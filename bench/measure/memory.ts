import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { openSqlite } from '../../packages/foyer/src/database/sqlite/open-sqlite.ts';
import { foyerEnvironment } from '../foyer-environment.ts';
import { openConnections } from '../load/send-requests.ts';
import { app, messageEvent } from '../load/signed-events.ts';
import type { Findings, Measurement, Row, RunOptions } from '../measurement.ts';
import { benchKeyring } from '../seed/bench-keyring.ts';
import { seedTeams } from '../seed/seed-teams.ts';
import { type Contender, startContender } from '../start-contender.ts';

/**
 * First, the bench sends each contender the events of a thousand teams, so that all code is compiled and every buffer
 * has its final size. Then it sends one event from each of the remaining teams. The listener calls Slack with Bolt's
 * own `client` and `say`. The result is not a rate but the memory in use after a garbage collection, so one pass is
 * enough.
 */

const names = ['stock Bolt', 'Foyer'] as const;
type Name = (typeof names)[number];

interface Level {
  rssMb: number;
  heapMb: number;
}
interface Levels {
  atStart: Level;
  afterFew: Level;
  afterAll: Level;
}

export const memory: Measurement = {
  name: 'memory',
  what: 'Memory after 100,000 events from 100,000 teams, with `client` and `say` used in a listener',
  onePass: true,
  async run(options) {
    const [few, all] = options.quick ? [100, 500] : [1000, 100_000];
    const file = join(options.folder, 'memory.db');
    options.say(`seeding ${all} teams`);
    const database = await openSqlite(file);
    await seedTeams(database, benchKeyring, { first: 0, count: all });
    await database.close();
    const slack = await startContender('null-slack.ts');
    const levels = new Map<Name, Levels>();
    for (const name of names) {
      options.say(name);
      const contender = await start(name, { file, teams: all, slackUrl: slack.url }, options);
      levels.set(name, await fill(contender, few, all));
      await contender.stop();
    }
    await slack.stop();
    await rm(file, { force: true });
    return findingsOf(levels, few, all);
  },
};

async function start(
  name: Name,
  given: { file: string; teams: number; slackUrl: string },
  options: RunOptions,
): Promise<Contender> {
  const profile = options.profileOf(name);
  const env = {
    ...foyerEnvironment({ database: `file:${given.file}`, slackUrl: given.slackUrl }),
    BENCH_LISTENER: 'reply',
    SLACK_SIGNING_SECRET: app.signingSecret,
    TEAMS: String(given.teams),
  };
  return startContender(name === 'Foyer' ? 'foyer.ts' : 'stock-bolt.ts', { env, profile });
}

const atOnce = 64;

async function fill(contender: Contender, few: number, all: number): Promise<Levels> {
  const connections = openConnections(contender.url);
  const send = async (first: number, end: number): Promise<void> => {
    for (let from = first; from < end; from += atOnce) {
      // Waits until the listeners have finished, so that no queued events count toward the memory.
      const numbers = Array.from({ length: Math.min(atOnce, end - from) }, (_, index) => from + index);
      const settled = contender.ask('settled', numbers.length);
      await connections.post('/slack/events', numbers.map(messageEvent), 16);
      await settled;
    }
  };
  const atStart = await levelOf(contender);
  // Each of the first teams sends five events, so that all code is warm before the next measurement.
  for (let round = 0; round < 5; round += 1) await send(0, few);
  const afterFew = await levelOf(contender);
  await send(few, all);
  const afterAll = await levelOf(contender);
  await connections.close();
  return { atStart, afterFew, afterAll };
}

async function levelOf(contender: Contender): Promise<Level> {
  const { rssBytes, heapBytes } = await contender.usage(true);
  return { rssMb: rssBytes / 2 ** 20, heapMb: heapBytes / 2 ** 20 };
}

function findingsOf(levels: ReadonlyMap<Name, Levels>, few: number, all: number): Findings {
  const [stock, foyer] = [levels.get('stock Bolt'), levels.get('Foyer')];
  if (!stock || !foyer) throw new Error('a contender was not measured');
  const row = (name: Name, teams: number, pick: (levels: Levels) => Level): Row => {
    const { rssMb, heapMb } = pick(name === 'Foyer' ? foyer : stock);
    const ratio = rssMb / pick(stock).rssMb;
    return {
      situation: `${teams.toLocaleString('en')} teams, resident memory`,
      contender: name,
      unit: 'MB',
      figure: { median: rssMb, low: rssMb, high: rssMb },
      ratios: name === 'Foyer' ? [{ to: 'stock Bolt', median: ratio, low: ratio, high: ratio }] : [],
      beside: { 'heap MB after garbage collection': heapMb },
    };
  };
  const grown = foyer.afterAll.heapMb - foyer.afterFew.heapMb;
  return {
    rows: [
      ...names.map((name) => row(name, 0, (found) => found.atStart)),
      ...names.map((name) => row(name, few, (found) => found.afterFew)),
      ...names.map((name) => row(name, all, (found) => found.afterAll)),
    ],
    marks: [
      {
        what: 'resident memory after 100,000 teams: Foyer ÷ stock Bolt',
        asked: 0.1,
        reached: foyer.afterAll.rssMb / stock.afterAll.rssMb,
        better: 'less',
      },
      {
        what: 'heap growth from 1,000 to 100,000 teams',
        asked: 15,
        reached: grown,
        better: 'less',
        unit: 'MB',
      },
    ],
    notes: [
      'Stock Bolt holds its 100,000 installations in memory from the start; Foyer reads them from its file.',
    ],
  };
}
