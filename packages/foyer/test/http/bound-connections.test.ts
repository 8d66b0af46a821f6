import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { describe, it, type TestContext } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { boundConnections, type ConnectionBounds } from '../../src/http/bound-connections.ts';

/** Starts a server with these bounds. `open` connects a client to it. */
async function setUp(t: TestContext, bounds: Partial<ConnectionBounds>, answer: RequestListener) {
  const kinds: string[] = [];
  const refused = new Map<string, () => void>();
  const server = createServer((req, res) => {
    if (connections.admit(req, res)) answer(req, res);
  });
  const refusals = {
    add(kind: string) {
      kinds.push(kind);
      refused.get(kind)?.();
    },
  };
  const connections = boundConnections(server, { trustProxy: 0, refusals, bounds });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const clients: Socket[] = [];
  t.after(() => {
    for (const client of clients) client.destroy();
    server.close();
    server.closeAllConnections();
  });
  return {
    kinds,
    server,
    connections,
    /** Resolves once the server has refused something for the reason `kind`. */
    comes: (kind: string) =>
      kinds.includes(kind) ? Promise.resolve() : new Promise<void>((resolve) => refused.set(kind, resolve)),
    async open(text = ''): Promise<Socket> {
      const client = connect(port, '127.0.0.1');
      clients.push(client);
      client.on('error', () => {});
      await once(client, 'connect');
      if (text) client.write(text);
      return client;
    },
  };
}

const get = 'GET / HTTP/1.1\r\nHost: x\r\n\r\n';
const heard = async (client: Socket): Promise<string> => String((await once(client, 'data'))[0]);
const closed = (client: Socket) => client.destroyed || once(client.resume(), 'close');

