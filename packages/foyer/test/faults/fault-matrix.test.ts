import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Failure } from 'slack-sandbox';
import { createVisitor, install, type ShownRun, type Visitor } from '../../src/testing/visitor.ts';
import type { EngineName } from '../support/stage-database.ts';
import { type Stage, setStage } from '../support/start-foyer.ts';
import {
  type Cell,
  cellOfEachEnd,
  cells,
  failures,
  fewCells,
  type Installed,
  type NotInstalled,
  quickCells,
} from './fault-table.ts';
import { isFullRun } from './support/full-run.ts';
import { createJumpClock, type JumpClock, jumpToNextTry } from './support/jump-clock.ts';
import { heldTokens, liveTokens } from './support/tokens.ts';
import { startWebhookEndpoint, type WebhookEndpoint } from './support/webhook-endpoint.ts';

/** Runs the fault matrix: for each cell of `fault-table.ts`, one install through all of Foyer. */

const engines: readonly (readonly [EngineName, readonly Cell[]])[] = [
  ['SQLite', isFullRun ? cells : quickCells],
  ['Postgres', isFullRun ? cells.filter((cell) => [...cellOfEachEnd, ...fewCells].includes(cell)) : fewCells],
];

/**
 * Whether the test of a cell takes several seconds, because a call hangs until its time limit. Such cells use hardly
 * any CPU, so they run at the same time as the others. A cell whose call always hangs takes longest, so it starts
 * before the cells whose call hangs once.
 */
const waits = ({ failure, end }: Cell) => failure.startsWith('hangs') && 'run' in end;
const groups = [
  { name: '', lanes: 3, of: (played: readonly Cell[]) => played.filter((cell) => !waits(cell)) },
  {
    name: ', if a call hangs',
    lanes: 8,
    of: (played: readonly Cell[]) =>
      played.filter(waits).sort((one, other) => one.how.localeCompare(other.how)),
  },
];

describe('the fault matrix', { concurrency: engines.length * groups.length }, () => {
  for (const [engine, played] of engines) {
    for (const { name, lanes, of } of groups) {
      describe(`the fault matrix on ${engine}${name}`, { concurrency: lanes }, () => {
        for (const cell of of(played)) {
          const { method, failure, how, end } = cell;
          it(`if ${method} fails ${how} (${failure}), an install ends with ${endText(end)}`, async (t) => {
            const play = await setPlay(engine);
            t.after(() => play.close());
            await playCell(play, cell);
          });
        }
      });
    }
  }
});

function endText(end: Cell['end']): string {
  if ('page' in end) return `page ${end.page} ${end.cause} (tokens: ${end.tokens})`;
  const steps = Object.entries(end.steps ?? {}).map(([name, status]) => `, ${name} ${status}`);
  return `its run ${end.run}${steps.join('')}, welcomes: ${end.welcomes}${end.installation ? `, ${end.installation}` : ''}`;
}

interface Play {
  stage: Stage;
  webhook: WebhookEndpoint;
  clock: JumpClock;
  acme: { teamId: string; userId: string };
  /** The single value that a query returns. */
  value(sql: string): Promise<unknown>;
  close(): Promise<void>;
}

async function setPlay(engine: EngineName): Promise<Play> {
  const clock = createJumpClock();
  const webhook = await startWebhookEndpoint();
  const stage = await setStage({
    engine,
    environment: { NOTIFY_SLACK_WEBHOOK_URL: webhook.url },
    foyer: { now: clock.now, worker: { pollMs: 20, leaseMs: 3_600_000 } },
  }).catch(async (error: unknown) => {
    await webhook.close();
    throw error;
  });
  return {
    stage,
    webhook,
    clock,
    acme: {
      teamId: stage.sandbox.workspace('Acme').id,
      userId: stage.sandbox.person('Acme', 'owner').id,
    },
    async value(sql) {
      const [row] = await stage.database.rows<Record<string, unknown>>(sql);
      return row && Object.values(row)[0];
    },
    async close() {
      await stage.close();
      await webhook.close();
    },
  };
}

async function playCell(play: Play, cell: Cell): Promise<void> {
  const { stage } = play;
  if (cell.first) breakCall(play, cell.first.method, cell.first.failure, 'once');
  breakCall(play, cell.method, cell.failure, cell.how);
  const visitor = createVisitor();
  const startedAt = performance.now();
  const answer = await install(visitor, stage.url, stage.sandbox, play.acme);
  // If a request takes too long, Foyer ends it within ten seconds, and logs a line that `assertLogIsCalm` refuses. The
  // limit of twenty seconds leaves time for a busy machine.
  assert.ok(performance.now() - startedAt < 20_000, 'the page did not wait for Slack');
  if ('page' in cell.end) await assertNotInstalled(play, cell.end, answer);
  else await assertInstalled(play, cell, cell.end, visitor, answer);
  assertLogIsCalm(play);
}

