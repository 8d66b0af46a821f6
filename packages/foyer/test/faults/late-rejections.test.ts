import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { createVisitor, eventually, finishedRun, install } from '../../src/testing/visitor.ts';
import { isServing, spawnFoyer } from './support/foyer-process.ts';
import { manifestText, setProcessStage } from './support/process-stage.ts';

/** An app whose listener fails after it has returned: in a promise that it did not await, or in a timer. */
const app = `
import { serve } from ${JSON.stringify(new URL('../../src/index.ts', import.meta.url).href)};
await serve({
  manifest: ${manifestText},
  listeners(app) {
    app.event('app_home_opened', async function careless({ event }) {
      const late = async () => {
        await new Promise((later) => setTimeout(later, 20));
        throw new Error('too late in ' + process.env.LATE);
      };
      if (process.env.LATE === 'a promise') void late();
      else setTimeout(() => { throw new Error('too late in a timer'); }, 20);
    });
  },
});
`;

async function startApp(t: TestContext, late: string) {
  const stage = await setProcessStage({ start: false, sandbox: { eventTimeoutMs: 20_000 } });
  const script = join(stage.folder, 'app.ts');
  await writeFile(script, app);
  const foyer = spawnFoyer({
    environment: { ...stage.environment, LATE: late },
    folder: stage.folder,
    script,
    nodeArguments: ['--conditions=source'],
  });
  t.after(async () => {
    foyer.kill();
    await foyer.ended;
    await stage.close();
  });
  assert.ok(await isServing(foyer), foyer.output());
  const acme = { teamId: stage.sandbox.workspace('Acme').id, userId: stage.sandbox.person('Acme').id };
  return { stage, foyer, acme };
}

describe('a listener that fails after it has returned', { concurrency: 2 }, () => {
  it('if a listener does not await a promise that rejects, the log names the listener and the process keeps running', async (t) => {
    const { stage, foyer, acme } = await startApp(t, 'a promise');
    const visitor = createVisitor();
    const answer = await install(visitor, stage.url, stage.sandbox, acme);
    await stage.sandbox.openHome(acme);
    await eventually(async () => foyer.output().includes('too late in a promise'));
    const run = await finishedRun(visitor, stage.url + answer.headers.get('location'));
    assert.equal(run.status, 'succeeded');
    assert.match(foyer.output(), /event app_home_opened \(careless\)/);
    assert.equal(foyer.hasEnded(), false);
    assert.equal((await visitor.get(`${stage.url}/healthz`)).status, 200);
  });

  it('if a listener throws in a timer, the process ends, but only after Foyer has answered the install under way', async (t) => {
    const { stage, foyer, acme } = await startApp(t, 'a timer');
    const visitor = createVisitor();
    await finishedRun(
      visitor,
      stage.url + (await install(visitor, stage.url, stage.sandbox, acme)).headers.get('location'),
    );
    const globex = {
      teamId: stage.sandbox.workspace('Globex').id,
      userId: stage.sandbox.person('Globex').id,
    };
    stage.sandbox.faults.add({ method: 'auth.test', failure: { type: 'hang', delayMs: 1500 } });
    const underWay = install(createVisitor(), stage.url, stage.sandbox, globex);
    await eventually(async () => stage.sandbox.calls('auth.test').length > 1);
    await stage.sandbox.openHome(acme);
    await eventually(async () => foyer.output().includes('too late in a timer'));
    assert.equal((await underWay).status, 303, 'the install is finished first');
    assert.deepEqual(await foyer.ended, { code: 1, signal: null });
    assert.match(foyer.output(), /event app_home_opened \(careless\)/);
    const rows = await stage.rows<{ team_id: string }>('select team_id from installations');
    assert.equal(rows.length, 2);
  });
});
