import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  createVisitor,
  eventually,
  finishedRun,
  install,
  pressAddToSlack,
} from '../../src/testing/visitor.ts';
import type { EngineName } from '../support/stage-database.ts';
import { isFullRun } from './support/full-run.ts';
import { afterMs, atCall, atCommit, type KillPoint, killedDuring, phases } from './support/kill-points.ts';
import { type ProcessStage, setProcessStage } from './support/process-stage.ts';
import { heldTokens, liveTokens } from './support/tokens.ts';

/**
 * These tests kill Foyer outside of an install: while it revokes tokens, uninstalls, publishes App Home or retries a
 * run.
 */

/** How long a test waits for a run to end: longer than a lease of thirty seconds plus the delays of a busy machine. */
const patienceMs = 90_000;

/**
 * The full run takes all cases on SQLite, and two in three on Postgres; the quick run takes the cases at the indexes in
 * `quick`.
 */
function some<T>(engine: EngineName, all: readonly T[], quick: readonly number[]): T[] {
  if (!isFullRun) return quick.flatMap((index) => all[index] ?? []);
  return engine === 'SQLite' ? [...all] : all.filter((_, index) => index % 3 !== 2);
}

const acmeOf = ({ sandbox }: ProcessStage) => ({
  teamId: sandbox.workspace('Acme').id,
  userId: sandbox.person('Acme', 'owner').id,
});

async function installAcme(stage: ProcessStage): Promise<void> {
  const visitor = createVisitor();
  const done = await install(visitor, stage.url, stage.sandbox, acmeOf(stage));
  assert.equal(done.status, 303);
  await finishedRun(visitor, stage.url + done.headers.get('location'), patienceMs);
}

const engines: readonly EngineName[] = isFullRun ? ['SQLite', 'Postgres'] : ['SQLite'];

for (const engine of engines)
  describe(`Foyer, killed and started again, on ${engine}`, { concurrency: 2 }, () => elsewhere(engine));

