import assert from 'node:assert/strict';
import { it } from 'node:test';
import {
  createVisitor,
  eventually,
  finishedRun,
  install,
  pressAddToSlack,
} from '../../src/testing/visitor.ts';
import type { EngineName } from '../support/stage-database.ts';
import { count, isFullRun } from './support/full-run.ts';
import { afterMs, atCall, atCommit, atWebhook, type KillPoint, phases } from './support/kill-points.ts';
import { type ProcessStage, setProcessStage } from './support/process-stage.ts';
import { createRandom } from './support/random.ts';
import { heldTokens, liveTokens } from './support/tokens.ts';

/**
 * Invariants 1, 2 and 3 under SIGKILL. Foyer runs in its own process, is killed at some instant of an install and is
 * started again on the same database. Then the person reloads the page, and starts over if nothing was stored.
 */

/** How long a test waits for a run to end: longer than a lease of thirty seconds plus the delays of a busy machine. */
const patienceMs = 90_000;

/**
 * The points at which Foyer is killed during one install. After each kill, Foyer starts again, and the test waits for
 * the next point.
 */
type Killing = readonly KillPoint[];

interface Tally {
  kills: number;
  /** Installs whose run resumed after the restart. */
  resumed: number;
  /** Installs in which Foyer was killed before the code exchange. It completed them when the callback was reloaded. */
  reloaded: number;
  /** Installs that the person had to start over, because Foyer had stored nothing before the kill. */
  begunAnew: number;
  /** Kill points that Foyer did not reach before the run had finished. */
  atRest: number;
  /**
   * Installs in which Foyer was killed while it notified the operators. Foyer cannot know whether the notice arrived,
   * so it does not send it again.
   */
  operatorsUnconfirmed: number;
}

const wasCut = 'the connection was cut';

interface Place {
  teamId: string;
  userId: string;
}

const methods = [
  'oauth.v2.access',
  'auth.test',
  'users.info',
  'team.info',
  'conversations.open',
  'chat.postMessage',
  'views.publish',
] as const;

const everyCall: Killing[] = methods.flatMap((method) => phases.map((phase) => [atCall(method, 1, phase)]));
const inDoubt: Killing[] = phases.flatMap((phase) => [
  [
    atCall('chat.postMessage', 1, 'before its answer'),
    atCall('conversations.history', 1, phase),
    atCall('views.publish', 1, phase),
  ],
]);
const webhook: Killing[] = [[atWebhook('as it arrives')], [atWebhook('before its answer')]];
const commits = (many: number, when?: 'before'): Killing[] =>
  Array.from({ length: many }, (_, index) => [atCommit(index + 1, when)]);

/**
 * Numbers of installs. `rounds`: the installs that are killed at each named point. `rows`: the installs that are killed
 * twice, at a random instant and again after the restart. `anywhere`: the installs that are killed once, at a random
 * instant.
 */
const fullCounts = {
  SQLite: { rounds: 2, rows: 25, anywhere: 60 },
  Postgres: { rounds: 1, rows: 15, anywhere: 30 },
} as const;

function killings(random: ReturnType<typeof createRandom>, engine: EngineName): Killing[] {
  const anyInstant = (): Killing =>
    random.next() < 0.5
      ? [afterMs(random.below(220))]
      : [atCall(random.pick(methods), 1, 'after its answer', random.below(25))];
  if (!isFullRun && engine === 'Postgres') {
    return [
      [atCall('chat.postMessage', 1, 'before its answer')],
      [atCall('auth.test', 1, 'before its answer')],
      [atCommit(3, 'before')],
      [atCommit(7)],
    ];
  }
  if (!isFullRun) {
    return [
      [atCall('chat.postMessage', 1, 'before its answer')],
      [atCall('oauth.v2.access', 1, 'before its answer')],
      [atCall('auth.test', 1, 'before its answer')],
      [
        atCall('chat.postMessage', 1, 'before its answer'),
        atCall('conversations.history', 1, 'before its answer'),
      ],
      [atWebhook('before its answer')],
      ...[1, 3, 6, 10].map((nth): Killing => [atCommit(nth)]),
      ...Array.from({ length: 2 }, anyInstant),
    ];
  }
  const once = [...everyCall, ...inDoubt, ...webhook, ...commits(18)];
  if (engine === 'Postgres') once.push(...commits(18, 'before'));
  const { rounds, rows, anywhere } = fullCounts[engine];
  const often = Array.from({ length: rounds }, () => once).flat();
  const twoInARow = Array.from(
    { length: rows },
    (): Killing => [...anyInstant(), afterMs(random.below(900))],
  );
  return [...often, ...twoInARow, ...Array.from({ length: anywhere }, anyInstant)];
}