function breakCall({ stage, webhook }: Play, method: string, name: string, how: Cell['how']): void {
  const failure: Failure = failures[name] ?? { type: 'error', error: name };
  const times = how === 'once' ? 1 : 1_000_000;
  if (method !== 'webhook') {
    stage.sandbox.faults.add({ method, times, failure });
    return;
  }
  webhook.answerWith((_req, res, post) => {
    if (name.endsWith(', acted')) post();
    if (failure.type === 'status') {
      const headers = failure.retryAfterSeconds ? { 'Retry-After': failure.retryAfterSeconds } : {};
      res.writeHead(failure.status, headers).end('no_service');
    } else if (/^\d+$/.test(name)) res.writeHead(Number(name)).end('no_service');
    else if (failure.type.startsWith('reset')) res.destroy();
  }, times);
}

async function assertNotInstalled(play: Play, end: NotInstalled, answer: Response): Promise<void> {
  const { stage } = play;
  const page = await answer.text();
  assert.equal(answer.status, end.page, page);
  assert.match(page, new RegExp(`Reference: <code translate="no">${end.cause}</code>`));
  assert.equal(stage.sandbox.calls('oauth.v2.access').length, 1, 'a code is sent once');
  assert.equal(await play.value('select count(*) as n from installations'), 0);
  const request = async () => {
    const [row] = await stage.database.rows<{ outcome: string; kept: number }>(
      'select outcome, case when sealed_tokens is null then 0 else 1 end as kept from install_requests',
    );
    return { ...row };
  };
  const live = () => liveTokens(stage.sandbox).length;
  switch (end.tokens) {
    case 'none':
      assert.match(page, /Nothing was installed/);
      assert.deepEqual(await request(), { outcome: 'failed', kept: 0 });
      assert.equal(live(), 0);
      break;
    case 'revoked':
      assert.match(page, /Nothing was installed[\s\S]*We revoked it immediately/);
      assert.deepEqual(await request(), { outcome: 'failed', kept: 0 });
      assert.equal(live(), 0);
      break;
    case 'unknown':
      assert.ok(!page.includes('Nothing was installed'), 'the page denies what Slack did');
      assert.match(page, /installing it again fixes this/);
      await assertInstallsNow(play);
      break;
    case 'revoked later':
    case 'never revoked':
      assert.match(page, /did not finish[\s\S]*could not revoke it yet/);
      assert.deepEqual(await request(), { outcome: 'failed', kept: 1 });
      // When Foyer starts, it retries the revocation, but only if the install request is at least a minute old.
      play.clock.jump(61_000);
      await stage.stop();
      await stage.start();
      await until(play, () => stage.logged().some((line) => line.includes('an install was interrupted')));
      if (end.tokens === 'revoked later') {
        await until(play, async () => JSON.stringify(await request()) === '{"outcome":"failed","kept":0}');
        assert.equal(live(), 0);
      } else {
        assert.deepEqual(await request(), { outcome: 'failed', kept: 1 });
        assert.ok(stage.logged().some((line) => line.includes('could not revoke a token')));
      }
  }
}

/** Checks that installing works if the person tries again after the failure. */
async function assertInstallsNow(play: Play): Promise<void> {
  const visitor = createVisitor();
  const answer = await install(visitor, play.stage.url, play.stage.sandbox, play.acme);
  assert.equal(answer.status, 303);
  const run = await runToItsEnd(play, visitor, answer);
  assert.equal(run.status, 'succeeded');
  assert.deepEqual(liveTokens(play.stage.sandbox), await heldTokens(play.stage.config));
}

