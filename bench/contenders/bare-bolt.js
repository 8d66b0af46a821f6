import { App } from '@slack/bolt';

// A Bolt app for one team that serves only `/readyz`; plain JavaScript, so that there are no types to strip.
const app = new App({
  token: 'xoxb-1111111111-2222222222222-benchbenchbenchbench',
  signingSecret: process.env.SLACK_SIGNING_SECRET,
  // With only a token, Bolt would otherwise call Slack at startup.
  tokenVerificationEnabled: false,
  customRoutes: [{ path: '/readyz', method: ['GET'], handler: (_req, res) => res.writeHead(200).end('ok') }],
});
app.message(async () => {});
await app.start({ port: Number(process.env.PORT), host: '127.0.0.1' });
process.once('SIGTERM', () => app.stop().then(() => process.exit(0)));
