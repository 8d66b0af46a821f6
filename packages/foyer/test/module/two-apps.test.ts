import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { it } from 'node:test';
import { startTestFoyer } from '../../src/testing/start-test-foyer.ts';
import { definition } from '../support/app/definition.ts';

it('an app cannot reach an installation or run of another app in the same database, even by id', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'foyer-two-apps-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const databaseUrl = `file:${join(folder, 'shared.db')}`;
  const appOf = (clientId: string) =>
    startTestFoyer(definition, { databaseUrl, sandbox: { credentials: { clientId } } });
  await using a = await appOf('1111.1');
  await using b = await appOf('2222.2');
  await a.install();
  b.sandbox.faults.add({
    method: 'chat.postMessage',
    times: 9,
    failure: { type: 'error', error: 'restricted_action' },
  });
  await b.install();
  const teamId = a.sandbox.workspace('Acme').id;
  const [ofA, ofB] = [await a.foyer.find({ teamId }), await b.foyer.find({ teamId })];
  assert.ok(ofA && ofB?.run && ofA.installationId !== ofB.installationId);
  const { installationId } = ofB;

  assert.equal(await a.foyer.find({ installationId }), undefined);
  assert.deepEqual((await a.foyer.members.list({ installationId })).members, []);
  await assert.rejects(a.foyer.slack({ installationId }), /unknown|not/);
  assert.equal(await a.foyer.retry(ofB.run.id), false);
  assert.equal(await a.foyer.uninstall({ installationId }, 'by mistake'), false);
  assert.deepEqual([await a.foyer.find({ teamId }), await b.foyer.find({ teamId })], [ofA, ofB]);
  assert.ok((await (await b.foyer.slack({ teamId })).auth.test()).ok, 'its token still works');
});