function elsewhere(engine: EngineName): void {
  it('after a kill and a restart, Foyer revokes the tokens of an install that no one returns to', async (t) => {
    const stage = await setProcessStage({ engine });
    t.after(() => stage.close());
    const { sandbox } = stage;
    const ends = { givenBack: 0, installedAfterAll: 0, neverHeardOf: 0 };
    const firstKills = [
      atCall('auth.test', 1, 'before its answer'),
      atCall('auth.test', 1, 'as it arrives'),
      atCall('oauth.v2.access', 1, 'before its answer'),
      ...phases.map((phase) => atCall('oauth.v2.access', 1, phase)),
      atCall('oauth.v2.access', 1, 'after its answer', 4),
      atCall('auth.test', 1, 'after its answer'),
      ...[1, 2, 3, 4].map((nth) => atCommit(nth)),
    ];
    const whileGivingBack = [
      ...phases.map((phase) => atCall('auth.revoke', 1, phase)),
      ...[1, 2, 3].map((nth) => atCommit(nth)),
    ];
    const cases: { first: KillPoint; second?: KillPoint }[] = [
      ...firstKills.flatMap((first) => [
        { first, second: atCall('auth.revoke', 1, 'before its answer') },
        { first },
      ]),
      // These cases kill Foyer twice. The first kill is at one of the first two points, where Foyer has certainly
      // stored the tokens. After a restart, the second kill is at each instant of the revocation of these tokens.
      ...firstKills.slice(0, 2).flatMap((first) => whileGivingBack.map((second) => ({ first, second }))),
    ];
    for (const { first, second } of some(engine, cases, [0, 5])) {
      const visitor = createVisitor();
      const callback = await pressAddToSlack(visitor, stage.url, sandbox, acmeOf(stage));
      await killedDuring(stage, first, () => visitor.get(callback));
      const [request] = await stage.rows<{ outcome: string; sealed_tokens: string | null }>(
        'select outcome, sealed_tokens from install_requests order by started_at desc limit 1',
      );
      const knewTokens = request?.outcome === 'started' && request.sealed_tokens !== null;
      // Makes the install request a minute older, so that it counts as interrupted.
      await stage.change(
        "update install_requests set started_at = started_at - 61000 where outcome = 'started'",
      );
      if (second && knewTokens) {
        const disarm = second.arm(stage, () => stage.foyer().kill());
        await stage.tryStart();
        await Promise.race([stage.foyer().ended, new Promise((next) => setTimeout(next, 1500))]);
        stage.foyer().kill();
        await stage.foyer().ended;
        disarm();
      }
      await stage.start();
      await eventually(async () => {
        const open = `select id from install_requests where sealed_tokens is not null or outcome = 'started'`;
        const running = 'select id from runs where finished_at is null';
        return (await stage.rows(open)).length === 0 && (await stage.rows(running)).length === 0;
      }, patienceMs);
      const [live, held] = [liveTokens(sandbox), await heldTokens(stage.config)];
      const name = `${first.name}, then ${second?.name ?? 'nothing'}`;
      if (held.length > 0) ends.installedAfterAll += 1;
      else if (knewTokens) ends.givenBack += 1;
      else if (live.length > 0) ends.neverHeardOf += 1;
      // The one unavoidable gap: Slack issued a token, and the process died before it received the answer.
      if (held.length === 0 && !knewTokens) assert.ok(live.length <= 1, name);
      else assert.deepEqual(live, held, name);
      if (live.length > 0) {
        await sandbox.uninstall(acmeOf(stage));
        await sandbox.settled();
      }
    }
    t.diagnostic(JSON.stringify(ends));
    assert.ok(ends.givenBack > 0);
  });

  it('after a kill and a restart, Foyer applies each uninstall exactly once', async (t) => {
    const stage = await setProcessStage({ engine });
    t.after(() => stage.close());
    const { sandbox } = stage;
    const points = [atCommit(1), afterMs(2), atCommit(2), ...[0, 1, 3, 4, 5, 7, 9, 12, 16].map(afterMs)];
    if (engine === 'Postgres') points.unshift(atCommit(1, 'before'));
    const removals = [
      () => sandbox.uninstall({ teamId: acmeOf(stage).teamId }),
      () => sandbox.revokeBot({ teamId: acmeOf(stage).teamId }),
    ];
    const cases = points.flatMap((point) => removals.map((remove) => ({ point, remove })));
    let again = 0;
    for (const { point, remove } of some(engine, cases, [0, 3])) {
      await installAcme(stage);
      const [before] = await stage.rows<{ id: string; life: number }>('select id, life from installations');
      await killedDuring(stage, point, remove);
      await stage.start();
      // Slack sends the events again after one minute and after five.
      for (const wait of [60_000, 300_000]) {
        await sandbox.clock.advance(wait);
        await sandbox.settled();
      }
      again += sandbox.deliveries.list().filter((delivery) => delivery.retryNumber > 0).length;
      sandbox.deliveries.clear();
      const [row] = await stage.rows<{ status: string; life: number; sealed_bot: string | null }>(
        'select status, life, sealed_bot from installations',
      );
      assert.deepEqual(row, { status: 'uninstalled', life: before?.life, sealed_bot: null }, point.name);
      const told = await stage.rows("select id from history where kind = 'uninstalled'");
      assert.equal(told.length, before?.life, `${point.name}: one line for each uninstall`);
      assert.deepEqual(await stage.rows('select id from runs where finished_at is null'), []);
      assert.deepEqual(liveTokens(sandbox), []);
    }
    t.diagnostic(`${again} deliveries came again`);
    assert.ok(again > 0, 'no delivery was cut');
  });

  it('if Foyer is killed while it publishes App Home, it shows the current record when Home is opened again', async (t) => {
    const stage = await setProcessStage({ engine });
    t.after(() => stage.close());
    const { sandbox } = stage;
    await installAcme(stage);
    const admin = { teamId: acmeOf(stage).teamId, userId: sandbox.person('Acme', 'admin').id };
    const points = [
      atCall('views.publish', 1, 'as it arrives'),
      atCall('views.publish', 1, 'before its answer'),
      atCall('views.publish', 1, 'after its answer'),
      atCall('users.info', 1, 'before its answer'),
      atCommit(1),
      atCommit(2),
    ];
    for (const point of some(engine, points, [0])) {
      // Gives Home something new to show, so that Foyer must publish it.
      await stage.change('update installations set team_name = ?', `Acme ${point.name}`);
      await stage.change('delete from home_views');
      await killedDuring(stage, point, () => sandbox.openHome(admin));
      await stage.start();
      await sandbox.openHome(admin);
      await eventually(async () => JSON.stringify(sandbox.homeView(admin)).includes(point.name));
    }
  });

  it('after a kill and a restart, Foyer finishes an interrupted retry with one welcome', async (t) => {
    const stage = await setProcessStage({ engine });
    t.after(() => stage.close());
    const { sandbox } = stage;
    const acme = acmeOf(stage);
    const points = [
      atCall('chat.postMessage', 1, 'before its answer'),
      ...[1, 2, 3, 4, 6, 8].map((nth) => atCommit(nth)),
      atCall('chat.postMessage', 1, 'as it arrives'),
      atCall('chat.postMessage', 1, 'after its answer'),
      ...[1, 3, 6, 10].map(afterMs),
    ];
    for (const point of some(engine, points, [0])) {
      sandbox.faults.add({
        method: 'chat.postMessage',
        failure: { type: 'error', error: 'channel_not_found' },
      });
      const visitor = createVisitor();
      const done = await install(visitor, stage.url, sandbox, acme);
      const progress = stage.url + done.headers.get('location');
      assert.equal((await finishedRun(visitor, progress)).status, 'failed');
      await eventually(async () => JSON.stringify(sandbox.homeView(acme)).includes('foyer.retry_run'));
      const welcomesBefore = sandbox.messages(acme).length;
      const press = () => sandbox.press({ ...acme, actionId: 'foyer.retry_run' });
      await killedDuring(stage, point, press);
      await stage.start();
      const status = (await (await visitor.get(`${progress}/status`)).json()) as { status: string };
      // Slack never sends a press again, so if Foyer did not commit it, the person presses again.
      if (status.status === 'failed') await press();
      assert.equal((await finishedRun(visitor, progress, patienceMs)).status, 'succeeded', point.name);
      assert.equal(sandbox.messages(acme).length, welcomesBefore + 1, point.name);
      await sandbox.uninstall({ teamId: acme.teamId });
      await sandbox.settled();
    }
  });
}
