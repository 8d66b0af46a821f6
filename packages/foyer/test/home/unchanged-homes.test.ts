import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createUnchangedHomes } from '../../src/home/unchanged-homes.ts';

const minuteMs = 60_000;
const person = (number: number) => ({ installationId: 'ins_1', userId: `U${number}` });

describe('the memory of Homes that are up to date', () => {
  it('holds until anything is committed', () => {
    const homes = createUnchangedHomes();
    assert.equal(homes.has(person(1), 1, 0), false);
    homes.keep(person(1), 1, { foundAt: 0, openedAt: 0 });
    assert.equal(homes.has(person(1), 1, 0), true);
    assert.equal(homes.has(person(2), 1, 0), false);
    assert.equal(homes.has({ ...person(1), installationId: 'ins_2' }, 1, 0), false);
    assert.equal(homes.has(person(1), 2, 0), false);
    assert.equal(homes.has(person(1), 1, 0), false, 'nor again, if a mark should ever come back');
  });

  it('takes nothing that was read before something was committed', () => {
    const homes = createUnchangedHomes();
    homes.has(person(1), 1, 0);
    homes.has(person(2), 2, 0);
    homes.keep(person(1), 1, { foundAt: 0, openedAt: 0 });
    assert.equal(homes.has(person(1), 2, 0), false);
  });

  it('holds for some minutes, and not at all by a clock that was set back', () => {
    const homes = createUnchangedHomes();
    homes.has(person(1), 1, 0);
    homes.keep(person(1), 1, { foundAt: 5 * minuteMs, openedAt: 0 });
    assert.equal(homes.has(person(1), 1, 14 * minuteMs), true);
    assert.equal(homes.has(person(1), 1, 15 * minuteMs), false);
    assert.equal(homes.has(person(1), 1, 4 * minuteMs), false);
  });

  it('wants a note from who opens it while the last one is old', () => {
    const homes = createUnchangedHomes();
    homes.has(person(1), 1, 0);
    homes.keep(person(1), 1, { foundAt: 15 * minuteMs, openedAt: 10 * minuteMs });
    assert.equal(homes.has({ ...person(1), opened: true }, 1, 19 * minuteMs), true);
    assert.equal(homes.has({ ...person(1), opened: true }, 1, 20 * minuteMs), false);
    assert.equal(homes.has(person(1), 1, 20 * minuteMs), true);
  });

  it('forgets whoever was not asked for the longest', () => {
    const homes = createUnchangedHomes();
    homes.has(person(0), 1, 0);
    for (let number = 0; number < 5000; number += 1) {
      homes.keep(person(number), 1, { foundAt: 0, openedAt: 0 });
    }
    assert.equal(homes.has(person(0), 1, 0), true);
    homes.keep(person(5000), 1, { foundAt: 0, openedAt: 0 });
    assert.equal(homes.has(person(0), 1, 0), true);
    assert.equal(homes.has(person(1), 1, 0), false);
    assert.equal(homes.has(person(2), 1, 0), true);
  });
});
