import assert from 'node:assert/strict';
import { once } from 'node:events';
import { it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Failure, World } from 'slack-sandbox';
import { createVisitor, eventually, finishedRun, install, type ShownRun } from '../../src/testing/visitor.ts';
import { isFullRun } from './support/full-run.ts';
import { type ProcessStage, setProcessStage } from './support/process-stage.ts';
import { createRandom, type Random } from './support/random.ts';

/**
 * Thousands of installs while one in five calls to Slack fails. The test checks each install and then uninstalls the
 * app; after a failure page, the workspace installs again. FOYER_SOAK sets the number of installs. Without it, the test
 * ends after 2,000 installs, or after five minutes if that is sooner.
 */

const installs = Number(process.env.FOYER_SOAK ?? 2000);
const mostMs = process.env.FOYER_SOAK ? Number.POSITIVE_INFINITY : 5 * 60_000;
const lanes = 40;
/**
 * The time between the starts of two installs. At 40 ms, at most 1,500 installs start per minute, and a third of them
 * fail. That stays below the 600 failed callbacks per minute after which Foyer answers 429.
 */
const leastApartMs = 40;
const faultRate = 0.2;

/** What goes wrong, and how often in a hundred faults. */
const mix: readonly (readonly [number, Failure])[] = [
  [18, { type: 'status', status: 429, retryAfterSeconds: 1 }],
  [14, { type: 'status', status: 500 }],
  [13, { type: 'status', status: 503 }],
  [12, { type: 'reset-before-acting' }],
  [12, { type: 'reset-after-acting' }],
  [8, { type: 'malformed-json', acts: true }],
  [7, { type: 'malformed-json', acts: false }],
  [8, { type: 'error', error: 'internal_error' }],
  [5, { type: 'error', error: 'missing_scope' }],
  [2, { type: 'error', error: 'account_inactive' }],
  [1, { type: 'hang', delayMs: 20_000, acts: true }],
];

/** Makes Foyer's process answer each message with the memory in use after a garbage collection. */
const memoryProbe = `data:text/javascript,${encodeURIComponent(
  "process.on('message',()=>{gc();const{rss,heapUsed}=process.memoryUsage();process.send({rss,heapUsed})});process.channel.unref()",
)}`;

interface Tally {
  pages: Record<string, number>;
  runs: Record<string, number>;
  steps: Record<string, number>;
  faults: number;
  calls: number;
}

const bump = (counts: Record<string, number>, name: string): void => {
  counts[name] = (counts[name] ?? 0) + 1;
};

it('in a soak test, each install succeeds or reports its failure, no one is welcomed twice, and memory stays bounded', {
  skip: !isFullRun && !process.env.FOYER_SOAK && 'it takes minutes: part of `npm run test:full`',
}, async (t) => {
  const random = createRandom();
  let world: World | undefined;
  const stage = await setProcessStage({
    start: false,
    withIpc: true,
    // Each visitor has its own address, as real ones do: Foyer limits callbacks by address.
    environment: { TRUST_PROXY: '1' },
    sandbox: {
      populate(created) {
        world = created;
        for (let n = 0; n < lanes; n += 1) addWorkspace(created, n);
      },
    },
  });
  t.after(() => stage.close());
  await stage.start(['--expose-gc', '--import', memoryProbe]);
  assert.ok(world);
  const tally: Tally = { pages: {}, runs: {}, steps: {}, faults: 0, calls: 0 };
  breakCalls(stage, random, tally);

  const memory = [await memoryOf(stage)];
  const startedAt = performance.now();
  let begun = 0;
  let ended = 0;
  const isOver = () => begun >= installs || performance.now() - startedAt > mostMs;
  // The first tenth of the installs warms Foyer up: it compiles statements and fills pools.
  const marks = [installs / 10, installs / 2];
  const soaked = world;
  await Promise.all(
    Array.from({ length: lanes }, async (_, lane) => {
      while (!isOver()) {
        const dueAt = startedAt + begun * leastApartMs;
        begun += 1;
        await sleep(Math.max(0, dueAt - performance.now()));
        await oneInstall(stage, soaked, lane, tally);
        ended += 1;
        if (ended < (marks[0] ?? Number.POSITIVE_INFINITY)) continue;
        marks.shift();
        memory.push(await memoryOf(stage));
      }
    }),
  );
  memory.push(await memoryOf(stage));
  const seconds = (performance.now() - startedAt) / 1000;
  stage.foyer().child.kill('SIGTERM');
  // An unhandled rejection or an uncaught exception would have ended the process with code 1.
  assert.deepEqual(await stage.foyer().ended, { code: 0, signal: null });
  t.diagnostic(
    `seed ${random.seed}: ${ended} installs in ${Math.round(seconds)} s, ${JSON.stringify(tally)}`,
  );
  t.diagnostic(`memory after gc (start, warm, middle, end): ${JSON.stringify(memory)}`);
  const [, warm, middle] = memory;
  const last = memory.at(-1);
  assert.ok(warm && middle && last && ended >= 100);
  assert.ok(last.heapMb < warm.heapMb + 15, 'the heap grows');
  // The allocator's memory settles later than the heap. In a run of ten thousand installs, it grew by 96 MB between the
  // 1,000th and the 5,000th install, but only by 12 MB between the 5,000th and the last.
  assert.ok(last.rssMb < middle.rssMb + 100, 'the process grows');
});

