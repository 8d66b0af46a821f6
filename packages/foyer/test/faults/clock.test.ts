import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import Sqlite from 'better-sqlite3';
import { openSqlite } from '../../src/database/sqlite/open-sqlite.ts';
import { retryRun } from '../../src/pipeline/retry-run.ts';
import {
  createVisitor,
  eventually,
  finishedRun,
  install,
  pressAddToSlack,
} from '../../src/testing/visitor.ts';
import { type Stage, setStage } from '../support/start-foyer.ts';
import { createJumpClock, type JumpClock } from './support/jump-clock.ts';

/** The machine's clock jumps while Foyer runs. */

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;

interface Play {
  stage: Stage;
  clock: JumpClock;
  acme: { teamId: string; userId: string };
}

async function setPlay(t: TestContext): Promise<Play> {
  const clock = createJumpClock();
  const stage = await setStage({ foyer: { now: clock.now, worker: { pollMs: 50 } } });
  t.after(() => stage.close());
  const acme = { teamId: stage.sandbox.workspace('Acme').id, userId: stage.sandbox.person('Acme').id };
  return { stage, clock, acme };
}

describe('a clock that jumps', { concurrency: 3 }, () => {
  for (const [name, byMs, status, cause] of [
    ['eleven minutes forward', 11 * minuteMs, 400, 'state_expired'],
    ['an hour back', -hourMs, 400, 'state_expired'],
    ['nine minutes forward', 9 * minuteMs, 303, undefined],
    ['thirty seconds back', -30_000, 303, undefined],
  ] as const) {
    it(`a clock that jumps ${name} between Add to Slack and the callback ${cause ? `fails the install with ${cause}` : 'does not stop the install'}`, async (t) => {
      const { stage, clock, acme } = await setPlay(t);
      const visitor = createVisitor();
      const callback = await pressAddToSlack(visitor, stage.url, stage.sandbox, acme);
      clock.jump(byMs);
      const answer = await visitor.get(callback);
      assert.equal(answer.status, status);
      if (cause !== undefined) {
        assert.match(await answer.text(), new RegExp(cause));
        assert.equal(stage.sandbox.calls('oauth.v2.access').length, 0);
      }
    });
  }

  for (const [name, byMs] of [
    ['a day forward', 24 * hourMs - minuteMs],
    ['an hour back', -hourMs],
  ] as const) {
    it(`a clock that jumps ${name} while the welcome is being sent does not stop the run, which sends one welcome`, async (t) => {
      const { stage, clock, acme } = await setPlay(t);
      stage.sandbox.faults.setLatency('chat.postMessage', 400);
      const visitor = createVisitor();
      const answer = await install(visitor, stage.url, stage.sandbox, acme);
      await eventually(async () => stage.sandbox.calls('chat.postMessage').length === 1);
      clock.jump(byMs);
      const run = await finishedRun(visitor, stage.url + answer.headers.get('location'));
      assert.equal(run.status, 'succeeded');
      assert.equal(stage.sandbox.messages(acme).length, 1);
      for (const step of run.steps) assert.equal(step.attempts, 1, step.name);
    });
  }

  it('if the clock jumps an hour back while a run waits, a retry lets the run finish', async (t) => {
    const { stage, clock, acme } = await setPlay(t);
    stage.sandbox.faults.add({ method: 'team.info', times: 50, failure: { type: 'status', status: 503 } });
    const visitor = createVisitor();
    const answer = await install(visitor, stage.url, stage.sandbox, acme);
    const progress = stage.url + answer.headers.get('location');
    const operator = await openSqlite(stage.databaseFile);
    t.after(() => operator.close());
    const run = () => operator.queries.selectFrom('runs').selectAll().executeTakeFirstOrThrow();
    await eventually(async () => (await run()).status === 'waiting');
    clock.jump(-hourMs);
    stage.sandbox.faults.clear();
    // A run that waited before the jump keeps its due time, which is now an hour away. If an attempt was in progress
    // during the jump, the new clock determines the due time.
    const { id } = await run();
    assert.match(await (await visitor.get(progress)).text(), /Still setting up/);
    await eventually(async () => {
      if ((await run()).status === 'waiting') await retryRun(operator, id, { now: clock.now() });
      return (await run()).status === 'succeeded';
    });
    assert.equal(stage.sandbox.messages(acme).length, 1);
  });

  it('if the clock jumps more than ninety days forward, Foyer deletes old install requests and keeps the installation', async (t) => {
    const { stage, clock, acme } = await setPlay(t);
    const visitor = createVisitor();
    const answer = await install(visitor, stage.url, stage.sandbox, acme);
    const progress = stage.url + answer.headers.get('location');
    await finishedRun(visitor, progress);
    clock.jump(25 * hourMs);
    assert.match(await (await visitor.get(progress)).text(), /no longer available/);
    clock.jump(91 * 24 * hourMs);
    await stage.stop();
    await stage.start();
    const database = new Sqlite(stage.databaseFile, { readonly: true });
    t.after(() => database.close());
    const rows = (table: string) => database.prepare(`select count(*) from ${table}`).pluck().get();
    await eventually(async () => rows('install_requests') === 0);
    assert.equal(rows('installations'), 1);
    assert.equal((await visitor.get(progress)).status, 404);
    const start = await visitor.get(`${stage.url}/slack/install`);
    assert.equal(start.status, 302);
  });
});
