import assert from 'node:assert/strict';
import { chmod, copyFile, mkdir, open, readFile, rename, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import Sqlite from 'better-sqlite3';
import { sql } from 'kysely';
import { type Database, DatabaseNewerError, DatabaseUnavailableError } from '../../src/database/database.ts';
import { openDatabase } from '../../src/database/open-database.ts';
import { KeyringError } from '../../src/installations/keyring.ts';
import { createVisitor, eventually, finishedRun, install, type Visitor } from '../../src/testing/visitor.ts';
import { type Stage, setStage } from '../support/start-foyer.ts';
import { isServing, spawnFoyer } from './support/foyer-process.ts';
import { heldTokens, liveTokens } from './support/tokens.ts';

/**
 * Tests what Foyer does if its database is locked, full, read-only, gone, damaged, too new, or sealed with another key.
 */

interface Play {
  stage: Stage;
  visitor: Visitor;
  acme: { teamId: string; userId: string };
  /** Runs a statement on the connection that Foyer itself has open. */
  onLiveConnection(statement: string): Promise<void>;
  /** Runs `work` at the next call of a Slack method, before Slack answers. */
  whenCalled(method: string, work: () => void): void;
}

async function setPlay(t: TestContext): Promise<Play> {
  let live: Database | undefined;
  const stage = await setStage({
    // A busy machine may need longer to answer an event than Slack would wait.
    sandbox: { eventTimeoutMs: 20_000 },
    foyer: {
      worker: { pollMs: 50, leaseMs: 1500 },
      async openDatabase(target) {
        live = await openDatabase(target);
        return live;
      },
    },
  });
  t.after(() => stage.close());
  return {
    stage,
    visitor: createVisitor(),
    acme: { teamId: stage.sandbox.workspace('Acme').id, userId: stage.sandbox.person('Acme').id },
    async onLiveConnection(statement) {
      if (live) await sql.raw(statement).execute(live.queries);
    },
    whenCalled(method, work) {
      const stop = stage.sandbox.onActivity((activity) => {
        if (activity.kind !== 'called' || activity.method !== method) return;
        stop();
        work();
      });
    },
  };
}

const installAcme = ({ stage, visitor, acme }: Play): Promise<Response> =>
  install(visitor, stage.url, stage.sandbox, acme);

/** Holds the write lock from another connection, and resolves when it is released after `ms` milliseconds. */
function lockFor(file: string, ms: number): Promise<void> {
  const other = new Sqlite(file);
  other.exec('begin immediate');
  return new Promise((released) => {
    setTimeout(() => {
      other.exec('rollback');
      other.close();
      released();
    }, ms);
  });
}

async function assertRefused(play: Play, answer: Response): Promise<void> {
  const page = await answer.text();
  assert.equal(answer.status, 503, page);
  assert.match(page, /Reference: <code translate="no">database_unavailable<\/code>/);
  assert.match(page, /Nothing was installed/);
  assert.deepEqual(liveTokens(play.stage.sandbox), []);
}

async function assertInstallsWhole(play: Play): Promise<void> {
  const answer = await installAcme(play);
  assert.equal(answer.status, 303);
  const run = await finishedRun(play.visitor, play.stage.url + answer.headers.get('location'));
  assert.equal(run.status, 'succeeded');
  assert.deepEqual(liveTokens(play.stage.sandbox), await heldTokens(play.stage.config));
}

async function status(url: string): Promise<number> {
  return (await fetch(url, { signal: AbortSignal.timeout(20_000) })).status;
}

/** Stops the file from growing, which is what SQLite sees when a disk is full. */
async function fillDisk({ stage, onLiveConnection }: Play): Promise<void> {
  const other = new Sqlite(stage.databaseFile, { readonly: true });
  const used = Number(other.pragma('page_count', { simple: true }));
  other.close();
  await onLiveConnection(`pragma max_page_count = ${used}`);
}

/**
 * Adds ballast at each later `write`, such as `insert on runs`, so that the write needs new pages of the file. Foyer's
 * own rows are so small that they might fit into existing pages.
 */
async function needSpaceFor({ onLiveConnection }: Play, write: string): Promise<void> {
  await onLiveConnection('create table ballast (content)');
  await onLiveConnection(
    `create trigger grow after ${write} begin insert into ballast values (zeroblob(200000)); end`,
  );
}

// This test counts the requests that Foyer answers within a few seconds. It runs alone, since tests that run at the
// same time would slow Foyer down.
it('if the database is locked right after the welcome is sent, the run succeeds with one welcome, and Foyer keeps answering', async (t) => {
  const play = await setPlay(t);
  const { stage, acme, visitor } = play;
  const lock: { is: 'to come' | 'held' | 'released' } = { is: 'to come' };
  // Slack has the welcome, but Foyer cannot record that it was sent: the lock lasts longer than a write waits.
  play.whenCalled('chat.postMessage', () => {
    lock.is = 'held';
    void lockFor(stage.databaseFile, 2700).then(() => {
      lock.is = 'released';
    });
  });
  let answered = 0;
  const asking = (async () => {
    while (lock.is !== 'released') {
      assert.equal(await status(`${stage.url}/healthz`), 200);
      if (lock.is === 'held') answered += 1;
    }
  })();
  const answer = await installAcme(play);
  const progress = stage.url + answer.headers.get('location');
  await asking;
  // Usually, Foyer answers hundreds of requests; on a busy machine, fewer. If it waited for the lock inside SQLite, it
  // would answer no request at all.
  assert.ok(answered >= 10, `${answered} pages were answered while it was locked`);
  const run = await finishedRun(visitor, progress);
  assert.equal(run.status, 'succeeded');
  assert.equal(stage.sandbox.messages(acme).length, 1);
});

describe('a database that cannot be used', { concurrency: 6 }, () => {
  it('if the database is locked while events arrive, Foyer refuses them, and applies the uninstall when Slack resends them', async (t) => {
    const play = await setPlay(t);
    const { stage, acme } = play;
    await assertInstallsWhole(play);
    const other = new Sqlite(stage.databaseFile);
    other.exec('begin immediate');
    const deliveries = await stage.sandbox.uninstall({ teamId: acme.teamId });
    other.exec('rollback');
    other.close();
    assert.equal(deliveries.length, 2);
    for (const delivery of deliveries) assert.equal(delivery?.status, 503);
    await stage.sandbox.clock.advance(60_000);
    await stage.sandbox.settled();
    const database = new Sqlite(stage.databaseFile, { readonly: true });
    t.after(() => database.close());
    assert.equal(database.prepare('select status from installations').pluck().get(), 'uninstalled');
  });

  it('if the database file cannot grow, no install is stored halfway, and installs work again once there is space', async (t) => {
    const play = await setPlay(t);
    const { stage } = play;
    await needSpaceFor(play, 'insert on runs');
    for (const method of ['oauth.v2.access', 'auth.test']) {
      play.whenCalled(method, () => void fillDisk(play));
      const answer = await installAcme(play);
      await assertRefused(play, answer);
      // Foyer stays ready, since reading needs no space.
      assert.equal(await status(`${stage.url}/readyz`), 200);
      await play.onLiveConnection('pragma max_page_count = 1000000');
      await assertInstallsWhole(play);
      await stage.sandbox.uninstall({ teamId: play.acme.teamId });
      await stage.sandbox.settled();
    }
  });

  it('if the database file cannot grow during a run, the run succeeds with one welcome once there is space again', async (t) => {
    const play = await setPlay(t);
    const { stage, acme, visitor } = play;
    await needSpaceFor(play, 'update on welcomes');
    play.whenCalled('chat.postMessage', () => void fillDisk(play));
    const answer = await installAcme(play);
    await eventually(async () => stage.logged().some((line) => line.includes('database or disk is full')));
    await play.onLiveConnection('pragma max_page_count = 1000000');
    const run = await finishedRun(visitor, stage.url + answer.headers.get('location'));
    assert.equal(run.status, 'succeeded');
    assert.equal(stage.sandbox.messages(acme).length, 1);
  });

  it('if the database becomes read-only, an install is refused with 503 and its tokens are revoked', async (t) => {
    const play = await setPlay(t);
    const { stage } = play;
    play.whenCalled('oauth.v2.access', () => void play.onLiveConnection('pragma query_only = 1'));
    await assertRefused(play, await installAcme(play));
    await assertRefused(play, await installAcme(play));
    await play.onLiveConnection('pragma query_only = 0');
    await assertInstallsWhole(play);
    assert.equal(await status(`${stage.url}/readyz`), 200);
  });

  for (const [what, damage] of [
    ['removed', (file: string) => rm(file)],
    [
      'replaced by an empty file',
      (file: string) => rename(file, `${file}.away`).then(() => writeFile(file, '')),
    ],
  ] as const) {
    it(`if the database file is ${what} while Foyer runs, Foyer reports that it is not ready, and refuses installs`, async (t) => {
      const play = await setPlay(t);
      const { stage } = play;
      await assertInstallsWhole(play);
      await stage.sandbox.uninstall({ teamId: play.acme.teamId });
      await stage.sandbox.settled();
      await damage(stage.databaseFile);
      assert.equal(await status(`${stage.url}/readyz`), 503);
      assert.equal(await status(`${stage.url}/healthz`), 503);
      await assertRefused(play, await installAcme(play));
    });
  }

  for (const [what, damage] of [
    ['truncated', (file: string) => truncate(file, 5000)],
    ['overwritten', overwriteMiddle],
  ] as const) {
    it(`if the database file is ${what} while Foyer runs, Foyer answers every request and keeps running`, async (t) => {
      const play = await setPlay(t);
      const { stage } = play;
      await assertInstallsWhole(play);
      const checkpoint = new Sqlite(stage.databaseFile);
      checkpoint.pragma('wal_checkpoint(TRUNCATE)');
      checkpoint.close();
      await damage(stage.databaseFile);
      const answers = [];
      for (const path of ['/', '/healthz', '/readyz', '/installs/nobody', '/slack/install'])
        answers.push((await createVisitor().get(stage.url + path)).status);
      assert.equal(answers[0], 200);
      assert.equal(answers[1], 200);
      assert.ok([200, 503].includes(answers[2] ?? 0));
      assert.equal(answers[4], 302);
      const answer = await install(createVisitor(), stage.url, stage.sandbox, play.acme);
      assert.ok([303, 503].includes(answer.status), `${answer.status}`);
      assert.equal(await status(`${stage.url}/healthz`), 200);
      const log = stage.logged().join('\n');
      assert.ok(
        !log.includes('a request failed'),
        'a damaged database is reported as such, not as a bug of Foyer',
      );
    });
  }
});

/** Overwrites everything after the first page. */
async function overwriteMiddle(file: string): Promise<void> {
  const { length } = await readFile(file);
  const handle = await open(file, 'r+');
  await handle.write(Buffer.alloc(length - 4096, 0xa5), 0, length - 4096, 4096);
  await handle.close();
}

describe('a start on a database that cannot be used', { concurrency: 6 }, () => {
  async function stopped(t: TestContext): Promise<Play> {
    const play = await setPlay(t);
    await assertInstallsWhole(play);
    await play.stage.stop();
    return play;
  }

  it('a start on a damaged database fails with a DatabaseUnavailableError', async (t) => {
    const { stage } = await stopped(t);
    await writeFile(stage.databaseFile, Buffer.alloc(40_960, 0x5a));
    await assert.rejects(stage.start(), DatabaseUnavailableError);
  });

  it('Foyer refuses to start on the database of a newer Foyer, and leaves the database unchanged', async (t) => {
    const { stage } = await stopped(t);
    const database = new Sqlite(stage.databaseFile);
    database.exec("insert into kysely_migration values ('9999-later', '2099-01-01T00:00:00Z')");
    database.pragma('wal_checkpoint(TRUNCATE)');
    database.close();
    const before = await readFile(stage.databaseFile);
    await assert.rejects(stage.start(), DatabaseNewerError);
    assert.deepEqual(await readFile(stage.databaseFile), before);
  });

  it('Foyer refuses to start with a missing or wrong encryption key, and starts once the right key is back', async (t) => {
    const { stage } = await stopped(t);
    const keyFile = `${stage.databaseFile}.key`;
    const right = await readFile(keyFile, 'utf8');
    const [id] = right.split(':');
    await writeFile(keyFile, `${id}:${Buffer.alloc(32, 7).toString('base64')}\n`);
    await assert.rejects(stage.start(), (error: Error) => {
      assert.ok(error instanceof KeyringError);
      assert.match(error.message, /is not the one that this database was used with/);
      return !error.message.includes(right.trim().split(':')[1] ?? '');
    });
    await rm(keyFile);
    await assert.rejects(stage.start(), (error: Error) => {
      assert.ok(error instanceof KeyringError);
      return /which is missing/.test(error.message);
    });
    await assert.rejects(
      readFile(keyFile),
      { code: 'ENOENT' },
      'a new key would hide that the right one is missing',
    );
    await writeFile(keyFile, right);
    await stage.start();
    assert.equal(await status(`${stage.url}/readyz`), 200);
  });

  it('a start without permission to write the database exits with code 1 and a message without a stack trace', async (t) => {
    const { stage } = await stopped(t);
    const folder = join(stage.folder, 'read-only');
    // Root may write anything, so if the tests run as root, the process runs as another user.
    const uid = process.getuid?.() === 0 ? 65_534 : undefined;
    const environment = {
      SLACK_CLIENT_ID: '1.1',
      SLACK_CLIENT_SECRET: 'client-secret',
      SLACK_SIGNING_SECRET: 'signing-secret',
      PORT: '0',
      DATABASE_URL: `file:${folder}/foyer.db`,
      NODE_ENV: 'test',
    };

    await mkdir(folder);
    await chmod(stage.folder, 0o755);
    await copyFile(stage.databaseFile, join(folder, 'foyer.db'));
    await chmod(join(folder, 'foyer.db'), 0o444);
    await chmod(folder, 0o555);
    const foyer = spawnFoyer({ environment, folder, uid });
    assert.equal(await isServing(foyer), false);
    assert.deepEqual(await foyer.ended, { code: 1, signal: null });
    assert.match(foyer.output(), /foyer\.db cannot be used/);
    assert.ok(!/\n\s+at /.test(foyer.output()), foyer.output());
    await chmod(folder, 0o755);
  });
});
