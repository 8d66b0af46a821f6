import assert from 'node:assert/strict';
import { mkdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { it, type TestContext } from 'node:test';
import Sqlite from 'better-sqlite3';
import { assembleFoyer } from '../../src/assemble-foyer.ts';
import { createLogger } from '../../src/config/log.ts';
import { createVisitor, finishedRun, install } from '../../src/testing/visitor.ts';
import { isServing, spawnFoyer } from './support/foyer-process.ts';
import { count } from './support/full-run.ts';
import { setProcessStage } from './support/process-stage.ts';
import { createRandom } from './support/random.ts';
import { canRecord, readTraces, recorderCommand, replayCut } from './support/record-disk.ts';
import { heldTokens } from './support/tokens.ts';

/**
 * What Foyer acknowledged: the status of a team's installation and its bot token. `at` is the latest possible time of
 * the acknowledgement.
 */
interface Acknowledged {
  at: number;
  teamId: string;
  status: 'active' | 'uninstalled';
  token: string | undefined;
}

/**
 * Records every write to the disk during a first start, two installs, an uninstall, a stop, a second start and a
 * reinstall.
 */
async function record(t: TestContext) {
  const stage = await setProcessStage({ start: false, sandbox: { eventTimeoutMs: 20_000 } });
  t.after(() => stage.close());
  const root = join(stage.folder, 'data');
  await mkdir(root);
  const databaseFile = join(root, 'foyer.db');
  const acknowledged: Acknowledged[] = [];
  const { sandbox, url } = stage;
  const acknowledge = (teamId: string, status: Acknowledged['status']): void => {
    const ofTeam = sandbox.state().installations.filter((each) => each.teamId === teamId);
    const token = ofTeam
      .flatMap((each) => each.tokens)
      .filter((each) => each.kind === 'bot' && each.status === 'live')
      .at(-1)?.value;
    acknowledged.push({ at: Date.now() + 1, teamId, status, token: status === 'active' ? token : undefined });
  };
  const traces: string[] = [];

  async function run(work: () => Promise<void>): Promise<void> {
    const trace = join(stage.folder, `trace-${traces.length}`);
    traces.push(trace);
    const foyer = spawnFoyer({
      environment: { ...stage.environment, DATABASE_URL: `file:${databaseFile}` },
      folder: stage.folder,
      under: recorderCommand(trace),
    });
    try {
      assert.ok(await isServing(foyer), foyer.output());
      await work();
    } finally {
      // A trace begins with the id of the process.
      const pid = Number.parseInt(await readFile(trace, 'latin1'), 10);
      process.kill(pid, 'SIGTERM');
      await foyer.ended;
    }
  }

  async function installed(workspace: string): Promise<void> {
    const choice = { teamId: sandbox.workspace(workspace).id, userId: sandbox.person(workspace).id };
    const visitor = createVisitor();
    const answer = await install(visitor, url, sandbox, choice);
    assert.equal(answer.status, 303);
    acknowledge(choice.teamId, 'active');
    await finishedRun(visitor, url + answer.headers.get('location'));
  }

  await run(async () => {
    await installed('Acme');
    await installed('Globex');
    const teamId = sandbox.workspace('Acme').id;
    const deliveries = await sandbox.uninstall({ teamId });
    assert.ok(deliveries.every((delivery) => delivery?.status === 200));
    acknowledge(teamId, 'uninstalled');
  });
  await run(() => installed('Acme'));
  const steps = readTraces(traces, root);
  return { stage, root, databaseFile, steps, acknowledged };
}

it('a power cut at any moment loses nothing that was acknowledged, and leaves a database that Foyer can open', async (t) => {
  if (!canRecord())
    return t.skip(
      'strace is not installed, or may not trace: it records the writes (Linux: apt-get install strace)',
    );
  const { stage, root, steps, acknowledged } = await record(t);
  assert.ok(steps.length > 100 && steps.some(({ kind }) => kind === 'sync-folder'), `${steps.length} steps`);
  const random = createRandom();
  t.diagnostic(`FOYER_SEED=${random.seed}, ${steps.length} steps`);
  const log = createLogger({ logLevel: 'silent', secrets: [] });
  const cuts = count({ quick: 12, full: 200 });
  for (let cut = 0; cut < cuts; cut += 1) {
    // Half of the power cuts come right after an acknowledgement. If Foyer acknowledges a change before the change is
    // synced to the disk, a power cut at that time is the most likely to lose the change.
    const ack = random.pick(acknowledged);
    const afterAck = steps.findIndex(({ at }) => at > ack.at);
    const end = cut % 2 === 0 && afterAck > 0 ? afterAck : 1 + random.below(steps.length);
    const done = steps.slice(0, end);
    const cutAt = cut % 2 === 0 && afterAck > 0 ? ack.at : (done.at(-1)?.at ?? 0);
    const target = join(stage.folder, `cut-${cut}`);
    await mkdir(target);
    replayCut(done, { root, target, random });
    const why = `cut ${cut} after step ${end} of ${steps.length} (FOYER_SEED=${random.seed})`;
    const file = join(target, 'foyer.db');
    const config = { ...stage.config, database: { kind: 'sqlite' as const, file } };
    const foyer = await assembleFoyer({ config, definition: {}, log }).catch((error) => {
      throw new Error(`${why}: a fresh Foyer does not start`, { cause: error });
    });
    const expected = new Map(
      acknowledged.filter(({ at }) => at <= cutAt).map((each) => [each.teamId, each] as const),
    );
    for (const { teamId, status, token } of expected.values()) {
      const found = await foyer.find({ teamId });
      const isLater = acknowledged.some((each) => each.teamId === teamId && each.at > cutAt);
      if (!isLater) assert.equal(found?.status, status, `${why}: the team ${teamId}`);
      else assert.ok(found, `${why}: the team ${teamId}`);
      if (token && !isLater) assert.ok((await heldTokens(config)).includes(token), `${why}: its token opens`);
    }
    await foyer.stop();
    assertWhole(file, why);
    await rm(target, { recursive: true });
  }
});

/** Checks that each install is stored with everything that belongs to it, and that SQLite finds no damage. */
function assertWhole(file: string, why: string): void {
  const sqlite = new Sqlite(file, { readonly: true });
  try {
    assert.equal(sqlite.pragma('integrity_check', { simple: true }), 'ok', why);
    assert.deepEqual(sqlite.pragma('foreign_key_check'), [], why);
    const halves = sqlite
      .prepare(
        `select id from install_requests where outcome = 'installed' and (sealed_tokens is not null
           or installation_id not in (select id from installations) or run_id not in (select id from runs))
         union all select id from installations where id not in (select installation_id from runs)
         union all select id from runs where id not in (select run_id from steps)`,
      )
      .all();
    assert.deepEqual(halves, [], why);
  } finally {
    sqlite.close();
  }
}
