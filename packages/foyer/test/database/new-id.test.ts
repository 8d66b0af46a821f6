import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { newId } from '../../src/database/new-id.ts';

describe('an id', () => {
  it('is a ULID behind its prefix, and no two are alike or out of order', () => {
    const ids = Array.from({ length: 5000 }, () => newId('run'));
    for (const id of ids) assert.match(id, /^run_[0-7][0-9A-HJKMNP-TV-Z]{25}$/);
    assert.equal(new Set(ids).size, ids.length);
    assert.deepEqual(ids.toSorted(), ids);
  });

  it('has any letter in each of its random places', (t) => {
    t.mock.timers.enable({ apis: ['Date'], now: Date.now() });
    const places = Array.from({ length: 16 }, () => new Set<string>());
    for (let moments = 0; moments < 1000; moments += 1) {
      // Within one moment, ids only count on.
      t.mock.timers.tick(1);
      for (const [place, letter] of [...newId('his').slice(-16)].entries()) places[place]?.add(letter);
    }
    // All 32 but for chance: fewer than 28 of a thousand would be a source that is not random.
    for (const letters of places) assert.ok(letters.size >= 28, `${letters.size} letters`);
  });
});