describe('the limits on connections', () => {
  it('if an address has too many connections, the server closes that address’s oldest idle connection to admit the new one', async (t) => {
    const { open, kinds } = await setUp(t, { mostPerAddress: 3 }, (_req, res) => res.end('ok'));
    const [first, ...others] = [await open(), await open(), await open()];
    const newest = await open(get);
    assert.match(await heard(newest), /200 OK/);
    await closed(first);
    assert.ok(others.every((client) => !client.destroyed));
    assert.deepEqual(kinds, ['too_many_from_one_address']);
  });

  it('if all addresses together have too many connections, the server closes the oldest idle connection', async (t) => {
    const { open, kinds } = await setUp(t, { mostConnections: 3 }, (_req, res) => res.end('ok'));
    const first = await open();
    for (let n = 0; n < 2; n += 1) await open();
    assert.match(await heard(await open(get)), /200 OK/);
    await closed(first);
    assert.deepEqual(kinds, ['too_many_connections']);
  });

  it('at the connection limit, the server closes a new connection if every other connection is still waiting for its response', async (t) => {
    const answers: (() => void)[] = [];
    const { open } = await setUp(t, { mostPerAddress: 2 }, (_req, res) => answers.push(() => res.end('ok')));
    const clients = [await open(get), await open(get)];
    while (answers.length < 2) await new Promise(setImmediate);
    await closed(await open(get));
    for (const answer of answers) answer();
    for (const client of clients) assert.match(await heard(client), /200 OK/);
  });

  it('to admit a new connection, the server closes the oldest connection that has not finished sending its request', async (t) => {
    const { open, kinds } = await setUp(t, { mostPerAddress: 3 }, (req, res) => {
      req.resume().on('end', () => res.end('ok'));
    });
    const slow = 'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\na';
    const [first, ...others] = [await open(slow), await open(slow), await open(slow)];
    assert.match(await heard(await open(get)), /200 OK/);
    await closed(first);
    assert.ok(others.every((client) => !client.destroyed));
    assert.deepEqual(kinds, ['too_many_from_one_address']);
  });

  it('the server answers a few pipelined requests, and cuts off a connection that pipelines more than the limit', async (t) => {
    let asked = 0;
    const { open, comes } = await setUp(t, { mostPipelined: 5 }, (_req, res) => {
      asked += 1;
      setImmediate(() => res.end('ok'));
    });
    const polite = await open(get.repeat(5));
    let text = '';
    polite.setEncoding('utf8').on('data', (part) => {
      text += part;
    });
    while (text.split('200 OK').length < 6) await new Promise(setImmediate);
    asked = 0;
    const client = await open(get.repeat(1000));
    await Promise.all([closed(client), comes('too_many_pipelined')]);
    assert.equal(asked, 5, 'no work is done for the other requests');
  });

  it('by default, the server cuts off a connection that pipelines five requests', async (t) => {
    const { open, comes } = await setUp(t, {}, (_req, res) => void setImmediate(() => res.end('ok')));
    const client = await open(get.repeat(5));
    await Promise.all([closed(client), comes('too_many_pipelined')]);
  });

  it('the server does not parse most of the requests that a connection sent before it was cut off', async (t) => {
    const { open, comes, server } = await setUp(t, {}, (_req, res) => void setImmediate(() => res.end('ok')));
    let parsed = 0;
    server.on('request', () => {
      parsed += 1;
    });
    const client = await open(get.repeat(2400));
    await Promise.all([closed(client), comes('too_many_pipelined')]);
    assert.ok(parsed < 200, `${parsed} requests were parsed`);
  });

  it('the server notices that a client hung up before the response', async (t) => {
    const { open, server } = await setUp(t, {}, () => {});
    const client = await open(get);
    const [, res] = await once(server, 'request');
    client.destroy();
    await once(res, 'close');
  });

  it('a body that arrives in one-byte pieces does not block the event loop', async (t) => {
    let pieces = 0;
    const { open } = await setUp(t, {}, (req, res) => {
      req.on('data', () => {
        pieces += 1;
      });
      req.on('end', () => res.end('ok'));
    });
    let [mostInOneTurn, before, isOver] = [0, 0, false];
    const count = (): void => {
      mostInOneTurn = Math.max(mostInOneTurn, pieces - before);
      before = pieces;
      if (!isOver) setImmediate(count);
    };
    count();
    const head = 'POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n';
    assert.match(await heard(await open(`${head}${'1\r\na\r\n'.repeat(60_000)}0\r\n\r\n`)), /200 OK/);
    isOver = true;
    assert.equal(pieces, 60_000);
    assert.ok(mostInOneTurn < 5000, `${mostInOneTurn} pieces in one turn`);
  });

  it('the server cuts off a client that leaves too much of a response unread, or that reads nothing for a while', async (t) => {
    const page = Buffer.alloc(8_000_000);
    const bounds = { mostUnreadBytes: 5_000_000, unreadForMs: 60_000 };
    const large = await setUp(t, bounds, (_req, res) => res.end(page));
    (await large.open(get)).pause();
    await large.comes('answer_unread');
    const slow = await setUp(t, { mostUnreadBytes: 20_000_000, unreadForMs: 100 }, (_req, res) =>
      res.end(page),
    );
    (await slow.open(get)).pause();
    await slow.comes('answer_unread');
  });

  it('if all clients together leave too much unread, the server cuts off the connection with the most unread bytes', async (t) => {
    const bounds = { mostUnreadBytes: 50_000_000, mostUnreadBytesInAll: 20_000_000, unreadForMs: 60_000 };
    const { open, comes, kinds } = await setUp(t, bounds, (req, res) =>
      res.end(Buffer.alloc(Number(req.url?.slice(1)))),
    );
    const [small, large] = [await open(), await open()];
    small.pause().write(get.replace('/ ', '/10000000 '));
    large.pause().write(get.replace('/ ', '/30000000 '));
    await comes('answer_unread');
    await closed(large);
    assert.equal(kinds.length, 1);
    assert.ok(!small.destroyed);
  });

  it('the server does not cut off a client that reads slowly, or one whose request the host app answers', async (t) => {
    const bounds = { mostUnreadBytes: 50_000_000, unreadForMs: 1200, mostPipelined: 1000 };
    const slowly = await setUp(t, bounds, (_req, res) => res.end(Buffer.alloc(100_000)));
    const client = (await slowly.open(get.repeat(200))).pause();
    // Reads 1.5 MB at a time, with pauses that add up to more than `unreadForMs`.
    for (let n = 0; n < 9; n += 1) {
      let bytes = 0;
      while (bytes < 1_500_000) {
        const part: Buffer | null = client.read();
        if (part) bytes += part.length;
        else await new Promise(setImmediate);
      }
      await delay(250);
    }
    const foreign = await setUp(t, { mostUnreadBytes: 1000, unreadForMs: 100 }, (req, res) => {
      foreign.connections.leaveToHost(req, res);
      res.end(Buffer.alloc(30_000_000));
    });
    (await foreign.open(get)).pause();
    await delay(700);
    assert.deepEqual([...slowly.kinds, ...foreign.kinds], []);
  });
});
