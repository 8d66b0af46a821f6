import { parseConfig } from '../../packages/foyer/src/config/config.ts';
import { createLogger, createScrubber } from '../../packages/foyer/src/config/log.ts';
import { openSqlite } from '../../packages/foyer/src/database/sqlite/open-sqlite.ts';
import { completeBrand } from '../../packages/foyer/src/http/brand.ts';
import type { Step } from '../../packages/foyer/src/pipeline/step.ts';
import { createWorker } from '../../packages/foyer/src/pipeline/worker.ts';
import { createSlackClientFactory } from '../../packages/foyer/src/slack/create-slack-client.ts';
import { createTexts } from '../../packages/foyer/src/texts/create-texts.ts';
import { fixtureManifest } from '../../packages/foyer/test/support/fixture-manifest.ts';
import { present } from './contender.ts';

/** Foyer's worker with a pipeline of one step that does nothing, so that only the worker's own cost is measured. */
const nothing: Step = {
  name: 'nothing',
  required: true,
  timeLimitMs: 10_000,
  title: { todo: 'Do it', doing: 'Doing it' },
  maxAttempts: 1,
  run: async () => null,
};

const config = parseConfig(process.env, fixtureManifest);
if (config.database.kind !== 'sqlite') throw new Error('DATABASE_URL must name a SQLite database');
const database = await openSqlite(config.database.file);
const log = createLogger(config);
const notAsked = (): Promise<never> =>
  Promise.reject(new Error('the empty step must not publish App Home or ask for a token'));
const worker = createWorker({
  database,
  steps: [nothing],
  services: { config, publishHome: notAsked, brand: completeBrand(config), texts: createTexts() },
  slackClient: createSlackClientFactory({ config, log }),
  botToken: notAsked,
  async onTokenDead() {},
  onRunChanged() {},
  scrub: createScrubber(config.secrets),
  log,
  now: Date.now,
});
worker.start();

present({
  port: 0,
  async stop() {
    await worker.stop({ drainMs: 1000 });
    await database.close();
  },
});
