import { parseConfig } from '../../src/config/config.ts';
import { createLogger, createScrubber } from '../../src/config/log.ts';
import { openSqlite } from '../../src/database/sqlite/open-sqlite.ts';
import { createWorker } from '../../src/pipeline/worker.ts';
import { createSlackClientFactory } from '../../src/slack/create-slack-client.ts';
import { builtInSteps } from '../../src/steps/steps.ts';
import { brandOf, texts } from '../support/test-face.ts';

/**
 * A process that contains only a worker, for tests that kill it. It reads the configuration, the token and the database
 * from its environment, and sends its parent the status of each run that ends or starts to wait.
 */
const { MANIFEST = '', BOT_TOKEN = '', DATABASE_FILE = '' } = process.env;
const config = parseConfig(process.env, MANIFEST);
const log = createLogger(config);
const slackClient = createSlackClientFactory({ config, log });

createWorker({
  database: await openSqlite(DATABASE_FILE),
  steps: builtInSteps(),
  services: {
    config,
    brand: brandOf(),
    texts,
    async publishHome({ userId }) {
      await slackClient(BOT_TOKEN).views.publish({
        user_id: userId,
        view: { type: 'home', blocks: [{ type: 'divider' }] },
      });
      return { published: true, reason: 'sent' };
    },
  },
  slackClient,
  botToken: async () => BOT_TOKEN,
  async onTokenDead() {},
  onRunChanged: ({ status }) => process.send?.(status),
  scrub: createScrubber(config.secrets),
  log,
  now: Date.now,
}).start();
