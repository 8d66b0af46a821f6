import assert from 'node:assert/strict';
import { listConnections } from '../../src/database/connections.ts';
import { createOperatorHarness, storeInstallation, testOnBothEngines } from './operator-harness.ts';

testOnBothEngines(
  '`connect` connects a team to an org, and moves it to another org only with --move',
  async (t, engine) => {
    const { database, run } = await createOperatorHarness(t, {}, engine);
    await storeInstallation(database, { id: 'ins_1' });
    await storeInstallation(database, { id: 'ins_2', team_id: 'T2' });
    await storeInstallation(database, { id: 'ins_3', team_id: 'T3', client_id: 'another' });
    const stored = async () =>
      (await listConnections(database.queries, { clientId: '1.2' }))
        .map(({ team_id, org, subject, label }) => [team_id, org, subject, label])
        .sort();

    const first = await run([
      'connect',
      'T1',
      '--org',
      'org-1',
      '--subject',
      'u1',
      '--label',
      'Acme',
      '--json',
    ]);
    assert.equal(first.exitCode, 0, first.stderr);
    assert.deepEqual(JSON.parse(first.stdout), {
      installationId: 'ins_1',
      org: 'org-1',
      outcome: 'connected',
    });
    assert.equal((await run(['connect', 'T2', '--org', 'org-1'])).exitCode, 0);
    const again = await run(['connect', 'T1', '--org', 'org-1', '--json']);
    assert.equal(JSON.parse(again.stdout).outcome, 'kept');
    const both = [
      ['T1', 'org-1', 'u1', 'Acme'],
      ['T2', 'org-1', null, null],
    ];
    assert.deepEqual(await stored(), both);

    const other = await run(['connect', 'T1', '--org', 'org-2']);
    assert.deepEqual([other.exitCode, other.stdout], [1, '']);
    assert.match(other.stderr, /is connected to org-1/);
    assert.deepEqual(await stored(), both);
    const moved = await run(['connect', 'T1', '--org', 'org-2', '--move']);
    assert.equal(moved.stdout, 'T1 is connected to org-2.\n');
    assert.deepEqual(await stored(), [['T1', 'org-2', null, null], both[1]]);
    assert.match((await run(['show', 'T1'])).stdout, /connected to +org-2, 2026-11-22/);

    assert.equal((await run(['connect', 'T3', '--org', 'org-1'])).exitCode, 1);
    assert.equal((await run(['connect', 'T1', '--org', ''])).exitCode, 2);
    assert.equal((await run(['connect', 'T1'])).exitCode, 2);
  },
);
