import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { describe, it, type TestContext } from 'node:test';
import type { App, ReceiverEvent } from '@slack/bolt';
import { createLogger } from '../../src/config/log.ts';
import { createSlackReceiver } from '../../src/events/slack-receiver.ts';
import { createBodyReader } from '../../src/http/read-body.ts';

const event = (id: string): string => {
  const body = JSON.stringify({ type: 'event_callback', event_id: id, event: { type: 'message' } });
  const headers = ['Host: foyer', 'Content-Type: application/json', `Content-Length: ${body.length}`];
  return `POST /slack/events HTTP/1.1\r\n${headers.join('\r\n')}\r\n\r\n${body}`;
};

/** Starts a receiver behind its own server, and records what happens in it, in order. */
async function setUp(t: TestContext) {
  const happened: string[] = [];
  const listener = Promise.withResolvers<void>();
  const receiver = createSlackReceiver({
    signature: { ofHeaders: () => undefined, ofRequest: () => undefined },
    bodies: createBodyReader(),
    refusals: { add: () => assert.fail('nothing is refused') },
    addressOf: () => '127.0.0.1',
    commitLifecycle: () => undefined,
    now: Date.now,
    log: createLogger({ logLevel: 'silent', secrets: [] }, { pretty: false }),
  });
  const app: Pick<App, 'processEvent'> = {
    async processEvent({ body }: ReceiverEvent) {
      happened.push(`listener of ${body.event_id}`);
      await listener.promise;
    },
  };
  // The receiver uses nothing else of the app.
  receiver.init(app as App);
  const server = createServer((req, res) => {
    const end = res.end.bind(res);
    res.end = () => {
      happened.push('answer');
      return end();
    };
    void receiver.handle(req, res);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
  t.after(() => {
    listener.resolve();
    socket.destroy();
    server.close();
  });
  return { happened, receiver, server, socket, listener };
}

describe('the receiver of events', () => {
  it('acknowledges all events of one packet before it runs a listener', async (t) => {
    const { happened, socket } = await setUp(t);
    socket.write(event('Ev1') + event('Ev2') + event('Ev3'));
    while (happened.length < 6) await new Promise(setImmediate);
    assert.deepEqual(happened, [
      'answer',
      'answer',
      'answer',
      'listener of Ev1',
      'listener of Ev2',
      'listener of Ev3',
    ]);
  });

  it('is not drained until every listener has run', async (t) => {
    const { happened, receiver, server, socket, listener } = await setUp(t);
    const isDrained = Promise.withResolvers<void>();
    server.on('request', (_req, res) => {
      const end = res.end.bind(res);
      res.end = () => {
        // Runs at the end of this turn's microtasks, when the event has been handed over.
        queueMicrotask(() => {
          assert.deepEqual(happened, ['answer'], 'the listener has yet to run');
          receiver.drain().then(isDrained.resolve, isDrained.reject);
        });
        return end();
      };
    });
    socket.write(event('Ev1'));
    setImmediate(() => setImmediate(listener.resolve));
    await isDrained.promise;
    assert.deepEqual(happened, ['answer', 'listener of Ev1']);
  });
});
