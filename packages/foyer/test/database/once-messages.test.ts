import assert from 'node:assert/strict';
import { it } from 'node:test';
import { beginOnceMessage, readOnceMessage } from '../../src/database/once-messages.ts';
import { keyringOf } from '../support/installations.ts';
import { engines } from '../support/open-test-database.ts';
import { insertTenant } from '../support/strangers.ts';

for (const [engine, open] of Object.entries(engines)) {
  it(`lets only the first of two begin a first welcome, and the second fails with no error, on ${engine}`, async (t) => {
    const { database, close } = await open();
    t.after(close);
    const tenant = { mark: 'OWN', clientId: '1.1', teamId: 'T1', enterpriseId: null, grantsOf: 'E1' };
    await database.write((tx) =>
      insertTenant(tx, { ...tenant, dueAt: 9, madeAt: 1 }, ['U1', 'U2'], keyringOf('k1')),
    );
    const message = { kind: 'welcome' as const, installationId: 'ins_OWN', life: 2, key: 'U1' };
    const begin = (runId: string) => {
      const call = { runId, now: 5, settledBy: 9, channelId: 'D1', previous: undefined };
      return database.write((tx) => beginOnceMessage(tx, message, call));
    };
    const begun = await Promise.all([begin('run_OWN1'), begin('run_OWN2')]);
    assert.deepEqual(begun.sort(), [false, true]);
    const row = await readOnceMessage(database.queries, message);
    assert.deepEqual([row?.status, row?.sent_at], ['sending', 9]);
  });
}
