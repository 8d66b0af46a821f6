import assert from 'node:assert/strict';
import { test } from 'node:test';
import { App, type Receiver } from '@slack/bolt';
import { WebClient } from '@slack/web-api';
import { createLazyClient, makeClientsLazy } from '../../src/events/bolt-app.ts';

const receiver: Receiver = { init() {}, start: async () => {}, stop: async () => {} };

/** Makes an app that records its calls to Slack, and a function that sends it one message event. */
function setApp() {
  const calls: { method: string; token: string | null }[] = [];
  const app = new App({
    receiver,
    convoStore: false,
    authorize: async ({ teamId }) => ({ botToken: `xoxb-${teamId}`, botId: 'B1', teamId }),
    clientOptions: {
      retryConfig: { retries: 0 },
      async fetch(input, init) {
        const headers = new Headers(init?.headers);
        const method = String(input).split('/').at(-1) ?? '';
        calls.push({ method, token: headers.get('authorization') });
        return Response.json({ ok: true });
      },
    },
  });
  makeClientsLazy(app);
  const message = (teamId: string) => ({
    body: {
      type: 'event_callback',
      team_id: teamId,
      event: { type: 'message', channel: 'C1', user: 'U1', text: 'hello', ts: '1.2' },
    },
    ack: async () => {},
  });
  return { app, calls, send: (teamId: string) => app.processEvent(message(teamId)) };
}

test('a listener’s `client` and `say` work as Bolt’s docs show, each with the token of its own team', async () => {
  const { app, calls, send } = setApp();
  app.message('hello', async ({ client, say, message }) => {
    assert.ok(client instanceof WebClient);
    await client.reactions.add({ channel: message.channel, name: 'wave', timestamp: message.ts });
    await say('hello to you');
    const { chat } = client;
    await chat.postMessage({ channel: 'C2', text: 'somewhere else' });
  });
  await send('T1');
  await send('T2');
  assert.deepEqual(
    calls.map(({ method, token }) => `${method} ${token}`),
    ['T1', 'T2'].flatMap((team) =>
      ['reactions.add', 'chat.postMessage', 'chat.postMessage'].map(
        (method) => `${method} Bearer xoxb-${team}`,
      ),
    ),
  );
});

test('Bolt caches no client for any team', async () => {
  const { app, send } = setApp();
  const kept = (app as unknown as { clients: Record<string, unknown> }).clients;
  let clients = 0;
  app.message('hello', async () => {
    clients += 1;
  });
  for (let team = 0; team < 50; team += 1) await send(`T${team}`);
  assert.equal(clients, 50);
  assert.deepEqual(Object.keys(kept), []);
});

test('a Slack client is created on first use, and only once', () => {
  let made = 0;
  const options = {
    get slackApiUrl() {
      made += 1;
      return 'http://127.0.0.1:9/api/';
    },
  };
  const client = createLazyClient('xoxb-1', options);
  assert.equal(made, 0);
  assert.equal(client.token, 'xoxb-1');
  const first = made;
  assert.ok(first > 0);
  assert.equal(typeof client.chat.postMessage, 'function');
  assert.equal(client.slackApiUrl, 'http://127.0.0.1:9/api/');
  assert.equal(made, first);
});
