import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { pino } from 'pino';
import { createRefusals } from '../../src/http/count-refusals.ts';

function setUp(t: TestContext) {
  t.mock.timers.enable({ apis: ['setInterval'] });
  const lines: string[] = [];
  const log = pino({ base: undefined, timestamp: false }, { write: (line: string) => lines.push(line) });
  const heard: string[] = [];
  const refusals = createRefusals({ log, onRefused: (kind) => heard.push(kind) });
  t.after(() => refusals.close());
  const logged = () =>
    lines.splice(0).map((line) => {
      const { kind, count, address } = JSON.parse(line) as { kind: string; count: number; address: string };
      return `${kind} ${count} ${address}`;
    });
  return { refusals, heard, logged, tick: (ms: number) => t.mock.timers.tick(ms) };
}

describe('the log of refused requests', () => {
  it('the log of refused requests has a line for the first refusal of a kind, then one line per minute with the count and the latest address', (t) => {
    const { refusals, heard, logged, tick } = setUp(t);
    for (let n = 1; n <= 5000; n += 1) refusals.add('signature_missing', `192.0.2.${n % 250}`);
    refusals.add('wrong_host', '198.51.100.1');
    assert.deepEqual(logged(), ['signature_missing 1 192.0.2.1', 'wrong_host 1 198.51.100.1']);
    tick(60_000);
    assert.deepEqual(logged(), ['signature_missing 4999 192.0.2.0']);
    tick(300_000);
    assert.deepEqual(logged(), []);
    assert.equal(heard.length, 5001, 'the metrics count each refusal');
  });

  it('the first refusal after a quiet minute is logged immediately, and refusals that are not logged yet are logged on close', (t) => {
    const { refusals, logged, tick } = setUp(t);
    refusals.add('wrong_host', '192.0.2.1');
    tick(120_000);
    refusals.add('wrong_host', '192.0.2.2');
    refusals.add('wrong_host', '192.0.2.3');
    refusals.close();
    assert.deepEqual(logged(), [
      'wrong_host 1 192.0.2.1',
      'wrong_host 1 192.0.2.2',
      'wrong_host 1 192.0.2.3',
    ]);
  });
});
