import { App } from '@slack/bolt';

// A Bolt app of one team with nothing in it but `/readyz`; plain JavaScript, so that it has no types to strip.
const app = new App({
  token: 'xoxb-1111111111-2222222222222-benchbenchbenchbench',
  signingSecret: process.env.SLACK_SIGNING_SECRET,
  // What a token alone would ask of Slack at the start.
  tokenVerificationEnabled: false,
  customRoutes: [{ path: '/readyz', method: ['GET'], handler: (_req, res) => res.writeHead(200).end('ok') }],
});
app.message(async () => {});
await app.start({ port: Number(process.env.PORT), host: '127.0.0.1' });
process.once('SIGTERM', () => app.stop().then(() => process.exit(0)));
