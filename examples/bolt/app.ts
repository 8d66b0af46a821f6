import { createServer } from 'node:http';
import { App } from '@slack/bolt';
import { createFoyer, defineFoyer } from 'slack-foyer';

// An existing Bolt app keeps its listeners; Foyer adds OAuth, tokens, pages and App Home.

const foyer = await createFoyer(defineFoyer({ manifest: new URL('../manifest.json', import.meta.url) }));

const app = new App({
  receiver: foyer.receiver,
  authorize: foyer.authorize,
  clientOptions: { slackApiUrl: process.env.SLACK_API_URL },
});
foyer.attach(app);
app.message('hello', async ({ say }) => {
  await say('Hello from Bolt!');
});

const server = createServer(async (req, res) => {
  if (await foyer.handle(req, res)) return;
  res.writeHead(404).end('not here');
});
server.listen(Number(process.env.PORT || 3000), '127.0.0.1');
await foyer.start();
