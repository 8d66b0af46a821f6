import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { figureOf, interleave, pairedRatio } from '../slices.ts';

describe('slices', () => {
  it('interleave runs each contender once per round, alternates which one goes first, and discards the first round as a warm-up', async () => {
    const turns: string[] = [];
    const turn = (name: string) => async (slice: number) => {
      turns.push(`${name}${slice}`);
      return { rate: slice };
    };
    const samples = await interleave(2, { a: turn('a'), b: turn('b') });
    assert.deepEqual(turns, ['a-1', 'b-1', 'b0', 'a0', 'a1', 'b1']);
    assert.deepEqual(samples, { a: [{ rate: 0 }, { rate: 1 }], b: [{ rate: 0 }, { rate: 1 }] });
  });

  it('pairedRatio compares slices of the same round, so a slowdown that hits both contenders does not change the ratio', () => {
    const fast = [200, 20, 200, 200];
    const slow = [100, 10, 100, 100];
    assert.deepEqual(pairedRatio(fast, slow), { median: 2, low: 2, high: 2 });
  });

  it('figureOf summarizes slices by their median and quartiles, so one outlier hardly changes the figure', () => {
    const { median, low, high } = figureOf([5, 1, 2, 3, 4, 1000, 3]);
    assert.equal(median, 3);
    assert.ok(low >= 2 && high <= 5, `${low}–${high}`);
  });
});
