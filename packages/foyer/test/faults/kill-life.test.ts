import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { Pipeline } from '../../src/database/records.ts';
import { createVisitor, eventually, install, type Visitor } from '../../src/testing/visitor.ts';
import type { EngineName } from '../support/stage-database.ts';
import { isEveryPoint, isFullRun } from './support/full-run.ts';
import {
  afterMs,
  atCall,
  atCommit,
  atWebhook,
  type KillPoint,
  killedDuring,
  phases,
} from './support/kill-points.ts';
import { type ProcessStage, setProcessStage } from './support/process-stage.ts';
import { startWebhookEndpoint, type WebhookEndpoint } from './support/webhook-endpoint.ts';

/**
 * Kills Foyer with SIGKILL after an install is stored. The kills come at the commits and calls of these kinds of work:
 * uninstall runs, `opened` and `upgraded` runs, questions and their answers, and jobs. The app under test is
 * `support/life-app.ts`; `billing` is the system that this app calls.
 */

/** How long a test waits for a run to end: longer than a lease plus the delays of a busy machine. */
const patienceMs = 60_000;

interface Life {
  stage: ProcessStage;
  billing: WebhookEndpoint;
  /** Adds a workspace for one case, and returns its owner. */
  place(name: string): Place;
  /** The lines of the app's ledger that match `like`, sorted. */
  ledger(like: string): Promise<string[]>;
}

interface Place {
  teamId: string;
  userId: string;
}

async function setLife(t: TestContext, engine: EngineName, jobMs?: number): Promise<Life> {
  const billing = await startWebhookEndpoint();
  t.after(() => billing.close());
  const stage = await setProcessStage({
    engine,
    script: fileURLToPath(new URL('./support/life-process.ts', import.meta.url)),
    environment: { BILLING_URL: billing.url, ...(jobMs && { BILLING_JOB_MS: String(jobMs) }) },
  });
  t.after(() => stage.close());
  return {
    stage,
    billing,
    place(name) {
      const { id: teamId } = stage.sandbox.addWorkspace({ name });
      return { teamId, userId: stage.sandbox.person(teamId, 'owner').id };
    },
    async ledger(like) {
      const rows = await stage.rows<{ line: string }>('select line from ledger where line like ?', like);
      return rows.map(({ line }) => line).sort();
    },
  };
}

/**
 * Picks the cases to run. `quick` lists indexes of cases: `npm test` runs the first three of them on SQLite, and the
 * first two on Postgres. `npm run test:full` runs all cases on SQLite. On Postgres, it runs every third case and the
 * cases of `npm test`, or all cases with FOYER_FULL=all.
 */
function some<T>(engine: EngineName, all: readonly T[], quick: readonly number[]): T[] {
  const few = quick.slice(0, engine === 'SQLite' ? 3 : 2);
  if (!isFullRun) return few.flatMap((index) => all[index] ?? []);
  if (engine === 'SQLite' || isEveryPoint) return [...all];
  return all.filter((_, index) => index % 3 === 0 || few.includes(index));
}

/**
 * Returns a kill point right after each of the first commits, up to number `many`. On Postgres, also returns a kill
 * point right before each of these commits.
 */
const commits = (engine: EngineName, many: number): KillPoint[] =>
  Array.from({ length: many }, (_, index) => index + 1).flatMap((nth) =>
    engine === 'Postgres' ? [atCommit(nth), atCommit(nth, 'before')] : [atCommit(nth)],
  );

interface RunLine {
  id: string;
  status: string;
}

const runsOf = ({ stage }: Life, { teamId }: Place, pipeline: Pipeline) =>
  stage.rows<RunLine>(
    `select r.id, r.status from runs r join installations i on i.id = r.installation_id
      where i.team_id = ? and r.pipeline = ? order by r.created_at, r.id`,
    teamId,
    pipeline,
  );

