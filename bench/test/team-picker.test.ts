import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createTeamPicker } from '../load/team-picker.ts';

const picked = (kind: 'warm' | 'mixed' | 'cold', teams: number, count: number): number[] =>
  Array.from({ length: count }, createTeamPicker(kind, teams));

describe('the team picker', () => {
  it('the “cold” team picker picks each team once before it picks any team again', () => {
    assert.equal(new Set(picked('cold', 1000, 1000)).size, 1000);
    // Here the usual stride, 7919, divides the number of teams.
    assert.equal(new Set(picked('cold', 7919, 7919)).size, 7919);
  });

  it('the “warm” team picker picks from only 200 teams', () => {
    assert.equal(new Set(picked('warm', 100_000, 5000)).size, 200);
  });

  it('the “mixed” team picker follows Zipf’s law: it picks the busiest team about twice as often as the second-busiest', () => {
    const counts = new Map<number, number>();
    for (const team of picked('mixed', 1000, 50_000)) counts.set(team, (counts.get(team) ?? 0) + 1);
    const [first = 0, second = 1] = [...counts.values()].sort((a, b) => b - a);
    assert.ok(first / second > 1.8 && first / second < 2.2, `${first} and ${second}`);
    assert.ok(counts.size > 950, `${counts.size} teams were met`);
  });
});
