import { App, type Installation } from '@slack/bolt';
import Sqlite from 'better-sqlite3';
import { app as slackApp } from '../load/signed-events.ts';
import { addBenchListeners, listenerWork } from './bench-listeners.ts';
import { createCounter, present } from './contender.ts';

/**
 * Stock Bolt with a store that works like the Python SDK's SQLite3InstallationStore: for each event, it selects the
 * newest row of the team. The token in that row is plain text. Unlike the Python SDK, this store prepares the statement
 * only once.
 * (slack_sdk/oauth/installation_store/sqlite3 of slackapi/python-slack-sdk)
 */
interface Row {
  app_id: string;
  team_id: string;
  team_name: string;
  bot_token: string;
  bot_id: string;
  bot_user_id: string;
  bot_scopes: string;
  user_id: string;
  token_type: 'bot';
}

const sqlite = new Sqlite(process.env.PYTHON_STYLE_FILE, { readonly: true });
const newest = sqlite.prepare<[string, string, string], Row>(`
  select app_id, team_id, team_name, bot_token, bot_id, bot_user_id, bot_scopes, user_id, token_type
  from slack_installations
  where client_id = ? and enterprise_id = ? and team_id = ?
  order by installed_at desc limit 1`);

const app = new App({
  signingSecret: slackApp.signingSecret,
  clientId: slackApp.clientId,
  clientSecret: slackApp.clientSecret,
  stateSecret: 'my-state-secret',
  scopes: ['chat:write'],
  clientOptions: { slackApiUrl: process.env.SLACK_API_URL },
  installationStore: {
    async storeInstallation() {},
    async fetchInstallation({ teamId = '', enterpriseId = '' }) {
      const row = newest.get(slackApp.clientId, enterpriseId, teamId);
      if (!row) throw new Error('Failed fetching installation');
      return installationOf(row);
    },
  },
});
const { note, settled } = createCounter();
addBenchListeners(app, listenerWork, note);
const server = await app.start({ port: 0, host: '127.0.0.1' });
const address = server.address();
if (address === null || typeof address === 'string') throw new Error('Bolt is not listening on a TCP port');

present({
  port: address.port,
  answers: { settled },
  stop() {
    server.closeAllConnections();
    sqlite.close();
  },
});

function installationOf(row: Row): Installation<'v2', false> {
  const { token_type: tokenType, bot_scopes: scopes } = row;
  return {
    team: { id: row.team_id, name: row.team_name },
    enterprise: undefined,
    user: { id: row.user_id, token: undefined, scopes: undefined },
    bot: { token: row.bot_token, id: row.bot_id, userId: row.bot_user_id, scopes: scopes.split(',') },
    tokenType,
    appId: row.app_id,
    authVersion: 'v2',
    isEnterpriseInstall: false,
  };
}
