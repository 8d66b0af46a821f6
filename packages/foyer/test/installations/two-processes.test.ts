import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { pino } from 'pino';
import { createInstallationStore } from '../../src/installations/create-installation-store.ts';
import { createKeyring } from '../../src/installations/keyring.ts';
import { engines } from '../support/open-test-database.ts';

const run = promisify(execFile);
const script = new URL('./install-often.ts', import.meta.url).pathname;

for (const [name, open] of Object.entries(engines)) {
  test(`case 31: processes on one ${name} database lose no update, and none fails on a lock`, async () => {
    const opened = await open();
    try {
      const base64 = randomBytes(32).toString('base64');
      const rounds = 25;
      const people = ['A', 'B', 'C'];
      const outputs = await Promise.all(
        people.map((person) =>
          run(process.execPath, [script, JSON.stringify(opened.target), base64, person, String(rounds)]),
        ),
      );
      assert.deepEqual(
        outputs.map(({ stdout }) => stdout),
        ['done\n', 'done\n', 'done\n'],
      );
      const { queries } = opened.database;
      const row = await queries.selectFrom('installations').selectAll().executeTakeFirstOrThrow();
      const installs = rounds * people.length;
      assert.equal(row.version, installs, 'each install is counted once');
      const history = await queries.selectFrom('history').select('kind').execute();
      const kinds = Object.groupBy(history, (line) => line.kind);
      assert.deepEqual(
        [kinds.installed?.length, kinds.reinstalled?.length, kinds.run_cancelled?.length],
        [1, installs - 1, installs - 1],
      );
      const runs = await queries.selectFrom('runs').select('status').execute();
      assert.equal(runs.length, installs);
      assert.equal(runs.filter((entry) => entry.status === 'queued').length, 1, 'one run at a time');
      const steps = await queries.selectFrom('steps').select('run_id').execute();
      assert.equal(steps.length, installs * 2);
      const store = createInstallationStore({
        database: opened.database,
        keyring: createKeyring([{ id: 'k1', base64 }]),
        clientId: '1.1',
        stepNames: [],
        now: Date.now,
        log: pino({ level: 'silent' }),
      });
      for (const person of people) {
        const found = await store.fetchInstallation({ teamId: 'T1', userId: `U${person}` });
        assert.equal(found.user.token, `xoxp-${person}-${rounds - 1}`, 'the last token of each person');
      }
    } finally {
      await opened.close();
    }
  });
}
