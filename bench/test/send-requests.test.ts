import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type TestContext, test } from 'node:test';
import { openConnections } from '../load/send-requests.ts';

async function connectionsTo(t: TestContext, listener: RequestListener) {
  const server = createServer(listener);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const connections = openConnections(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  t.after(async () => {
    await connections.close();
    server.closeAllConnections();
    server.close();
  });
  return connections;
}

const requests = (count: number) =>
  Array.from({ length: count }, (_, number) => ({
    headers: ['X-Number', String(number)],
    body: `ü${number}`,
  }));

test('the load generator opens the given number of connections and sends each request exactly once, both for responses with a Content-Length and for chunked responses', async (t) => {
  const seen: string[] = [];
  const peers = new Set<number | undefined>();
  const connections = await connectionsTo(t, async (req, res) => {
    peers.add(req.socket.remotePort);
    let body = '';
    for await (const piece of req.setEncoding('utf8')) body += piece;
    seen.push(`${req.headers['x-number']} ${body}`);
    // The server alternates between three kinds of answer: with a Content-Length of 0, with a chunked body, and with an
    // empty chunked body.
    if (seen.length % 3 === 0) res.writeHead(200).end();
    else if (seen.length % 3 === 1) res.writeHead(200, { 'Content-Length': 0 }).end();
    else res.writeHead(200).end('more');
  });
  const { latencies } = await connections.post('/', requests(30), 4);
  assert.deepEqual(
    seen.sort(),
    requests(30)
      .map((_, number) => `${number} ü${number}`)
      .sort(),
  );
  assert.equal(peers.size, 4);
  assert.ok(latencies.length === 30 && latencies.every((ms) => ms > 0));
});

test('the load generator does not reuse a connection that was idle for three seconds, since the server may be closing it', async (t) => {
  const clock = t.mock.method(performance, 'now');
  const peers: (number | undefined)[] = [];
  const connections = await connectionsTo(t, (req, res) => {
    peers.push(req.socket.remotePort);
    req.resume().once('end', () => res.writeHead(200).end());
  });
  await connections.post('/', requests(1), 1);
  await connections.post('/', requests(1), 1);
  const later = performance.now() + 3000;
  clock.mock.mockImplementation(() => later);
  await connections.post('/', requests(1), 1);
  assert.equal(peers[1], peers[0]);
  assert.notEqual(peers[2], peers[0]);
});

test('the load generator fails a batch of requests if a response has a status other than 200', async (t) => {
  const connections = await connectionsTo(t, (_req, res) => res.writeHead(401).end());
  await assert.rejects(connections.post('/slack/events', requests(3), 2), /401/);
});
