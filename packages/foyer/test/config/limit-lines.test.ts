import assert from 'node:assert/strict';
import { Writable } from 'node:stream';
import { describe, it, type TestContext } from 'node:test';
import { createLogger, withLineIds } from '../../src/config/log.ts';

function setUp(t: TestContext) {
  t.mock.timers.enable({ apis: ['setInterval'] });
  const lines: Record<string, unknown>[] = [];
  const destination = new Writable({
    write(chunk, _encoding, done) {
      for (const text of String(chunk).split('\n').filter(Boolean)) lines.push(JSON.parse(text));
      done();
    },
  });
  const log = createLogger({ logLevel: 'debug', secrets: ['the-secret'] }, { destination });
  return { log, taken: () => lines.splice(0), minute: () => t.mock.timers.tick(60_000) };
}

describe('the log in an outage', () => {
  it('the log in an outage shows a problem’s first three lines in full, then one line a minute with the count and the sources', (t) => {
    const { log, taken, minute } = setUp(t);
    const child = log.child({ from: 'slack' });
    const fail = (n: number): void =>
      child.error({ err: new Error('down'), teamId: `T${n}`, address: '192.0.2.1' }, 'an event failed');
    for (let n = 1; n <= 1000; n += 1) fail(n);
    assert.deepEqual(
      taken().map(({ teamId, count }) => [teamId, count]),
      [
        ['T1', undefined],
        ['T2', undefined],
        ['T3', undefined],
      ],
    );
    minute();
    const [counted, ...more] = taken();
    assert.equal(more.length, 0);
    assert.deepEqual(
      [counted?.level, counted?.severity, counted?.msg, counted?.from, counted?.count],
      [50, 'error', 'an event failed', 'slack', 997],
    );
    assert.deepEqual(counted?.addresses, ['192.0.2.1']);
    assert.equal((counted?.teamIds as string[] | undefined)?.length, 10);
    fail(1);
    assert.equal(taken().length, 0, 'it continues: only the count is written');
    minute();
    assert.deepEqual(
      taken().map(({ count }) => count),
      [1],
    );
    minute();
    fail(1);
    assert.equal(taken().length, 1, 'after a quiet minute it is whole again');
  });

  it('the log counts repeated lines separately for each text, level and error code, up to a limited number of kinds', (t) => {
    const { log, taken } = setUp(t);
    for (const code of ['a', 'b'])
      for (let n = 0; n < 5; n += 1) {
        log.warn({ code }, 'no');
        log.error({ code }, 'no');
        log.warn({ err: Object.assign(new Error('x'), { code }) }, 'not either');
      }
    assert.equal(taken().length, 2 * 3 * 3);
    for (let n = 0; n < 5000; n += 1) log.warn(`a text with a number in it: ${n}`);
    assert.ok(taken().length <= 210);
  });

  it('the log never leaves out lines at the levels debug, info and fatal', (t) => {
    const { log, taken } = setUp(t);
    for (let n = 0; n < 50; n += 1)
      for (const level of ['debug', 'info', 'fatal'] as const) log[level]('same');
    assert.equal(taken().length, 150);
  });

  it('a flush of the log writes the pending counts, with secrets masked and without the id of the run that triggered the flush', (t) => {
    const { log, taken } = setUp(t);
    const fail = () => log.warn({ address: 'the-secret' }, 'no');
    for (let n = 0; n < 5; n += 1) withLineIds({ requestId: `req_${n}` }, fail);
    taken();
    withLineIds({ runId: 'run_other' }, () => log.flush());
    const [counted] = taken();
    assert.deepEqual(
      [counted?.count, counted?.requestIds, counted?.runId, counted?.addresses],
      [2, ['req_3', 'req_4'], undefined, ['[secret]']],
    );
  });
});