/** Checks that each step of a run succeeded once, in its last attempt; returns the number of attempts of each step. */
async function assertDoneOnce({ stage }: Life, runId: string): Promise<Map<string, number>> {
  const attempts = await stage.rows<{ step_name: string; attempt: number; outcome: string | null }>(
    'select step_name, attempt, outcome from step_attempts where run_id = ? order by step_name, attempt',
    runId,
  );
  const counts = new Map<string, number>();
  for (const [index, { step_name: name, attempt, outcome }] of attempts.entries()) {
    assert.equal(attempt, (counts.get(name) ?? 0) + 1, 'no attempt is missing');
    counts.set(name, attempt);
    const isLast = attempts[index + 1]?.step_name !== name;
    assert.equal(outcome === 'succeeded', isLast, `${name}, attempt ${attempt}: ${outcome}`);
  }
  return counts;
}

/** Installs the app unless it is already installed. When the run has asked its question, resolves to the run's id. */
async function asked(
  life: Life,
  place: Place,
  visitor: Visitor,
  declinedScopes: string[] = [],
): Promise<string> {
  const { stage } = life;
  const [known] = await runsOf(life, place, 'install');
  if (!known) {
    const done = await install(visitor, stage.url, stage.sandbox, { ...place, declinedScopes });
    assert.equal(done.status, 303, await done.text());
  }
  return eventually(async () => {
    const [run] = await runsOf(life, place, 'install');
    const forms = formsOf(life, place).length;
    assert.ok(forms <= 1, `${forms} questions`);
    return run?.status === 'waiting' && forms === 1 && run.id;
  }, patienceMs);
}

/** The messages that still show the form of a question. */
const formsOf = ({ stage }: Life, place: Place) =>
  stage.sandbox.messages(place).filter(({ blocks }) => JSON.stringify(blocks).includes('foyer.answer.input'));

const postsOf = ({ stage }: Life, place: Place, key: RegExp): number =>
  stage.sandbox.messages(place).filter(({ metadata }) => key.test(String(metadata?.event_payload.key)))
    .length;

function answer(life: Life, place: Place): Promise<unknown> {
  const [form] = formsOf(life, place);
  const blockId = String(form?.blocks?.find(({ type }) => type === 'input')?.block_id);
  const entered = {
    [blockId]: { 'foyer.answer.input': { type: 'static_select', selected_option: { value: 'team' } } },
  };
  return life.stage.sandbox.press({ ...place, actionId: 'foyer.answer', where: 'message', entered });
}

