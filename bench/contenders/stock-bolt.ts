import { App, type Installation } from '@slack/bolt';
import { app as slackApp } from '../load/signed-events.ts';
import { installationOf } from '../seed/bench-installation.ts';
import { addBenchListeners, listenerWork } from './bench-listeners.ts';
import { createCounter, present } from './contender.ts';
import { homeViewOf } from './home-view-of.ts';

/**
 * Stock Bolt with its HTTPReceiver. It keeps all installations in memory, in plain text, so it spends no time on a
 * database or on encryption. (docs.slack.dev/tools/bolt-js/concepts/authenticating-oauth)
 */
const { SLACK_API_URL, TEAMS = '0' } = process.env;
const installations = new Map<string, Installation>();
for (let number = 0; number < Number(TEAMS); number += 1) {
  const installation = installationOf(number);
  installations.set(installation.team.id, installation);
}

const app = new App({
  signingSecret: slackApp.signingSecret,
  clientId: slackApp.clientId,
  clientSecret: slackApp.clientSecret,
  stateSecret: 'my-state-secret',
  scopes: ['chat:write'],
  clientOptions: { slackApiUrl: SLACK_API_URL },
  installationStore: {
    async storeInstallation() {},
    async fetchInstallation({ teamId = '' }) {
      const installation = installations.get(teamId);
      if (!installation) throw new Error('Failed fetching installation');
      return installation;
    },
  },
});
const { note, settled } = createCounter();
addBenchListeners(app, listenerWork, note);
// Foyer has its own listener for App Home. Stock Bolt needs this one.
app.event('app_home_opened', async ({ event, context, client }) => {
  if (event.tab !== 'home') return;
  const { teamId = '' } = context;
  const view = homeViewOf({ teamId, teamName: `Team of ${teamId}`, userId: event.user });
  await client.views.publish({ user_id: event.user, view });
});
const server = await app.start({ port: 0, host: '127.0.0.1' });
const address = server.address();
if (address === null || typeof address === 'string') throw new Error('Bolt is not listening on a TCP port');

present({ port: address.port, answers: { settled }, stop: () => server.closeAllConnections() });
