import assert from 'node:assert/strict';
import { it } from 'node:test';
import { defineFoyer, type Step } from '../../src/index.ts';
import { startTestFoyer } from '../../src/testing/start-test-foyer.ts';
import { fixtureManifest } from '../support/fixture-manifest.ts';

it('foyer.uninstall revokes the tokens and runs the uninstall pipeline once', async () => {
  const ran = Promise.withResolvers<string | null>();
  let times = 0;
  const cancelPlan: Step = {
    name: 'cancel-plan',
    title: { todo: 'Cancel the plan', doing: 'Canceling the plan' },
    async run({ teamId }) {
      times += 1;
      ran.resolve(teamId);
      return null;
    },
  };
  const definition = defineFoyer({ manifest: JSON.parse(fixtureManifest), uninstall: [cancelPlan] });
  await using app = await startTestFoyer(definition);
  await app.install();
  const { installations } = await app.foyer.list();
  const [installation] = installations;
  assert.ok(installation?.teamId);
  const target = { teamId: installation.teamId };

  assert.equal(await app.foyer.uninstall(target, 'the account was closed'), true);
  assert.equal(await app.foyer.uninstall(target, 'the account was closed'), false);
  assert.equal(await ran.promise, installation.teamId);
  assert.equal(app.sandbox.calls('auth.revoke').length, 1);
  assert.equal((await app.foyer.find(target))?.status, 'uninstalled');
  assert.equal(times, 1);
});
