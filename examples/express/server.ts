import express from 'express';
import { builtInSteps, createFoyer, defineFoyer, type Step } from 'slack-foyer';

// An Express app of your own: its pages stay where they are, and Slack's routes go below /integrations/slack.

const startTrial: Step<{ trialId: string }> = {
  name: 'start-trial',
  title: { todo: 'Start the trial', doing: 'Starting the trial' },
  async run({ installationId }) {
    // Safe to run twice: the installation's id is the idempotency key.
    return { trialId: `trial-${installationId}` };
  },
};

const definition = defineFoyer({
  manifest: new URL('../manifest.json', import.meta.url),
  basePath: '/integrations/slack',
  install: [...builtInSteps(), startTrial],
  listeners(app) {
    app.message('hello', async ({ say }) => {
      await say('Hello from Express!');
    });
  },
});

const foyer = await createFoyer(definition);
const app = express();
app.use(foyer.middleware); // before any body parser
app.use(express.json());
app.get('/', (_req, res) => void res.send('<a href="/integrations/slack">Connect Slack</a>'));
app.listen(Number(process.env.PORT ?? 3000), '127.0.0.1');
await foyer.start();