async function assertInstalled(
  play: Play,
  cell: Cell,
  end: Installed,
  visitor: Visitor,
  answer: Response,
): Promise<void> {
  const { stage, webhook } = play;
  assert.equal(answer.status, 303, await answer.text());
  const run = await runToItsEnd(play, visitor, answer, cell);
  const steps = Object.fromEntries(run.steps.map((step) => [step.name, step]));
  assert.equal(run.status, end.run, JSON.stringify(run.steps));
  for (const { name, status, error } of run.steps) {
    const expected = end.steps?.[name] ?? 'succeeded';
    assert.equal(expected.includes(': ') ? `${status}: ${error}` : status, expected, name);
    if (status === 'succeeded') assert.equal(error, null, `${name} succeeded, but shows an error`);
  }
  const page = await (await visitor.get(stage.url + answer.headers.get('location'))).text();
  // The installer does not wait for the operators' own webhook.
  const shown = end.run === 'waiting' && cell.method === 'webhook' ? 'succeeded' : end.run;
  if (shown === 'succeeded') assert.match(page, /You’re all set/);
  if (shown === 'failed') assert.match(page, /is installed, but setup is not complete/);
  if (shown === 'waiting') assert.match(page, /Still setting up/);
  const saysArrived = /A welcome message is waiting for you there/.test(page);
  assert.equal(saysArrived, shown === 'succeeded' && steps['send-welcome']?.status === 'succeeded');

  assert.equal(stage.sandbox.messages(play.acme).length, end.welcomes, 'welcomes');
  // Counts only the message of the step `notify-operators`: Foyer also notifies operators of failed runs and dead
  // tokens.
  const told = webhook.posted.filter(
    (text) => text.includes(`run \`${run.id}\``) && text.includes(' installed '),
  );
  assert.equal(told.length, end.operatorsTold ?? 1, 'messages to the operators');
  const status = await play.value('select status from installations');
  assert.equal(status, end.installation ?? 'active');
  assert.deepEqual(liveTokens(stage.sandbox), await heldTokens(stage.config));
}

/**
 * Follows a run to its end, and moves the clock to the next try whenever the run waits. If Slack asks to wait every
 * time, leaves the run waiting.
 */
async function runToItsEnd(play: Play, visitor: Visitor, answer: Response, cell?: Cell): Promise<ShownRun> {
  const statusUrl = `${play.stage.url}${answer.headers.get('location')}/status`;
  const ask = async () => (await (await visitor.get(statusUrl)).json()) as ShownRun;
  const isEndless = cell !== undefined && 'run' in cell.end && cell.end.run === 'waiting';
  let jumps = 0;
  let honoured = 0;
  await until(play, async () => {
    const { open, jumpedTo } = await jumpToNextTry(play.clock, play.stage.database);
    if (jumpedTo !== undefined) {
      jumps += 1;
      if (cell?.failure === '429' && (await wasAskedToWait(play, jumpedTo))) honoured += 1;
    }
    return open === 0 || (isEndless && jumps > 4);
  });
  if (cell?.failure === '429') assert.ok(honoured > 0, 'nothing waited as long as Slack had asked');
  let status = await ask();
  if (isEndless) {
    await until(play, async () => {
      const dueAt = Number(await play.value('select due_at from runs'));
      status = await ask();
      // The clock has just jumped to the end of the previous wait, so `waiting` may still describe the previous wait.
      // If the run is due in the future, a new wait has begun.
      return status.status === 'waiting' && dueAt > play.clock.now();
    });
  }
  return status;
}

/**
 * Returns whether the newest attempt ended because Slack asked Foyer to wait. If so, checks that the run is due 30 s
 * after Slack's answer, as `Retry-After` says. The answer came between the start and the end of that attempt.
 */
async function wasAskedToWait(play: Play, dueAt: number): Promise<boolean> {
  const [attempt] = await play.stage.database.rows<{ code: string; began: number; ended: number }>(
    'select error_code as code, started_at as began, finished_at as ended from step_attempts where finished_at is not null order by finished_at desc, started_at desc limit 1',
  );
  if (attempt?.code !== 'rate_limited') return false;
  const { began, ended } = attempt;
  assert.ok(dueAt >= began + 30_000 && dueAt <= ended + 30_000, `waits ${dueAt - ended} ms`);
  return true;
}

async function until(play: Play, look: () => boolean | Promise<boolean>): Promise<void> {
  const giveUpAt = performance.now() + 200_000;
  while (!(await look())) {
    if (performance.now() > giveUpAt)
      throw new Error(`no end in sight:\n${play.stage.logged().slice(-8).join('\n')}`);
    await new Promise((next) => setTimeout(next, 25));
  }
}

/** Checks that the log contains no token and no sign of a bug in Foyer, no matter what Slack answered. */
function assertLogIsCalm({ stage }: Play): void {
  const log = stage.logged().join('\n');
  for (const fault of [
    'a request failed',
    'a listener failed',
    'interrupted by an error',
    'a request took too long',
  ])
    assert.ok(!log.includes(fault), log);
  for (const { value } of stage.sandbox.state().installations.flatMap((each) => each.tokens))
    assert.ok(!log.includes(value), 'a token is in the log');
}
