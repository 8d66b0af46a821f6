import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { describe, it, type TestContext } from 'node:test';
import type { App, ReceiverEvent } from '@slack/bolt';
import { createLogger } from '../../src/config/log.ts';
import { RepeatEventError } from '../../src/events/repeat-event.ts';
import { createSlackReceiver } from '../../src/events/slack-receiver.ts';
import { createBodyReader } from '../../src/http/read-body.ts';

const event = (id: string): string => {
  const body = JSON.stringify({ type: 'event_callback', event_id: id, event: { type: 'message' } });
  const headers = ['Host: foyer', 'Content-Type: application/json', `Content-Length: ${body.length}`];
  return `POST /slack/events HTTP/1.1\r\n${headers.join('\r\n')}\r\n\r\n${body}`;
};

const press = (signature: string): string => {
  const body = JSON.stringify({ type: 'block_actions', event_id: signature });
  const headers = ['Host: foyer', 'Content-Type: application/json', `Content-Length: ${body.length}`];
  const signed = `X-Slack-Signature: ${signature}`;
  return `POST /slack/events HTTP/1.1\r\n${[...headers, signed].join('\r\n')}\r\n\r\n${body}`;
};

/**
 * Starts a receiver behind its own server, and records what happens in it, in order. `claimed` is the database's answer
 * to whether a delivery is new; without it, the process answers from its memory.
 */
async function setUp(
  t: TestContext,
  hear?: (body: ReceiverEvent['body']) => void,
  commitLifecycle: () => Promise<void> | undefined = () => undefined,
  claimed?: Promise<boolean>,
) {
  const happened: string[] = [];
  const refused: string[] = [];
  const delivered = new Set<string>();
  const listener = Promise.withResolvers<void>();
  const receiver = createSlackReceiver({
    signature: { ofHeaders: () => undefined, ofRequest: () => undefined },
    bodies: createBodyReader(),
    refusals: { add: (kind) => void refused.push(kind) },
    addressOf: () => '127.0.0.1',
    commitLifecycle,
    seen: {
      isFirst: (key) => claimed ?? (!delivered.has(key) && delivered.add(key) === delivered),
      forget: async (key) => void happened.push(`forget ${key}`),
    },
    now: Date.now,
    log: createLogger({ logLevel: 'silent', secrets: [] }, { pretty: false }),
  });
  const app: Pick<App, 'processEvent'> = {
    async processEvent({ body }: ReceiverEvent) {
      happened.push(`listener of ${body.event_id}`);
      if (hear) return hear(body);
      await listener.promise;
    },
  };
  // The receiver uses only the app's `processEvent`.
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
    assert.deepEqual(refused, [], 'what is refused is looked at');
    listener.resolve();
    socket.destroy();
    server.close();
  });
  return { happened, refused, receiver, server, socket, listener };
}

/** Waits ten turns of the event loop: enough for what needs no timer. */
async function someTurns(): Promise<void> {
  for (let turn = 0; turn < 10; turn += 1) await new Promise(setImmediate);
}

