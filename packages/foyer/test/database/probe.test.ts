import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { createProbe } from '../../src/database/probe.ts';

/** A probe whose outcome the test decides, on a clock that the test advances. */
function setUp(t: TestContext) {
  let time = 1000;
  t.mock.method(performance, 'now', () => time);
  const pending: PromiseWithResolvers<void>[] = [];
  const check = createProbe(() => {
    const probe = Promise.withResolvers<void>();
    pending.push(probe);
    return probe.promise;
  }, 'it is silent');
  const advance = (ms: number): void => {
    time += ms;
  };
  return { check, pending, advance };
}

describe('a database probe', () => {
  it('a database probe runs once for concurrent callers, and again once its result is more than two seconds old', async (t) => {
    const { check, pending, advance } = setUp(t);
    const asked = [check(), check(), check()];
    pending[0]?.resolve();
    await Promise.all(asked);
    advance(2000);
    await check();
    assert.equal(pending.length, 1);
    advance(1);
    const again = check();
    assert.equal(pending.length, 2);
    pending[1]?.reject(new Error('it is full'));
    await assert.rejects(again, /it is full/);
    await assert.rejects(check(), /it is full/, 'a failure counts as long as a success');
    assert.equal(pending.length, 2);
    advance(2001);
    const healed = check();
    pending[2]?.resolve();
    await healed;
  });

  it('a database probe keeps no caller waiting for more than a second, and counts as failed if it hangs for more than five seconds', async (t) => {
    const { check, pending, advance } = setUp(t);
    t.mock.timers.enable({ apis: ['setTimeout'] });
    const waiting = check();
    t.mock.timers.tick(1000);
    await waiting;
    advance(5000);
    const stillWaiting = check();
    t.mock.timers.tick(1000);
    await stillWaiting;
    advance(1);
    await assert.rejects(check(), /it is silent/);
    assert.equal(pending.length, 1, 'no second probe starts beside one that hangs');
    pending[0]?.resolve();
    await pending[0]?.promise;
    await Promise.resolve();
    const healed = check();
    pending[1]?.resolve();
    await healed;
  });
});