function addWorkspace(world: World, n: number): void {
  const id = `T0SOAK${String(n).padStart(4, '0')}`;
  const like = world.workspaces.get('T07ACME4QX1');
  const someone = [...world.people.values()][0];
  if (!like || !someone) throw new Error('the sandbox has lost its first workspace');
  world.workspaces.set(id, { ...like, id, name: `Soak ${n}`, domain: `soak-${n}` });
  const userId = `U0SOAK${String(n).padStart(4, '0')}`;
  world.people.set(userId, { ...someone, id: userId, name: `soak${n}`, roles: { [id]: 'owner' } });
}

function breakCalls(stage: ProcessStage, random: Random, tally: Tally): void {
  const total = mix.reduce((sum, [weight]) => sum + weight, 0);
  stage.sandbox.faults.take = (method) => {
    tally.calls += 1;
    if (random.next() >= faultRate) return undefined;
    tally.faults += 1;
    let left = random.next() * total;
    for (const [weight, failure] of mix) {
      left -= weight;
      if (left >= 0) continue;
      // An `account_inactive` from `auth.test` confirms that the app was removed. Foyer would then uninstall it and
      // cancel the run, so the test leaves this failure out.
      const confirmsUninstall =
        method === 'auth.test' && failure.type === 'error' && failure.error === 'account_inactive';
      return confirmsUninstall ? undefined : failure;
    }
    return undefined;
  };
}

async function memoryOf(stage: ProcessStage): Promise<{ heapMb: number; rssMb: number }> {
  const { child } = stage.foyer();
  child.send('memory');
  const [answer] = (await once(child, 'message')) as [{ rss: number; heapUsed: number }];
  const mb = (bytes: number) => Math.round(bytes / 2 ** 20);
  return { heapMb: mb(answer.heapUsed), rssMb: mb(answer.rss) };
}

async function oneInstall(stage: ProcessStage, world: World, lane: number, tally: Tally): Promise<void> {
  const number = String(lane).padStart(4, '0');
  const place = { teamId: `T0SOAK${number}`, userId: `U0SOAK${number}` };
  const visitor = createVisitor(`10.0.${Math.floor(lane / 250)}.${(lane % 250) + 1}`);
  const answer = await install(visitor, stage.url, stage.sandbox, place);
  bump(tally.pages, String(answer.status));
  const [row] = await stage.rows<{ id: string; life: number; status: string }>(
    'select id, life, status from installations where team_id = ?',
    place.teamId,
  );
  if (answer.status === 303) {
    const run = await finishedRun(visitor, stage.url + answer.headers.get('location'), 180_000);
    await assertHonest(stage, world, place, run, tally);
    await removeApp(stage, world, place.teamId);
    return;
  }
  const page = await answer.text();
  assert.ok([400, 502].includes(answer.status), `${answer.status} ${page}`);
  assert.match(page, /slack_unreachable|slack_refused/);
  assert.ok(row === undefined || row.status === 'uninstalled', 'a failure page, although it is installed');
}

async function assertHonest(
  stage: ProcessStage,
  world: World,
  place: { teamId: string; userId: string },
  run: ShownRun,
  tally: Tally,
): Promise<void> {
  bump(tally.runs, run.status);
  assert.ok(['succeeded', 'failed'].includes(run.status), run.status);
  for (const step of run.steps) {
    assert.ok(['succeeded', 'failed', 'skipped', 'unconfirmed'].includes(step.status), step.status);
    if (step.status !== 'succeeded') bump(tally.steps, `${step.name} ${step.status}: ${step.error}`);
  }
  assert.equal(
    run.status === 'failed',
    run.steps.some((step) => step.status === 'failed'),
  );
  const [installation] = await stage.rows<{ id: string; life: number; status: string }>(
    'select id, life, status from installations where team_id = ?',
    place.teamId,
  );
  assert.ok(installation && ['active', 'broken'].includes(installation.status));
  const welcomes = [...world.conversations.values()]
    .filter(({ kind, memberIds }) => kind === 'im' && memberIds.includes(place.userId))
    .flatMap(({ messages }) => messages)
    .filter(({ metadata }) => {
      const payload = metadata?.event_payload;
      return payload?.installation_id === installation.id && payload.life === installation.life;
    }).length;
  const status = run.steps.find((step) => step.name === 'send-welcome')?.status;
  if (status === 'succeeded') assert.equal(welcomes, 1);
  else assert.ok(welcomes <= 1, `${welcomes} welcomes, and the step is ${status}`);
}

/**
 * Uninstalls, and deletes the installation, its tokens and its messages from the sandbox, so that the sandbox does not
 * grow.
 */
async function removeApp(stage: ProcessStage, world: World, teamId: string): Promise<void> {
  await stage.sandbox.uninstall({ teamId });
  await eventually(async () => {
    const [row] = await stage.rows<{ status: string }>(
      'select status from installations where team_id = ?',
      teamId,
    );
    return row?.status === 'uninstalled';
  }, 60_000);
  for (const [id, each] of world.installations) {
    if (each.teamId !== teamId || each.uninstalledAt === null) continue;
    world.installations.delete(id);
    for (const [value, token] of world.tokens) if (token.installationId === id) world.tokens.delete(value);
  }
  for (const conversation of world.conversations.values())
    if (conversation.kind === 'im' && conversation.teamId === teamId) conversation.messages.length = 0;
}