describe('the event receiver', () => {
  it('the event receiver acknowledges all events in one packet before it runs a listener', async (t) => {
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

  it('the event receiver acknowledges an event only after the resulting change is committed', async (t) => {
    const committed = Promise.withResolvers<void>();
    const { happened, socket } = await setUp(t, undefined, () => {
      happened.push('commit');
      return committed.promise;
    });
    socket.write(event('Ev1'));
    while (happened.length < 1) await new Promise(setImmediate);
    await someTurns();
    assert.deepEqual(happened, ['commit']);
    committed.resolve();
    while (happened.length < 3) await new Promise(setImmediate);
    assert.deepEqual(happened, ['commit', 'answer', 'listener of Ev1']);
  });

  it('if a listener keeps asking to repeat an event, the event receiver repeats it three times, and then forgets it', async (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] });
    const { happened, socket } = await setUp(t, ({ event_id: id }) => {
      if (id === 'Ev1') throw new RepeatEventError('the calendar is down');
      if (id === 'Ev2') throw new Error('a mistake');
    });
    socket.write(event('Ev1') + event('Ev2'));
    while (happened.length < 4) await new Promise(setImmediate);
    for (const [index, delayMs] of [1000, 10_000, 60_000].entries()) {
      await someTurns();
      t.mock.timers.tick(delayMs - 1);
      await someTurns();
      assert.equal(happened.length, 4 + index, `${delayMs} ms are not over`);
      t.mock.timers.tick(1);
      await someTurns();
      assert.ok(happened.length >= 5 + index, `${delayMs} ms are over`);
    }
    const ofFirst = 'listener of Ev1';
    assert.deepEqual(happened.slice(2), [
      ofFirst,
      'listener of Ev2',
      ofFirst,
      ofFirst,
      ofFirst,
      'forget event Ev1',
    ]);
  });

  it('the event receiver does not repeat an event if the listener asks for a repeat while the receiver is draining', async (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] });
    const asked = Promise.withResolvers<void>();
    const { happened, socket, receiver } = await setUp(t, () => asked.promise);
    socket.write(event('Ev1'));
    while (happened.length < 2) await new Promise(setImmediate);
    const drained = receiver.drain();
    asked.reject(new RepeatEventError('not yet'));
    await drained;
    await someTurns();
    t.mock.timers.tick(60_000);
    await someTurns();
    assert.deepEqual(happened, ['answer', 'listener of Ev1', 'forget event Ev1']);
  });

  it('once drained, the event receiver drops the repeats that were still due', async (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] });
    const { happened, socket, receiver } = await setUp(t, () => {
      throw new RepeatEventError('not yet');
    });
    socket.write(event('Ev1'));
    while (happened.length < 2) await new Promise(setImmediate);
    await someTurns();
    await receiver.drain();
    t.mock.timers.tick(60_000);
    await someTurns();
    assert.equal(happened.length, 2);
  });

  it('the event receiver answers 503 to events and button presses once a drain has begun', async (t) => {
    const committed = Promise.withResolvers<void>();
    const commits = [committed.promise, undefined];
    const { happened, socket, receiver } = await setUp(t, undefined, () => commits.shift());
    const statuses: string[] = [];
    socket.setEncoding('utf8').on('data', (text: string) => {
      statuses.push(...Array.from(text.matchAll(/^HTTP\/1\.1 (\d+)/gm), ([, status = '']) => status));
    });
    socket.write(event('being committed'));
    while (commits.length > 1) await new Promise(setImmediate);
    await receiver.drain();
    committed.resolve();
    while (statuses.length < 1) await new Promise(setImmediate);
    for (const late of [event('Ev2'), press('v0=1')]) {
      const before = statuses.length;
      socket.write(late);
      while (statuses.length === before) await new Promise(setImmediate);
    }
    await someTurns();
    assert.deepEqual(
      [statuses, happened],
      [
        ['503', '503', '503'],
        ['answer', 'answer', 'answer'],
      ],
    );
  });

  it('the event receiver’s drain does not finish until every listener has run', async (t) => {
    const { happened, receiver, server, socket, listener } = await setUp(t);
    const isDrained = Promise.withResolvers<void>();
    server.on('request', (_req, res) => {
      const end = res.end.bind(res);
      res.end = () => {
        // Runs after the receiver has handed the event to the app, and before the app's listener runs.
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

describe('the receiver of button presses', () => {
  it('if no listener acknowledges a button press, the receiver answers it before Slack would show an error', async (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] });
    const { happened, socket } = await setUp(t);
    socket.write(press('v0=1'));
    while (happened.length < 1) await new Promise(setImmediate);
    assert.deepEqual(happened, ['listener of v0=1']);
    // The receiver's timer runs for the rest of the time limit: the limit minus the real time that the request has
    // taken.
    t.mock.timers.tick(1800);
    assert.equal(happened.length, 1);
    t.mock.timers.tick(1000);
    assert.deepEqual(happened, ['listener of v0=1', 'answer']);
  });

  it('if no listener acknowledges a button press, the receiver answers the press as soon as the listeners have ended', async (t) => {
    // No timer fires here. The receiver therefore answers because the listener has ended, not because its time is up.
    t.mock.timers.enable({ apis: ['setTimeout'] });
    const { happened, socket, listener } = await setUp(t);
    listener.resolve();
    socket.write(press('v0=1'));
    for (let turn = 0; turn < 20_000 && happened.length < 2; turn += 1) await new Promise(setImmediate);
    assert.deepEqual(happened, ['listener of v0=1', 'answer']);
  });

  it('a drain waits for a button press that arrived before the drain, even while Foyer still checks in the database that the press is new', async (t) => {
    const claimed = Promise.withResolvers<boolean>();
    const { happened, receiver, server, socket, listener } = await setUp(
      t,
      undefined,
      undefined,
      claimed.promise,
    );
    listener.resolve();
    socket.write(press('v0=1'));
    await once(server, 'request');
    await someTurns();
    const drained = receiver.drain().then(() => happened.push('drained'));
    await someTurns();
    claimed.resolve(true);
    await drained;
    assert.deepEqual(happened, ['listener of v0=1', 'answer', 'drained']);
  });

  it('the receiver runs no listener for a duplicate button press, and counts the duplicate as refused', async (t) => {
    const { happened, refused, socket, listener } = await setUp(t);
    listener.resolve();
    socket.write(press('v0=1') + press('v0=1') + press('v0=2'));
    while (happened.length < 5) await new Promise(setImmediate);
    assert.deepEqual(happened.filter((each) => each !== 'answer').sort(), [
      'listener of v0=1',
      'listener of v0=2',
    ]);
    assert.deepEqual(refused.splice(0), ['replayed_press']);
  });
});
