import assert from 'node:assert/strict';
import { it } from 'node:test';
import { consumeState } from '../../src/database/install-requests.ts';
import { count } from '../faults/support/full-run.ts';
import { openPostgresTestDatabase } from '../support/open-test-database.ts';

it('if four database connections use the same OAuth state at the same time, exactly one succeeds, and the others get no error', async (t) => {
  const opened = await openPostgresTestDatabase();
  t.after(() => opened.close());
  const databases = [opened.database, await opened.reopen(), await opened.reopen(), await opened.reopen()];
  for (let n = 0; n < count({ quick: 250, full: 1000 }); n += 1) {
    const request = { id: `s${n}`, clientId: '1.1', progressHash: `h${n}`, requestedTeamId: null, now: 1 };
    const used = await Promise.all(
      databases.map((database) => database.write((trx) => consumeState(trx, request))),
    );
    assert.equal(used.filter(Boolean).length, 1);
  }
});
