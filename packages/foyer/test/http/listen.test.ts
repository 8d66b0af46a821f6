import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { connect, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { describe, it, type TestContext } from 'node:test';
import { Worker } from 'node:worker_threads';
import { ConfigError } from '../../src/config/config-error.ts';
import { listen } from '../../src/http/own-server.ts';

const faultsOf = async (http: { port: number; host: string }) => {
  const error = await listen(createServer(), http).then(
    () => assert.fail('it listens'),
    (refusal: unknown) => refusal,
  );
  assert.ok(error instanceof ConfigError);
  return error.problems;
};

describe('a server that cannot listen', () => {
  it('if another process listens on the port, `listen` reports that with a fix', async (t) => {
    const first = await listen(createServer(), { port: 0, host: '127.0.0.1' });
    t.after(() => first.close(0));
    const { port } = first.address;
    assert.deepEqual(await faultsOf({ port, host: '127.0.0.1' }), [
      {
        name: 'PORT',
        problem: `${port} is taken: another process listens on it`,
        fix: 'stop that process, or use another port',
      },
    ]);
  });

  it('`listen` reports a host that is not an address of this machine, or not an address at all', async () => {
    // 192.0.2.0/24 is reserved for documentation (RFC 5737).
    for (const host of ['192.0.2.1', 'http://127.0.0.1', '[::1]']) {
      const [fault] = await faultsOf({ port: 0, host });
      assert.equal(fault?.name, 'HOST', host);
      assert.match(fault.problem, /is not an address of this machine/);
    }
  });
});

describe('a server that is closing', () => {
  const request = 'GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n';

  async function startServer() {
    const server = createServer((_req, res) => res.end('hello'));
    const listening = await listen(server, { port: 0, host: '127.0.0.1' });
    return { server, listening, port: listening.address.port };
  }

  /** Opens a connection that sends nothing; resolves when the server has accepted it. */
  async function openConnection(t: TestContext, { server, port }: Awaited<ReturnType<typeof startServer>>) {
    const accepted = once(server, 'connection');
    const client: Socket = connect(port, '127.0.0.1');
    t.after(() => client.destroy());
    await accepted;
    return client;
  }

  async function closingMs({ listening }: Awaited<ReturnType<typeof startServer>>): Promise<number> {
    const startedAt = performance.now();
    await listening.close(8000);
    return performance.now() - startedAt;
  }

  it('a server that is closing still answers a request on a connection that was opened just before', async (t) => {
    const started = await startServer();
    const client = await openConnection(t, started);
    const closed = started.listening.close(8000);
    await new Promise((next) => setTimeout(next, 50));
    client.write(request);
    assert.match(await text(client), /^HTTP\/1\.1 200 OK\r\n.*hello$/s);
    await closed;
  });

  it('a server that is closing still answers requests on connections that it has not accepted yet', async () => {
    const { listening, port } = await startServer();
    const sent = new Int32Array(new SharedArrayBuffer(4));
    const count = 8;
    const client = new Worker(
      `const { workerData: { port, request, sent, count }, parentPort } = require('node:worker_threads');
      for (let n = 0; n < count; n += 1) {
        const socket = require('node:net').connect(port, '127.0.0.1', () => socket.write(request, () => {
          Atomics.add(sent, 0, 1);
          Atomics.notify(sent, 0);
        }));
        let answer = '';
        socket.setEncoding('utf8').on('data', (part) => { answer += part; });
        socket.on('error', (error) => { answer = error.message; });
        socket.on('close', () => parentPort.postMessage(answer.split('\\r\\n')[0]));
      }`,
      { eval: true, workerData: { port, request, sent, count } },
    );
    await once(client, 'online');
    const answers: string[] = [];
    client.on('message', (answer) => answers.push(answer));
    // Blocks this thread, and with it the server, until the client has sent its requests. So the server has accepted
    // none of the client's connections when the test closes it.
    for (let n = 0; n < count; n = Atomics.load(sent, 0))
      assert.notEqual(Atomics.wait(sent, 0, n, 20_000), 'timed-out');
    await Promise.all([listening.close(8000), once(client, 'exit')]);
    assert.deepEqual(answers, Array(count).fill('HTTP/1.1 200 OK'));
  });

  it('a server that is closing waits half a second for the request of a new connection, but not for an older idle connection', async (t) => {
    const first = await startServer();
    await openConnection(t, first);
    const newMs = await closingMs(first);
    assert.ok(newMs > 300 && newMs < 3000, `${newMs} ms`);
    const second = await startServer();
    await openConnection(t, second);
    await new Promise((next) => setTimeout(next, 600));
    const oldMs = await closingMs(second);
    assert.ok(oldMs < 400, `${oldMs} ms`);
  });
});
