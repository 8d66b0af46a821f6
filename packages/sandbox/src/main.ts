#!/usr/bin/env node
import { readFile } from 'node:fs/promises';
import { Command } from 'commander';
import { createSandbox } from './create-sandbox.ts';
import { onParentEnd } from './on-parent-end.ts';

type Flags = {
  manifest: string;
  eventUrl?: string;
  redirectUrl?: string[];
  landingUrl?: string;
  port: string;
  host: string;
  clientId?: string;
  clientSecret?: string;
  signingSecret?: string;
};

const program = new Command()
  .name('slack-sandbox')
  .description('A local Slack for one app: consent page, Web API, events, web client.')
  .requiredOption('--manifest <file>', "the app's manifest, as JSON")
  .option('--event-url <url>', "the URL for events and interactions, instead of the manifest's request URLs")
  .option('--redirect-url <url...>', "the redirect URLs to use instead of the manifest's redirect URLs")
  .option('--landing-url <url>', "the app's landing page")
  .option('--port <number>', 'the port to listen on', '4000')
  .option('--host <address>', 'the loopback address to listen on', '127.0.0.1')
  .option('--client-id <id>')
  .option('--client-secret <secret>')
  .option('--signing-secret <secret>')
  .parse();

const flags = program.opts<Flags>();
const { clientId, clientSecret, signingSecret } = flags;
const sandbox = await createSandbox({
  manifest: JSON.parse(await readFile(flags.manifest, 'utf8')),
  eventUrl: flags.eventUrl,
  redirectUrls: flags.redirectUrl,
  landingUrl: flags.landingUrl,
  port: Number(flags.port),
  host: flags.host,
  credentials: {
    ...(clientId ? { clientId } : {}),
    ...(clientSecret ? { clientSecret } : {}),
    ...(signingSecret ? { signingSecret } : {}),
  },
});
const { app } = sandbox;

console.log(`${app.settings.name} is registered with the Slack sandbox at ${sandbox.url}

SLACK_CLIENT_ID=${app.clientId}
SLACK_CLIENT_SECRET=${app.clientSecret}
SLACK_SIGNING_SECRET=${app.signingSecret}
SLACK_AUTHORIZATION_URL=${sandbox.authorizationUrl}
SLACK_API_URL=${sandbox.apiUrl}
SLACK_OPENID_URL=${sandbox.url}

Event URL: ${app.settings.eventUrl ?? 'none; set it with --event-url'}
Control API: ${sandbox.url}/sandbox/state`);

const stop = (): void => void sandbox.close().then(() => process.exit(0));
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, stop);
onParentEnd(stop);
