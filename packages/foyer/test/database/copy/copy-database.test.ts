import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { copyDatabase } from '../../../src/database/copy/copy-database.ts';
import { CopyError } from '../../../src/database/copy/copy-mark.ts';
import type { Database } from '../../../src/database/database.ts';
import { everythingIn, fillEveryTable } from '../../operator/fill-every-table.ts';
import { engines, openTestDatabase } from '../../support/open-test-database.ts';

const isTakenOver = (error: unknown): boolean => error instanceof CopyError && error.code === 'taken_over';

for (const [engine, open] of Object.entries(engines)) {
  describe(`copying twice at the same time into one ${engine} database`, () => {
    for (const [what, finishes] of [
      ['is under way', false],
      ['has finished', true],
    ] as const) {
      it(`if two copies write to one ${engine} database, the earlier one stops once the later one ${what}, and no row is copied twice`, async (t) => {
        const [from, to] = [await openTestDatabase(), await open()];
        t.after(() => Promise.all([from.close(), to.close()]));
        await fillEveryTable(from.database, 40);
        const both = { source: from.database, sourceName: 'the source' };
        const later = await to.reopen();
        let writes = 0;
        /**
         * The database into which the earlier copy writes. Just before its fifth write, the later copy runs, and
         * copies all rows that are still missing.
         */
        const target: Database = {
          ...to.database,
          async write(work, patienceMs) {
            writes += 1;
            if (writes === 5) {
              const whole = await copyDatabase({ ...both, target: later });
              assert.equal(whole.resumed, true);
              if (finishes) await whole.finish();
            }
            return to.database.write(work, patienceMs);
          },
        };
        await assert.rejects(copyDatabase({ ...both, target }), isTakenOver);
        assert.equal(writes, 5);
        assert.deepEqual(await everythingIn(later), await everythingIn(from.database));
      });
    }
  });
}

describe('copying again after the source of a partial copy has changed', () => {
  it('the next copy clears a partial copy that no longer matches its source, even if the first attempt to clear it was killed', async (t) => {
    const [from, to] = [await openTestDatabase(), await openTestDatabase()];
    t.after(() => Promise.all([from.close(), to.close()]));
    await fillEveryTable(from.database, 30);
    const deps = { source: from.database, target: to.database, sourceName: 'the source' };
    await copyDatabase(deps);
    await from.database.queries.deleteFrom('runs').execute();
    let writes = 0;
    const killed: Database = {
      ...to.database,
      write(work, patienceMs) {
        writes += 1;
        if (writes === 9) throw new Error('killed');
        return to.database.write(work, patienceMs);
      },
    };
    await assert.rejects(copyDatabase({ ...deps, target: killed }), /killed/);
    const left = await everythingIn(to.database);
    assert.equal(left.steps?.length, 0);
    assert.equal(left.installations?.length, 30, 'clearing was not finished');
    let startedOver = 0;
    const onStartOver = (): void => {
      startedOver += 1;
    };
    const whole = await copyDatabase({ ...deps, onStartOver });
    assert.deepEqual([startedOver, whole.resumed], [1, true]);
    await whole.finish();
    assert.deepEqual(await everythingIn(to.database), await everythingIn(from.database));
  });
});
