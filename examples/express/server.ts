import express from 'express';
import { builtInSteps, createFoyer, defineFoyer, type Step } from 'slack-foyer';

// Your own Express app with Foyer in it. The app's pages keep their paths, and Foyer's paths are below
// /integrations/slack. It needs SLACK_CLIENT_ID, SLACK_CLIENT_SECRET and SLACK_SIGNING_SECRET; /settings also needs
// CONNECT_SECRET (`openssl rand -base64 32`), which turns connecting on. .env.example explains each variable.

const startTrial: Step<{ trialId: string }> = {
  name: 'start-trial',
  title: { todo: 'Start the trial', doing: 'Starting the trial' },
  async run({ installationId, connection }) {
    // Safe to run twice: the installation's id is the idempotency key.
    return { trialId: `trial-${connection?.org ?? 'unconnected'}-${installationId}` };
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
app.get('/', (_req, res) => void res.send('<a href="/settings">Connect Slack</a>'));

// Replace this with the user and the account of your own login.
const user = { id: 'ada', account: { id: 'org-ada', name: 'Ada Ltd' } };
const origin = process.env.PUBLIC_URL ?? 'http://localhost:3000';

app.get('/settings', async (_req, res) => {
  const { url, jti } = await foyer.connect(
    { subject: user.id, org: user.account.id, label: user.account.name, returnTo: `${origin}/settings/done` },
    res,
  );
  // Keep `jti` in your session; this example uses a separate cookie.
  res.cookie('slack-link', jti, { httpOnly: true, sameSite: 'lax' }).redirect(url);
});
app.get('/settings/done', (req, res) => {
  const result = foyer.readResult(String(req.query.foyer_result));
  const isOwn = (req.headers.cookie ?? '').split('; ').includes(`slack-link=${result.jti}`);
  if (!isOwn) return void res.status(400).send('That is not the install you started here.');
  res.send(result.outcome === 'installed' ? `Connected to ${result.teamName}` : 'Not connected');
});
app.listen(Number(process.env.PORT || 3000), '127.0.0.1');
await foyer.start();
