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

it('if the run takes too long, the error of install() names the run’s current step and the cause of that step’s last failure', async (t) => {
  let tries = 0;
  const callService: Step = {
    name: 'call-service',
    title: { todo: 'Call the service', doing: 'Calling the service' },
    maxAttempts: 100,
    async run() {
      tries += 1;
      throw new TypeError('fetch failed', { cause: new Error('getaddrinfo ENOTFOUND billing.example.com') });
    },
  };
  const definition = defineFoyer({ manifest: JSON.parse(fixtureManifest), install: [callService] });
  await using app = await startTestFoyer(definition);
  // From the second attempt on, the fake clock is a minute ahead, so that the 30 seconds that install() waits are over.
  const realNow = performance.now.bind(performance);
  t.mock.method(performance, 'now', () => realNow() + (tries < 2 ? 0 : 60_000));
  await assert.rejects(app.install(), {
    message:
      /^the install run has not ended within 30000 ms: it is \w+ at call-service \(\w+, attempt \d\): fetch failed: getaddrinfo ENOTFOUND billing\.example\.com$/,
  });
});
