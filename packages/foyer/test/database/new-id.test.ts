import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { newId } from '../../src/database/new-id.ts';

describe('an id', () => {
  it('an id is a prefix and a ULID, and ids are unique and sort in order of creation', () => {
    const ids = Array.from({ length: 5000 }, () => newId('run'));
    for (const id of ids) assert.match(id, /^run_[0-7][0-9A-HJKMNP-TV-Z]{25}$/);
    assert.equal(new Set(ids).size, ids.length);
    assert.deepEqual(ids.toSorted(), ids);
  });

  it('an id can have any letter at each of its random positions', (t) => {
    t.mock.timers.enable({ apis: ['Date'], now: Date.now() });
    const places = Array.from({ length: 16 }, () => new Set<string>());
    for (let moments = 0; moments < 1000; moments += 1) {
      // Each id needs a new millisecond: `newId` chooses random letters only for the first id of a millisecond. Within
      // the same millisecond, `newId` increments the previous id.
      t.mock.timers.tick(1);
      for (const [place, letter] of [...newId('his').slice(-16)].entries()) places[place]?.add(letter);
    }
    // Almost all 32 letters occur in a thousand draws: fewer than 28 would mean that the source is not random.
    for (const letters of places) assert.ok(letters.size >= 28, `${letters.size} letters`);
  });
});