const leastKills = {
  SQLite: count({ quick: 11, full: 200 }),
  Postgres: count({ quick: 4, full: 120 }),
} as const;

for (const engine of ['SQLite', 'Postgres'] as const) {
  it(`if Foyer is killed during an install on ${engine}, it loses no stored install, welcomes once, repeats no finished step and leaves no stray token`, async (t) => {
    const random = createRandom();
    const queue = killings(random, engine);
    const tally: Tally = {
      kills: 0,
      resumed: 0,
      reloaded: 0,
      begunAnew: 0,
      atRest: 0,
      operatorsUnconfirmed: 0,
    };
    const lanes = await Promise.all([setProcessStage({ engine }), setProcessStage({ engine })]);
    t.after(() => Promise.all(lanes.map((stage) => stage.close())));
    await Promise.all(
      lanes.map(async (stage) => {
        const places = placesOf(stage);
        for (let killing = queue.shift(); killing; killing = queue.shift()) {
          const name = killing.map((point) => point.name).join(', then ');
          try {
            await installUnderFire(stage, killing, random.pick(places), tally);
          } catch (cause) {
            const output = stage.foyer().output().slice(-3000);
            throw new Error(`killed ${name} (seed ${random.seed})\n${output}`, { cause });
          }
        }
        assert.deepEqual(liveTokens(stage.sandbox).sort(), (await heldTokens(stage.config)).sort());
      }),
    );
    t.diagnostic(`seed ${random.seed}: ${JSON.stringify(tally)}`);
    assert.ok(tally.kills >= leastKills[engine], `${tally.kills} kills`);
    assert.ok(tally.resumed > 0 && tally.reloaded + tally.begunAnew > 0);
  });
}

function placesOf({ sandbox }: ProcessStage): Place[] {
  return ['Acme', 'Globex', 'Initech Product', 'Initech Sales'].flatMap((name) =>
    (['owner', 'admin'] as const).map((role) => ({
      teamId: sandbox.workspace(name).id,
      userId: sandbox.person(name, role).id,
    })),
  );
}

async function installUnderFire(
  stage: ProcessStage,
  killing: Killing,
  place: Place,
  tally: Tally,
): Promise<void> {
  await beginNewLife(stage, place);
  const visitor = createVisitor();
  const callback = await pressAddToSlack(visitor, stage.url, stage.sandbox, place);
  for (const [index, point] of killing.entries()) {
    let answered: Promise<unknown> = Promise.resolve();
    const disarm = point.arm(stage, () => stage.foyer().kill());
    if (index === 0) answered = visitor.get(callback).catch(() => wasCut);
    else await stage.tryStart();
    if (!(await diedBeforeItsEnd(stage, answered))) tally.atRest += 1;
    stage.foyer().kill();
    await stage.foyer().ended;
    disarm();
    tally.kills += 1;
  }
  await stage.start();

  const exchangedBefore = stage.sandbox.calls('oauth.v2.access').length;
  const reloaded = await visitor.get(callback);
  const progress = reloaded.headers.get('location') ?? '';
  const hasRun =
    (await openRunsOf(stage, place)).length > 0 || (await currentRun(stage, place))?.status === 'succeeded';
  if (hasRun) {
    assert.equal(reloaded.status, 303, 'the reload of an install that is stored leads to its progress page');
    if (stage.sandbox.calls('oauth.v2.access').length > exchangedBefore) tally.reloaded += 1;
    else tally.resumed += 1;
    assert.equal((await finishedRun(visitor, stage.url + progress, patienceMs)).status, 'succeeded');
  } else {
    tally.begunAnew += 1;
    assert.ok([303, 400, 502].includes(reloaded.status), `the reload answered ${reloaded.status}`);
    const fresh = createVisitor();
    const done = await install(fresh, stage.url, stage.sandbox, place);
    assert.equal(done.status, 303, 'the person can simply begin again');
    const run = await finishedRun(fresh, stage.url + done.headers.get('location'), patienceMs);
    assert.equal(run.status, 'succeeded');
  }
  if ((await assertWhole(stage, place)).isOperatorsNoticeUnconfirmed) tally.operatorsUnconfirmed += 1;
}

