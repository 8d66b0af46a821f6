import assert from 'node:assert/strict';
import { it } from 'node:test';
import { ask, defineFoyer, type Step } from '../../src/index.ts';
import { startTestFoyer } from '../../src/testing/start-test-foyer.ts';
import { fixtureManifest } from '../support/fixture-manifest.ts';

it('install() of a test Foyer resolves as soon as the run waits for an answer, and names the question', async () => {
  const askColor: Step = {
    name: 'ask-color',
    title: { todo: 'Choose a color', doing: 'Asking for a color' },
    async run({ answer }) {
      return answer ?? ask({ id: 'color', text: 'Which color?', input: { type: 'text' } });
    },
  };
  const definition = defineFoyer({ manifest: JSON.parse(fixtureManifest), install: [askColor] });
  await using app = await startTestFoyer(definition);
  const run = await app.install();
  assert.equal(run.status, 'waiting');
  assert.equal(run.question, 'ask-color/color');
});
