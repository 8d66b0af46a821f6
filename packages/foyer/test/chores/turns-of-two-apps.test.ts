import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pino } from 'pino';
import { createBackground } from '../../src/create-background.ts';
import { eventually } from '../../src/testing/visitor.ts';
import { keyringOf } from '../support/installations.ts';
import { engines } from '../support/open-test-database.ts';

for (const [name, open] of Object.entries(engines)) {
  test(`if two apps share a database, each app gets its own turns of Foyer’s chores, on ${name}`, async (t) => {
    const opened = await open();
    t.after(() => opened.close());
    const tested: string[] = [];
    for (const clientId of ['1.1', '2.2']) {
      const nothing = async () => {};
      const background = createBackground({
        database: opened.database,
        keyring: keyringOf('k1'),
        holder: { now: () => 1_000_000, process: `host 1 ${clientId}` },
        clientId,
        workerDeps: {} as Parameters<typeof createBackground>[0]['workerDeps'],
        worker: { start() {}, wake() {}, isIdle: () => true, stop: nothing } as never,
        tokens: {
          refreshLapsing: async () => ({ refreshed: 0, failed: 0 }),
          settleHeld: async () => {
            tested.push(clientId);
            return { active: 0, uninstalled: 0, broken: 0, held: 0 };
          },
        },
        install: { recoverInstalls: nothing },
        seen: { sweep: nothing },
        notices: { send: nothing, stop() {} },
        jobs: { start: () => [], pass: nothing, abort() {} },
        now: () => 1_000_000,
        log: pino({ level: 'silent' }),
      });
      await background.start();
      await eventually(async () => tested.includes(clientId));
      await background.stop();
    }
    assert.deepEqual(tested, ['1.1', '2.2']);
  });
}
