import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createSeenPresses } from '../../src/events/seen-presses.ts';
import { createClock } from '../support/installations.ts';

const minute = 60_000;

test('a press is known for as long as its signature is accepted, also while others push it out', () => {
  const clock = createClock();
  const presses = createSeenPresses({ now: clock.now });
  assert.equal(presses.isFirst('v0=first'), true);
  assert.equal(presses.isFirst('v0=other'), true);
  assert.equal(presses.isFirst('v0=first'), false);
  clock.advance(10 * minute + 1);
  assert.equal(presses.isFirst('v0=later'), true);
  assert.equal(presses.isFirst('v0=first'), false, 'it is in the older half');
  for (let n = 0; n < 49_999; n += 1) presses.isFirst(`v0=${n}`);
  assert.equal(presses.isFirst('v0=later'), false, 'a flood of presses does not push out a fresh one');
  clock.advance(20 * minute);
  presses.isFirst('v0=x');
  clock.advance(20 * minute);
  presses.isFirst('v0=y');
  assert.equal(presses.isFirst('v0=first'), true, 'it is forgotten: its timestamp is refused by now');
});
