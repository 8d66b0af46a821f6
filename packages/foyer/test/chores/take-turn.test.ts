import assert from 'node:assert/strict';
import { test } from 'node:test';
import { takeTurn } from '../../src/chores/take-turn.ts';
import { engines } from '../support/open-test-database.ts';

for (const [name, open] of Object.entries(engines)) {
  test(`only one process takes each turn of a chore, on ${name}`, async (t) => {
    const opened = await open();
    t.after(() => opened.close());
    const processes = [opened.database, await opened.reopen(), await opened.reopen()];
    let now = 1_000_000;
    const turns = async () => {
      const taken = await Promise.all(
        [...processes, ...processes].map((database) =>
          takeTurn(database, { chore: 'sweep', everyMs: 60_000, now }),
        ),
      );
      return taken.filter(Boolean).length;
    };
    assert.equal(await turns(), 1, 'the first time');
    assert.equal(await turns(), 0, 'again right away');
    now += 29_999;
    assert.equal(await turns(), 0, 'before half the interval has passed');
    now += 1;
    assert.equal(await turns(), 1, 'after half the interval');
    now -= 3_600_000;
    assert.equal(await turns(), 1, 'after a clock that was ahead');
    assert.equal(await takeTurn(opened.database, { chore: 'another', everyMs: 60_000, now }), true);
  });
}