for (const engine of ['SQLite', 'Postgres'] as const) {
  describe(`Foyer, killed between install and uninstall, on ${engine}`, { concurrency: 2 }, () => {
    it('if Foyer is killed during an uninstall run, it finishes that run, starts no second one, and repeats no finished step', async (t) => {
      const life = await setLife(t, engine);
      const { stage, billing } = life;
      const arrivals = ['as it arrives', 'before its answer'] as const;
      const points = [
        atWebhook('before its answer', { endpoint: billing, nth: 2 }),
        atCommit(2),
        ...arrivals.map((phase) => atWebhook(phase, { endpoint: billing })),
        atWebhook('as it arrives', { endpoint: billing, nth: 2 }),
        ...commits(engine, 8),
        ...[0, 5, 12, 25, 50].map((delayMs) => afterMs(delayMs)),
      ];
      let interrupted = 0;
      for (const point of some(engine, points, [0, 1, 2])) {
        const place = life.place(`Gone ${point.name}`);
        await asked(life, place, createVisitor());
        const [installation] = await stage.rows<{ id: string }>(
          'select id from installations where team_id = ?',
          place.teamId,
        );
        await killedDuring(stage, point, () => stage.sandbox.uninstall({ teamId: place.teamId }));
        await stage.start();
        // Slack sends the events again after one minute and after five.
        for (const wait of [60_000, 300_000]) {
          await stage.sandbox.clock.advance(wait);
          await stage.sandbox.settled();
        }
        const run = await eventually(async () => {
          const runs = await runsOf(life, place, 'uninstall');
          assert.ok(runs.length <= 1, `${runs.length} uninstall runs after ${point.name}`);
          return runs[0]?.status === 'succeeded' && runs[0];
        }, patienceMs).catch((error) => {
          throw new Error(`${point.name}\n${stage.foyer().output().slice(-3000)}`, { cause: error });
        });
        const attempts = await assertDoneOnce(life, run.id);
        const suffix = `${installation?.id}/1`;
        assert.deepEqual(
          await life.ledger(`% ${suffix}`),
          [`cancel-plan ${suffix}`, `close-books ${suffix}`],
          point.name,
        );
        const calls = billing.posted.filter((text) => text.endsWith(suffix));
        const firstOfLast = calls.indexOf(`cancel-plan ${suffix}`);
        assert.ok(!calls.slice(firstOfLast).includes(`close-books ${suffix}`), 'a finished step ran again');
        for (const [name, count] of attempts) {
          assert.ok(calls.filter((text) => text.startsWith(name)).length <= count);
          if (count > 1) interrupted += 1;
        }
      }
      t.diagnostic(`${interrupted} steps were interrupted`);
      assert.ok(interrupted > 0);
    });

    it('if Foyer is killed during an `opened` or `upgraded` run, it finishes that one run and repeats no finished step', async (t) => {
      const life = await setLife(t, engine);
      const { stage, billing } = life;
      const arrivals = ['as it arrives', 'before its answer'] as const;
      const points = [
        // The run has been stored, and its first step has not begun.
        atCommit(1),
        atWebhook('before its answer', { endpoint: billing }),
        atWebhook('as it arrives', { endpoint: billing, nth: 2 }),
        ...arrivals.map((phase) => atWebhook(phase, { endpoint: billing })),
        ...commits(engine, 7),
        ...[0, 5, 12, 25].map((delayMs) => afterMs(delayMs)),
      ];
      const cases = some(engine, points, [0, 1, 2]).flatMap((point) =>
        (['opened', 'upgraded'] as const).map((moment) => ({ point, moment })),
      );
      for (const { point, moment } of cases) {
        const name = `${moment}: ${point.name}`;
        const place = life.place(`Moment ${name}`);
        const optional = 'im:history';
        await asked(life, place, createVisitor(), moment === 'upgraded' ? [optional] : []);
        const happen = async (): Promise<unknown> =>
          moment === 'opened'
            ? stage.sandbox.openHome(place)
            : install(createVisitor(), stage.url, stage.sandbox, place);
        await killedDuring(stage, point, happen);
        await stage.start();
        if (moment === 'opened') {
          // Advances the clock: if Foyer did not acknowledge the event, Slack now sends it again. Then the member opens
          // Home again.
          await stage.sandbox.clock.advance(60_000);
          await stage.sandbox.settled();
          await happen();
        } else {
          const [row] = await stage.rows<{ id: string; bot_scopes: string }>(
            'select id, bot_scopes from installations where team_id = ?',
            place.teamId,
          );
          // If the process died before the commit, the person presses the button again.
          if (!row?.bot_scopes.includes(optional)) await happen();
        }
        const run = await eventually(async () => {
          const runs = await runsOf(life, place, moment);
          assert.ok(runs.length <= 1, `${runs.length} runs after ${name}`);
          return runs[0]?.status === 'succeeded' && runs[0];
        }, patienceMs).catch((error) => {
          throw new Error(`${name}\n${stage.foyer().output().slice(-3000)}`, { cause: error });
        });
        await assertDoneOnce(life, run.id);
        const lines = await life.ledger(`% ${moment} ${place.userId} %`);
        const ofPlace = await stage.rows<{ id: string }>(
          'select id from installations where team_id = ?',
          place.teamId,
        );
        const suffix = `${moment} ${place.userId} ${ofPlace[0]?.id}/1`;
        assert.deepEqual(lines, [`first ${suffix}`, `second ${suffix}`], name);
        const calls = billing.posted.filter((text) => text.endsWith(suffix));
        assert.ok(!calls.slice(calls.indexOf(`second ${suffix}`)).includes(`first ${suffix}`), name);
      }
    });

    it('if Foyer is killed while it asks a question or receives the answer, it posts the question once and acts on the answer once', async (t) => {
      const life = await setLife(t, engine);
      const { stage, billing } = life;
      const ofPost = (method: string, nth = 1) => phases.map((phase) => atCall(method, nth, phase));
      const whileAsking = [
        atCall('chat.postMessage', 1, 'before its answer'),
        ...ofPost('chat.postMessage'),
        ...ofPost('conversations.open'),
        ...commits(engine, 9),
      ];
      const whileAnswering = [
        atCommit(1),
        atCall('chat.postMessage', 1, 'before its answer'),
        atWebhook('before its answer', { endpoint: billing }),
        atWebhook('as it arrives', { endpoint: billing }),
        ...ofPost('chat.postMessage'),
        ...ofPost('chat.update'),
        ...ofPost('views.publish'),
        ...commits(engine, 8),
        ...[0, 5, 12, 25].map((delayMs) => afterMs(delayMs)),
      ];
      const cases = whileAnswering.map((second, index) => ({ first: whileAsking[index], second }));
      const left = whileAsking.slice(whileAnswering.length).map((first) => ({ first, second: undefined }));
      let pressedAgain = 0;
      for (const { first, second } of some(engine, [...cases, ...left], [0, 1, 2])) {
        const name = `${first?.name}, then ${second?.name}`;
        const place = life.place(`Asked ${name}`);
        const visitor = createVisitor();
        if (first) {
          await killedDuring(stage, first, () => install(visitor, stage.url, stage.sandbox, place));
          await stage.start();
        }
        const runId = await asked(life, place, createVisitor());
        const answering = () => answer(life, place);
        if (second) {
          await killedDuring(stage, second, answering);
          await stage.start();
        }
        const stored = () =>
          stage.rows<{ answer: string | null }>('select answer from questions where run_id = ?', runId);
        // Slack never sends a press again, so if Foyer did not commit it, the person presses again.
        if ((await stored())[0]?.answer == null) {
          pressedAgain += 1;
          await answering();
        }
        await eventually(
          async () => (await runsOf(life, place, 'install'))[0]?.status === 'succeeded',
          patienceMs,
        );
        assert.deepEqual(await stored(), [{ answer: 'team' }], name);
        await assertDoneOnceWithQuestion(life, runId);
        assert.deepEqual(await life.ledger(`plan ${place.teamId} %`), [`plan ${place.teamId} team`], name);
        assert.equal(postsOf(life, place, /^foyer\.question\//), 1, `questions: ${name}`);
        assert.equal(postsOf(life, place, /^plan$/), 1, `messages: ${name}`);
      }
      t.diagnostic(`${pressedAgain} answers were given again`);
    });

    it('if Foyer is killed during a job, the job runs at most once per interval, and runs again in later intervals', async (t) => {
      const everyMs = 4000;
      const life = await setLife(t, engine, everyMs);
      const { stage, billing } = life;
      const points = [
        atWebhook('before its answer', { endpoint: billing }),
        atCommit(1),
        atWebhook('as it arrives', { endpoint: billing }),
        ...commits(engine, 4),
        ...[200, 900, 2300].map((delayMs) => afterMs(delayMs)),
      ];
      const turns = () => billing.posted.filter((text) => text.startsWith('turn '));
      for (const point of some(engine, points, [0, 1])) {
        const before = turns().length;
        await killedDuring(stage, point, () => stage.foyer().ended);
        await stage.start();
        await eventually(async () => turns().length >= before + 2, patienceMs);
        assert.equal(new Set(turns()).size, turns().length, `${point.name}: ${turns().join(', ')}`);
        const lines = await life.ledger('turn %');
        assert.equal(new Set(lines).size, lines.length, point.name);
        for (const turn of turns()) assert.equal(Number(turn.slice(5)) % everyMs, 0);
      }
    });
  });
}

/**
 * Checks that only the last attempt of `choose-plan` succeeded. An attempt that asks the question does not succeed:
 * after it, the run waits.
 */
async function assertDoneOnceWithQuestion({ stage }: Life, runId: string): Promise<void> {
  const outcomes = await stage.rows<{ outcome: string | null }>(
    "select outcome from step_attempts where run_id = ? and step_name = 'choose-plan' order by attempt",
    runId,
  );
  assert.equal(outcomes.at(-1)?.outcome, 'succeeded');
  assert.equal(outcomes.filter(({ outcome }) => outcome === 'succeeded').length, 1);
}