async function beginNewLife(stage: ProcessStage, { teamId }: Place): Promise<void> {
  const isInstalled = stage.sandbox
    .state()
    .workspaces.some((each) => each.id === teamId && each.installationId);
  if (isInstalled) await stage.sandbox.uninstall({ teamId });
  await stage.sandbox.settled();
  const left = await stage.rows(
    'select id from installations where team_id = ? and status <> ?',
    teamId,
    'uninstalled',
  );
  assert.equal(left.length, 0, 'an uninstall that was acknowledged is committed');
}

/** Waits until the process dies or the install is over; returns whether the process died. */
async function diedBeforeItsEnd(stage: ProcessStage, answered: Promise<unknown>): Promise<boolean> {
  const foyer = stage.foyer();
  let answer: unknown;
  void answered.then((given) => {
    answer = given ?? 'nothing was asked';
  });
  return eventually(async () => {
    if (foyer.hasEnded()) return { died: true };
    if (answer === undefined || answer === wasCut) return false;
    const isOver = (await stage.rows('select id from runs where finished_at is null')).length === 0;
    return isOver && !foyer.hasEnded() && { died: false };
  }, patienceMs).then(({ died }) => died);
}

interface RunLine {
  id: string;
  status: string;
}

async function currentRun(stage: ProcessStage, { teamId }: Place): Promise<RunLine | undefined> {
  const [newest] = await stage.rows<RunLine>(
    `select r.id, r.status from runs r join installations i on i.id = r.installation_id and i.life = r.life
      where i.team_id = ? and i.status <> 'uninstalled' order by r.created_at desc, r.id desc limit 1`,
    teamId,
  );
  return newest;
}

function openRunsOf(stage: ProcessStage, { teamId }: Place): Promise<RunLine[]> {
  return stage.rows<RunLine>(
    `select r.id, r.status from runs r join installations i on i.id = r.installation_id
      where i.team_id = ? and r.finished_at is null`,
    teamId,
  );
}

/** Checks what must be true of an install once it is over, even if there was a kill or a fault. */
async function assertWhole(
  stage: ProcessStage,
  place: Place,
): Promise<{ isOperatorsNoticeUnconfirmed: boolean }> {
  const [installation] = await stage.rows<{ id: string; life: number; status: string }>(
    'select id, life, status from installations where team_id = ?',
    place.teamId,
  );
  assert.equal(installation?.status, 'active');
  assert.deepEqual(await openRunsOf(stage, place), []);
  const run = await currentRun(stage, place);
  const steps = await stage.rows<{ name: string; status: string }>(
    'select name, status from steps where run_id = ? order by position',
    run?.id,
  );
  assert.equal(steps.length, 6);
  const isOperatorsNoticeUnconfirmed = steps.at(-1)?.status === 'unconfirmed';
  for (const { name, status } of isOperatorsNoticeUnconfirmed ? steps.slice(0, -1) : steps)
    assert.equal(status, 'succeeded', name);
  const told = stage.webhook.posted.filter(
    (text) => text.includes(' installed ') && text.includes(run?.id ?? '?'),
  );
  assert.ok(
    told.length === 1 || (told.length === 0 && isOperatorsNoticeUnconfirmed),
    `operators told ${told.length} times`,
  );

  const attempts = await stage.rows<{ step_name: string; attempt: number; outcome: string }>(
    'select step_name, attempt, outcome from step_attempts where run_id = ? order by step_name, attempt',
    run?.id,
  );
  for (const [index, { step_name, attempt, outcome }] of attempts.entries()) {
    const next = attempts[index + 1];
    if (outcome === 'succeeded') assert.notEqual(next?.step_name, step_name, `${step_name} ran again`);
    if (next?.step_name === step_name) assert.equal(next.attempt, attempt + 1);
  }

  const welcomes = stage.sandbox.messages(place).filter(({ metadata }) => {
    const told = metadata?.event_payload;
    return told?.installation_id === installation.id && told.life === installation.life;
  });
  assert.equal(welcomes.length, 1, `${welcomes.length} welcomes`);
  return { isOperatorsNoticeUnconfirmed };
}
