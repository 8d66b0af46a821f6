import { App } from '@slack/bolt';

// The smallest Bolt app for one team. It is plain JavaScript, so Node has no types to strip when it starts.
const app = new App({
  token: 'xoxb-1111111111-2222222222222-benchbenchbenchbench',
  signingSecret: process.env.SLACK_SIGNING_SECRET,
  // Otherwise Bolt would check the token with a call to Slack at startup.
  tokenVerificationEnabled: false,
  customRoutes: [{ path: '/readyz', method: ['GET'], handler: (_req, res) => res.writeHead(200).end('ok') }],
});
app.message(async () => {});
await app.start({ port: Number(process.env.PORT), host: '127.0.0.1' });
process.once('SIGTERM', () => app.stop().then(() => process.exit(0)));
