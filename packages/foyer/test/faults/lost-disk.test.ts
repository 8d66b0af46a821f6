import assert from 'node:assert/strict';
import { renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { describe, it, type TestContext } from 'node:test';
import {
  createVisitor,
  eventually,
  finishedRun,
  install,
  pressAddToSlack,
} from '../../src/testing/visitor.ts';
import { createFaultyDisk, type DiskFault, type FaultyDisk } from './support/faulty-disk.ts';
import { type ProcessStage, setProcessStage } from './support/process-stage.ts';
import { heldTokens, liveTokens } from './support/tokens.ts';

/**
 * If a file of the database is removed, replaced or cut short under a running Foyer, or if the disk fails, Foyer
 * reports that, and its process ends.
 */

async function setUp(t: TestContext, environment: Record<string, string> = {}): Promise<ProcessStage> {
  const stage = await setProcessStage({ environment });
  t.after(() => stage.close());
  return stage;
}

const choice = ({ sandbox }: ProcessStage, workspace: string) => ({
  teamId: sandbox.workspace(workspace).id,
  userId: sandbox.person(workspace).id,
});

async function installWhole(stage: ProcessStage, workspace: string): Promise<void> {
  const visitor = createVisitor();
  const answer = await install(visitor, stage.url, stage.sandbox, choice(stage, workspace));
  assert.equal(answer.status, 303);
  await finishedRun(visitor, stage.url + answer.headers.get('location'));
}

/** Waits until the process ends; resolves to its exit code and everything that it wrote. */
async function ended(stage: ProcessStage): Promise<{ code: number | null; output: string }> {
  const { code } = await stage.foyer().ended;
  return { code, output: stage.foyer().output() };
}

const activeTeams = async (stage: ProcessStage): Promise<string[]> =>
  (
    await stage.rows<{ team_id: string }>(
      "select team_id from installations where status = 'active' order by 1",
    )
  ).map(({ team_id }) => team_id);

describe('Foyer exits if a database file is removed, replaced or truncated', { concurrency: 3 }, () => {
  for (const [what, damage, says] of [
    ['the WAL file is removed', (file: string) => rmSync(`${file}-wal`), /foyer\.db-wal was removed/],
    [
      'the WAL file is truncated',
      (file: string) => truncateSync(`${file}-wal`, 4000),
      /foyer\.db-wal was cut short/,
    ],
    [
      'the WAL file is replaced',
      (file: string) => {
        writeFileSync(`${file}-wal.new`, '');
        renameSync(`${file}-wal.new`, `${file}-wal`);
      },
      /foyer\.db-wal was replaced/,
    ],
    [
      'the WAL’s index file (-shm) is removed',
      (file: string) => rmSync(`${file}-shm`),
      /foyer\.db-shm was removed/,
    ],
    [
      'the database file is replaced',
      (file: string) => {
        writeFileSync(`${file}.new`, '');
        renameSync(`${file}.new`, file);
      },
      /foyer\.db was replaced/,
    ],
  ] as const) {
    it(`if ${what}, Foyer exits with code 1 within nine seconds, even if it has nothing to write`, async (t) => {
      const stage = await setUp(t);
      await installWhole(stage, 'Acme');
      const since = performance.now();
      damage(stage.databaseFile);
      const { code, output } = await ended(stage);
      assert.equal(code, 1, output);
      assert.ok(performance.now() - since < 9000, 'it ends within seconds');
      assert.match(output, says);
      assert.match(output, /Find what touches that file/);
    });
  }

  it('if the WAL file is deleted, Foyer loses no install, since it writes the WAL’s content into the database before it exits', async (t) => {
    const stage = await setUp(t);
    await installWhole(stage, 'Acme');
    await installWhole(stage, 'Globex');
    const teams = await activeTeams(stage);
    assert.equal(teams.length, 2);
    rmSync(`${stage.databaseFile}-wal`);
    assert.equal((await ended(stage)).code, 1);
    await stage.start();
    assert.deepEqual(await activeTeams(stage), teams);
    assert.deepEqual(liveTokens(stage.sandbox), await heldTokens(stage.config));
  });
});

describe('a disk that fails', { concurrency: 3 }, () => {
  async function setFaulty(t: TestContext): Promise<{ stage: ProcessStage; disk: FaultyDisk } | undefined> {
    const disk = createFaultyDisk(t);
    if (!disk)
      return void t.skip(
        'no C compiler is installed to build the failing disk (apt-get install gcc libc6-dev)',
      );
    return { stage: await setUp(t, disk.environment), disk };
  }

  /** Makes the disk fail after Slack has issued the tokens, and before the install is stored. */
  function failInCommit(stage: ProcessStage, disk: FaultyDisk, faults: readonly DiskFault[]): void {
    const stop = stage.sandbox.onActivity((activity) => {
      if (activity.kind !== 'called' || activity.method !== 'auth.test') return;
      stop();
      for (const fault of faults) disk.fail(fault);
    });
  }

  for (const [outcome, faults] of [
    ['stored', ['sync-fails']],
    ['revoked', ['write-lost', 'sync-fails']],
  ] as const) {
    it(`if the disk fails while Foyer commits an install, the page says the outcome is unknown; after a restart, the install is ${outcome}`, async (t) => {
      const set = await setFaulty(t);
      if (!set) return;
      const { stage, disk } = set;
      await installWhole(stage, 'Globex');
      const visitor = createVisitor();
      const callback = await pressAddToSlack(visitor, stage.url, stage.sandbox, choice(stage, 'Acme'));
      failInCommit(stage, disk, faults);
      const answer = await visitor.get(callback);
      const page = await answer.text();
      assert.equal(answer.status, 503, page);
      assert.match(page, /We do not know yet whether the install was saved/);
      assert.match(page, /Reference: <code translate="no">outcome_unknown<\/code>/);
      const [, progress] = /href="(\/installs\/[^"]+)"/.exec(page) ?? [];
      const { code, output } = await ended(stage);
      assert.equal(code, 1, output);
      assert.match(output, /could not be written to the disk: EIO/);

      disk.heal();
      // Foyer handles an interrupted install only once it is a minute old, so the test makes the install older.
      await stage.change(
        'update install_requests set started_at = started_at - 120000, used_at = used_at - 120000',
      );
      await stage.start();
      const acme = choice(stage, 'Acme').teamId;
      if (outcome === 'stored') {
        const run = await finishedRun(visitor, stage.url + progress);
        assert.equal(run.status, 'succeeded');
      } else {
        await eventually(async () => stage.foyer().output().includes('an install was interrupted'));
        const status = await (await visitor.get(`${stage.url + progress}/status`)).text();
        assert.match(status, /"status":"not_installed"/);
      }
      assert.equal((await activeTeams(stage)).includes(acme), outcome === 'stored');
      assert.deepEqual(liveTokens(stage.sandbox), await heldTokens(stage.config));
    });
  }

  it('if a sync to the disk fails, Foyer does not acknowledge the event, reports unhealthy, and exits with code 1', async (t) => {
    const set = await setFaulty(t);
    if (!set) return;
    const { stage, disk } = set;
    await installWhole(stage, 'Acme');
    disk.fail('sync-fails');
    const [delivery] = await stage.sandbox.uninstall({ teamId: choice(stage, 'Acme').teamId });
    assert.notEqual(delivery?.status, 200, 'an event is acknowledged only once its effect is safe');
    const health = await fetch(`${stage.url}/healthz`).then(
      ({ status }) => status,
      () => 'ended',
    );
    assert.notEqual(health, 200);
    assert.equal((await ended(stage)).code, 1);
  });

  it('if file locks on the disk fail, Foyer exits with code 1 within 24 seconds', async (t) => {
    const set = await setFaulty(t);
    if (!set) return;
    const { stage, disk } = set;
    await installWhole(stage, 'Acme');
    disk.fail('locks-fail');
    const since = performance.now();
    const { code, output } = await ended(stage);
    assert.equal(code, 1, output);
    assert.match(output, /SQLITE_PROTOCOL|locking protocol/);
    const tookMs = performance.now() - since;
    assert.ok(tookMs < 24_000, `it took ${tookMs} ms`);
  });
});
