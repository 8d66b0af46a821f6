import { createServer } from 'node:http';
import { type Installation, InstallProvider, type InstallURLOptions, LogLevel } from '@slack/oauth';
import { app } from '../load/signed-events.ts';
import { present } from './contender.ts';
import { recordsInSqlite } from './hook-records.ts';
import { createInlineHooks } from './inline-hooks.ts';
import { listenOnLoopback } from './listen-on-loopback.ts';

/**
 * Slack's InstallProvider behind node:http, as Slack's docs show it, with all of its checks. By default, it keeps
 * installations in memory, and its callback does nothing but answer. With HOOKS=inline, it stores installations in
 * SQLite, and its callback does the work of Foyer's pipeline before it answers, as most apps do.
 * (docs.slack.dev/tools/node-slack-sdk/oauth)
 */
const { SLACK_API_URL = '', SLACK_AUTHORIZATION_URL = '', HOOKS, HOOKS_FILE = '' } = process.env;
const records = HOOKS === 'inline' ? recordsInSqlite(HOOKS_FILE) : undefined;
const hooks = records && createInlineHooks({ records, apiUrl: SLACK_API_URL });
const installations = new Map<string, Installation>();

const installer = new InstallProvider({
  clientId: app.clientId,
  clientSecret: app.clientSecret,
  stateSecret: 'my-state-secret',
  authorizationUrl: SLACK_AUTHORIZATION_URL,
  directInstall: true,
  logLevel: LogLevel.ERROR,
  clientOptions: { slackApiUrl: SLACK_API_URL },
  installationStore: {
    async storeInstallation(installation) {
      if (hooks) await hooks.store(installation);
      else installations.set(installation.team?.id ?? '', installation);
    },
    async fetchInstallation({ teamId = '' }) {
      const installation = installations.get(teamId);
      if (!installation) throw new Error('Failed fetching installation');
      return installation;
    },
  },
});
const options: InstallURLOptions = { scopes: ['chat:write', 'users:read'] };

const server = createServer(async (req, res) => {
  const path = req.url?.split('?', 1)[0];
  if (path === '/slack/install') return installer.handleInstallPath(req, res, {}, options);
  if (path !== '/slack/oauth_redirect') return void res.writeHead(404).end();
  await installer.handleCallback(req, res, {
    async successAsync(installation) {
      if (hooks) await hooks.welcome(installation);
      res.writeHead(200, { 'Content-Type': 'text/html' }).end('<h1>Installed</h1>');
    },
    failure(error) {
      res.writeHead(500).end(error.message);
    },
  });
});

present({
  port: await listenOnLoopback(server),
  stop() {
    server.closeAllConnections();
    records?.close();
  },
});
