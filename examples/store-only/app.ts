import { App } from '@slack/bolt';
import { createFoyer, defineFoyer } from 'slack-foyer';

// A stock Bolt app that keeps its own OAuth flow. Foyer's encrypted store holds the installations, and Foyer runs its
// steps after each install.

const foyer = await createFoyer(defineFoyer({ manifest: new URL('../manifest.json', import.meta.url) }));
const slackApiUrl = process.env.SLACK_API_URL;

const app = new App({
  clientId: process.env.SLACK_CLIENT_ID,
  clientSecret: process.env.SLACK_CLIENT_SECRET,
  signingSecret: process.env.SLACK_SIGNING_SECRET ?? '',
  stateSecret: process.env.STATE_SECRET,
  scopes: ['chat:write', 'users:read', 'im:history'],
  redirectUri: `${process.env.PUBLIC_URL}/slack/oauth_redirect`,
  installationStore: foyer.installationStore,
  installerOptions: {
    redirectUriPath: '/slack/oauth_redirect',
    authorizationUrl: process.env.SLACK_AUTHORIZATION_URL,
    clientOptions: { slackApiUrl },
  },
  clientOptions: { slackApiUrl },
});
app.message('hello', async ({ say }) => {
  await say('Hello from stock Bolt!');
});
await app.start(Number(process.env.PORT || 3000));
await foyer.start(); // runs the steps after each install
