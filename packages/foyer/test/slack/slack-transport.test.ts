import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type TestContext, test } from 'node:test';
import { createSlackTransport } from '../../src/slack/slack-transport.ts';

const sent = () => ({
  method: 'POST',
  headers: { authorization: 'Bearer xoxb-1' },
  body: 'a=b',
  signal: AbortSignal.timeout(10_000),
});

async function listen(t: TestContext, server: Server): Promise<string> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

test('the Slack transport returns a response’s status, headers and body, and follows no redirect', async (t) => {
  const asked: string[] = [];
  const url = await listen(
    t,
    createServer((req, res) => {
      asked.push(`${req.method} ${req.url} ${req.headers.authorization}`);
      res.writeHead(302, { location: '/elsewhere', 'x-oauth-scopes': 'chat:write' }).end('{"ok":false}');
    }),
  );
  const answer = await createSlackTransport({ throughProxy: false })(`${url}/api/auth.test`, sent());
  assert.deepEqual(
    [answer.status, answer.headers.get('x-oauth-scopes'), answer.body.toString()],
    [302, 'chat:write', '{"ok":false}'],
  );
  assert.deepEqual(asked, ['POST /api/auth.test Bearer xoxb-1']);
});

test('the Slack transport uses the proxy in https_proxy only if throughProxy is true', async (t) => {
  const through: string[] = [];
  const proxy = createServer((_req, res) => res.writeHead(500).end());
  proxy.on('connect', (req, socket) => {
    through.push(req.url ?? '');
    socket.end('HTTP/1.1 502 Bad Gateway\r\n\r\n');
  });
  const url = await listen(t, proxy);
  const before = process.env.https_proxy;
  process.env.https_proxy = url;
  t.after(() => {
    if (before === undefined) delete process.env.https_proxy;
    else process.env.https_proxy = before;
  });
  // The host does not exist: a call without the proxy fails, and reaches no server.
  const call = (throughProxy: boolean) =>
    createSlackTransport({ throughProxy })('https://slack.invalid/api/auth.test', sent());
  await assert.rejects(call(false));
  assert.deepEqual(through, []);
  await assert.rejects(call(true));
  assert.deepEqual(through, ['slack.invalid:443']);
});
