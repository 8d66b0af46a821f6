import assert from 'node:assert/strict';
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { describe, it, type TestContext, test } from 'node:test';
import { promisify } from 'node:util';
import Sqlite from 'better-sqlite3';
import { sql } from 'kysely';
import { type DatabaseTarget, parseDatabaseUrl } from '../../src/config/database-target.ts';
import { matchTables } from '../../src/database/copy/copied-tables.ts';
import type { Database } from '../../src/database/database.ts';
import { openDatabase } from '../../src/database/open-database.ts';
import { readTables } from '../../src/database/read-tables.ts';
import { foyerTableNames } from '../../src/database/records.ts';
import type { WorkProgress } from '../../src/operator/terminal/progress-bar.ts';
import { count } from '../faults/support/full-run.ts';
import { compileCache } from '../support/compile-cache.ts';
import { engines } from '../support/open-test-database.ts';
import { startPostgresProxy } from '../support/postgres-proxy.ts';
import { createPostgresDatabase } from '../support/shared-postgres.ts';
import type { EngineName } from '../support/stage-database.ts';
import { everythingIn, fillEveryTable, tableCount } from './fill-every-table.ts';
import { createOperatorHarness } from './operator-harness.ts';

const copyProcess = new URL('./copy-process.ts', import.meta.url).pathname;

/** Makes a source with `rows` rows in each table, and an empty target. Neither is open afterward. */
async function prepare(
  t: TestContext,
  { from = 'SQLite', to = 'Postgres', rows = 25 }: { from?: EngineName; to?: EngineName; rows?: number } = {},
) {
  const harness = await createOperatorHarness(t, {}, from);
  await fillEveryTable(harness.database, rows);
  const held = await everythingIn(harness.database);
  await harness.database.close();
  const postgres = to === 'Postgres' ? await createPostgresDatabase({ empty: true }) : undefined;
  if (postgres) t.after(postgres.drop);
  const url = postgres?.url ?? `file:${join(harness.folder, 'target', 'foyer.db')}`;
  const target = targetOf(url);
  /** Opens the source or the target, does some work with it, and closes it. */
  async function look<T>(at: DatabaseTarget, work: (database: Database) => Promise<T>): Promise<T> {
    const database = await openDatabase(at);
    return work(database).finally(() => database.close());
  }
  const copy = (options?: Parameters<typeof harness.run>[1]) =>
    harness.run(['copy', '--to', url, '--json'], options);
  return { ...harness, source: harness.config.database, held, url, target, look, copy };
}

function targetOf(url: string): DatabaseTarget {
  const target = parseDatabaseUrl(url);
  assert.ok(target);
  return target;
}

/** Starts a copy in its own process, and calls back for each line that it prints. */
function startCopy(
  source: DatabaseTarget,
  target: DatabaseTarget,
  onLine: (line: string) => void = () => {},
) {
  const child: ChildProcess = spawn(
    process.execPath,
    [copyProcess, JSON.stringify(source), JSON.stringify(target)],
    { stdio: ['ignore', 'pipe', 'inherit'], env: { ...process.env, NODE_COMPILE_CACHE: compileCache } },
  );
  assert.ok(child.stdout);
  let last = '';
  createInterface(child.stdout).on('line', (line) => {
    last = line;
    onLine(line);
  });
  const ended = once(child, 'close').then(() => last);
  return { kill: () => child.kill('SIGKILL'), ended };
}

/** Makes a progress callback that interrupts a copy in the given phase: the callback throws an error. */
function cutOff(during: WorkProgress['doing']) {
  return (at: WorkProgress | null): void => {
    if (at?.doing === during) throw new Error('cut off');
  };
}

describe('copy', () => {
  for (const [from, to] of [
    ['SQLite', 'Postgres'],
    ['Postgres', 'SQLite'],
    ['SQLite', 'SQLite'],
    ['Postgres', 'Postgres'],
  ] as const) {
    it(`\`copy\` copies every row unchanged from ${from} to ${to}, and shows both databases’ row count and checksum for each table`, async (t) => {
      // 1,100 rows are more than one page of a copy.
      const rows = from === to ? 25 : 1100;
      const { copy, look, target, source, held } = await prepare(t, { from, to, rows });
      const { exitCode, stdout, stderr } = await copy();
      assert.equal(exitCode, 0, stderr);
      const outcome = JSON.parse(stdout);
      assert.deepEqual([outcome.verified, outcome.resumed, outcome.rows], [true, false, tableCount * rows]);
      assert.equal(outcome.tables.length, tableCount);
      for (const { table, source: one, target: other } of outcome.tables) {
        assert.deepEqual(one, other, table);
        assert.equal(one.rows, rows);
        assert.match(one.checksum, /^[0-9a-f]{32}$/);
      }
      assert.deepEqual(await look(target, everythingIn), held);
      assert.deepEqual(await look(source, everythingIn), held, 'the source is unchanged');
      const tables = await look(target, ({ queries }) => readTables(queries));
      assert.equal(tables.length, tableCount, 'nothing is left of the copy');
    });
  }

  it('`copy` prints what it copied and what to do next, but never the encryption key', async (t) => {
    const { run, url, file } = await prepare(t);
    writeFileSync(`${file}.key`, 'main:the-key-itself\n');
    const { exitCode, stdout, stderr } = await run(['copy', '--to', '-'], {
      readStdin: async () => `${url}\n`,
    });
    assert.equal(exitCode, 0, stderr);
    assert.match(stdout, /^history +25 +25 +([0-9a-f]{32}) +\1$/m);
    assert.match(stderr, /Set DATABASE_URL to the address that you gave as --to/);
    assert.ok(stderr.includes(`set TOKEN_ENCRYPTION_KEYS to the lines of ${file}.key`));
    assert.doesNotMatch(stderr, /the-key-itself/);
  });

  it('`copy` names no key file if the source has none', async (t) => {
    const { run, url } = await prepare(t, { to: 'SQLite' });
    const { exitCode, stderr } = await run(['copy', '--to', url]);
    assert.equal(exitCode, 0, stderr);
    assert.match(stderr, /set TOKEN_ENCRYPTION_KEYS to the keys that encrypted the tokens in the source/);
    assert.doesNotMatch(stderr, /\.key/);
  });

  it('`copy` shows its progress', async (t) => {
    const { run, url } = await prepare(t, { to: 'SQLite' });
    const shown: (WorkProgress | null)[] = [];
    await run(['copy', '--to', url], { progress: (at) => void shown.push(at) });
    const of = shown[0]?.of ?? 0;
    assert.ok(of > 25);
    assert.deepEqual(shown[0], { doing: 'copying', done: 25, of, unit: 'rows' });
    assert.deepEqual(shown.at(-2), { doing: 'comparing', done: of, of, unit: 'rows' });
    assert.equal(shown.at(-1), null);
  });

  for (const [from, to] of [
    ['SQLite', 'Postgres'],
    ['Postgres', 'SQLite'],
  ] as const) {
    it(`a copy from ${from} to ${to} that is killed at any moment can resume, and its target cannot be opened until it is finished`, async (t) => {
      const { copy, look, source, target, held, run, url } = await prepare(t, { from, to, rows: 1500 });
      const kills = count({ quick: from === 'SQLite' ? 2 : 1, full: 20 });
      for (let nth = 1; nth <= kills; nth += 1) {
        let pages = 0;
        const killAfter = 1 + Math.floor((Math.random() * 2 * tableCount) / kills);
        const child = startCopy(source, target, () => {
          pages += 1;
          if (pages === killAfter) setTimeout(child.kill, Math.random() * 20);
        });
        const last = await child.ended;
        t.diagnostic(`killed at ${last} ${pages}`);
        if (last.startsWith('done')) break;
        await assert.rejects(openDatabase(target), /A copy of .* into this database is unfinished/);
      }
      const again = await copy();
      if (again.exitCode === 1) assert.match(again.stderr, /not empty/, 'a kill that came too late');
      else assert.equal(JSON.parse(again.stdout).resumed, true);
      assert.doesNotMatch(again.stderr, /starts over/);
      assert.deepEqual(await look(target, everythingIn), held);
      assert.equal((await run(['copy', '--to', url])).exitCode, 1);
    });
  }

  it('a resumed copy includes what has changed in the source since the interruption', async (t) => {
    const { copy, look, source, target } = await prepare(t);
    assert.equal((await copy({ progress: cutOff('comparing') })).exitCode, 1);
    const held = await look(source, async (database) => {
      await database.queries.deleteFrom('installations').where('team_id', '=', 'T3').execute();
      await database.queries
        .updateTable('teams')
        .set({ name: 'renamed' })
        .where('team_id', '=', 'T4')
        .execute();
      await fillEveryTable(database, 1, 5000);
      return everythingIn(database);
    });
    const { exitCode, stdout, stderr } = await copy();
    assert.equal(exitCode, 0, stderr);
    assert.match(stderr, /has changed since the interrupted copy\. Starting over/);
    assert.equal(JSON.parse(stdout).resumed, true);
    assert.deepEqual(await look(target, everythingIn), held);
  });

  it('a copy fails if its source changes while the two databases are compared, and the next copy succeeds', async (t) => {
    const { copy, look, source, target, file } = await prepare(t, { rows: 30 });
    let written = false;
    const write = (at: WorkProgress | null): void => {
      if (written || at?.doing !== 'comparing') return;
      written = true;
      const sqlite = new Sqlite(file);
      sqlite.exec(
        "insert into history (id, installation_id, at, kind) select 'x', min(id), 1, 'installed' from installations",
      );
      sqlite.close();
    };
    const disturbed = await copy({ progress: write });
    assert.deepEqual([disturbed.exitCode, disturbed.stdout], [1, '']);
    assert.match(
      disturbed.stderr,
      /differs from its source in history \(31 rows in the source, 30 in the target\)/,
    );
    assert.match(disturbed.stderr, /Stop every Foyer that uses it, and run this again/);
    await assert.rejects(openDatabase(target), /unfinished/);
    assert.equal((await copy()).exitCode, 0);
    assert.deepEqual(await look(target, everythingIn), await look(source, everythingIn));
  });

  for (const from of ['SQLite', 'Postgres'] as const) {
    it(`\`copy\` refuses a source that is in use (${from})`, async (t) => {
      const { copy, source, target } = await prepare(t, { from, to: 'SQLite' });
      const foyer = await openDatabase(source);
      await foyer.ping();
      const refused = await copy();
      await foyer.close();
      assert.deepEqual([refused.exitCode, refused.stdout], [1, '']);
      assert.match(refused.stderr, /is in use\. Stop every Foyer/);
      assert.ok(target.kind === 'sqlite');
      assert.throws(() => readFileSync(target.file), /ENOENT/);
      assert.equal((await copy()).exitCode, 0);
    });
  }

  it('`copy` succeeds if another connection to the source database closes within a second', async (t) => {
    const { copy, source } = await prepare(t, { from: 'Postgres', to: 'SQLite' });
    const foyer = await openDatabase(source);
    await foyer.ping();
    const copying = copy();
    setTimeout(() => void foyer.close(), 700);
    const { exitCode, stderr } = await copying;
    assert.equal(exitCode, 0, stderr);
  });

  it('`copy` refuses a source that comes into use during the copy, and the next copy resumes', async (t) => {
    const { copy, source, look, target, held } = await prepare(t);
    let opening: Promise<Database> | undefined;
    const refused = await copy({
      progress(at) {
        if (at?.doing === 'comparing') opening ??= openDatabase(source);
      },
    });
    await (await opening)?.close();
    assert.equal(refused.exitCode, 1);
    assert.match(refused.stderr, /is in use/);
    const again = await copy();
    assert.equal(again.exitCode, 0, again.stderr);
    assert.equal(JSON.parse(again.stdout).resumed, true);
    assert.deepEqual(await look(target, everythingIn), held);
  });

  for (const to of ['SQLite', 'Postgres'] as const) {
    it(`\`copy\` refuses a target that is not empty, and says what is in it (${to})`, async (t) => {
      const { copy, look, target } = await prepare(t, { to });
      await look(target, ({ queries }) =>
        queries.insertInto('chores').values({ name: 'x', begun_at: 1 }).execute(),
      );
      const { exitCode, stdout, stderr } = await copy();
      assert.deepEqual([exitCode, stdout], [1, '']);
      assert.match(stderr, /The target is not empty: it holds rows \(1 in chores\)/);
      assert.equal((await look(target, everythingIn)).installations?.length, 0);
    });
  }

  it('`copy` refuses a target with tables of another program', async (t) => {
    const { copy, url } = await prepare(t);
    const strangers = async (work: string) => {
      const database = await openDatabase({ kind: 'postgres', url: otherSchema(url) });
      await sql
        .raw(work)
        .execute(database.queries)
        .finally(() => database.close());
    };
    await strangers('create table public.invoices (id int)');
    const { exitCode, stderr } = await copy();
    assert.equal(exitCode, 1);
    assert.match(stderr, /has tables that do not belong to this Foyer \(invoices\)/);
    await strangers('drop table public.invoices');
    assert.equal((await copy()).exitCode, 0, 'what is in another schema does not matter');
  });

  it('`copy` refuses a target with the unfinished copy of another source', async (t) => {
    const one = await prepare(t);
    assert.equal((await one.copy({ progress: cutOff('copying') })).exitCode, 1);
    const other = await prepare(t);
    const refused = await other.run(['copy', '--to', one.url]);
    assert.equal(refused.exitCode, 1);
    assert.ok(refused.stderr.includes(`holds an unfinished copy of ${one.file}`), refused.stderr);
    assert.equal((await one.copy()).exitCode, 0);
  });

  it('`copy` does not copy a database to itself, even under another name', async (t) => {
    const { run, file, folder } = await prepare(t);
    for (const url of [`file:${file}`, `file:${folder}/./x/../foyer.db`]) {
      const { exitCode, stderr } = await run(['copy', '--to', url]);
      assert.equal(exitCode, 1);
      assert.match(stderr, /the same database/);
    }
    const postgres = await prepare(t, { from: 'Postgres' });
    const own = postgres.variables.DATABASE_URL ?? '';
    const named = await postgres.run(['copy', '--to', `${own}?pool_max=3`]);
    assert.match(named.stderr, /the same database/);
    const renamed = await postgres.run(['copy', '--to', own.replace('127.0.0.1', 'localhost')]);
    assert.deepEqual([renamed.exitCode, renamed.stdout], [1, '']);
    assert.match(renamed.stderr, /not empty/, 'an alias that it does not recognize');
  });

  it('two `copy` commands that write to one target at the same time complete it, or leave it so that a third `copy` completes it', async (t) => {
    const { source, target, look, held, copy } = await prepare(t, { rows: 300 });
    const ends = await Promise.all([startCopy(source, target).ended, startCopy(source, target).ended]);
    t.diagnostic(ends.join(', '));
    for (const end of ends) {
      assert.match(end, /^(?:done|failed (?:taken_over|target_not_empty|command_failed))/);
    }
    if (!ends.some((end) => end.startsWith('done'))) assert.equal((await copy()).exitCode, 0);
    assert.deepEqual(await look(target, everythingIn), held);
  });

  it('a copy continues after its target was briefly unreachable', async (t) => {
    const { run, url, look, target, held } = await prepare(t, { rows: 300 });
    const proxy = await startPostgresProxy(url);
    t.after(() => proxy.close());
    let cuts = 0;
    const { exitCode, stderr } = await run(['copy', '--to', proxy.url(new URL(url).pathname.slice(1))], {
      progress(at) {
        if (at?.doing !== 'copying' || cuts >= 3) return;
        cuts += 1;
        proxy.refuse();
        proxy.cut();
        setTimeout(() => proxy.pass(), 200);
      },
    });
    assert.equal(exitCode, 0, stderr);
    assert.equal(cuts, 3);
    assert.deepEqual(await look(target, everythingIn), held);
  });

  it('a copy fails on a full disk, and resumes once there is space', async (t) => {
    const { source, target, copy, look, held } = await prepare(t, { to: 'SQLite', rows: 1500 });
    // A limit on the size of files acts like a full disk in the middle of a transaction. SQLite then rolls back
    // automatically.
    const limited = `trap '' XFSZ; ulimit -f 2000; exec "$0" "$@"`;
    const { stdout } = await promisify(execFile)('sh', [
      '-c',
      limited,
      process.execPath,
      copyProcess,
      JSON.stringify(source),
      JSON.stringify(target),
    ]);
    assert.match(stdout, /^(?:copying\n)+failed database_unavailable\n$/);
    const again = await copy();
    assert.equal(again.exitCode, 0, again.stderr);
    assert.equal(JSON.parse(again.stdout).resumed, true);
    assert.deepEqual(await look(target, everythingIn), held);
  });

  it('`copy` includes every Foyer table on both engines', async (t) => {
    for (const open of Object.values(engines)) {
      const { database, close } = await open();
      t.after(close);
      const found = (await readTables(database.queries)).map(({ name }) => name);
      assert.deepEqual(foyerTableNames.toSorted(), found.sort());
      const copied = await matchTables(database.queries, database.queries);
      assert.deepEqual(copied.map(({ name }) => name).sort(), found);
      assert.equal(copied.length, tableCount);
    }
  });
});

/** Returns the address of the same database with another schema for Foyer's tables. */
function otherSchema(url: string): string {
  const other = new URL(url);
  other.searchParams.set('options', '-c search_path=pg_temp');
  return other.href;
}

test('no command prints the password in a database address, even if the address is invalid', async (t) => {
  const { run } = await prepare(t);
  const password = 'recognisable%40/pass';
  const attempts = [
    ['copy', '--to', `postgres://foyer:${password}@127.0.0.1:9/foyer`],
    ['copy', '--to', `postgres://foyer:12/${password}@127.0.0.1:9/foyer`, '--json'],
    ['copy', '--to', `postgres://foyer@127.0.0.1:9/foyer?password=${password}`],
    ['copy', '--to', `mysql://foyer:${password}@127.0.0.1/foyer`],
    ['copy', `postgres://foyer:${password}@127.0.0.1:9/foyer`],
    ['copy', '--to', 'file:x', `postgres://foyer@127.0.0.1:9/foyer?password=${password}`],
    ['copy', '--from', `postgres://foyer:${password}@127.0.0.1:9/foyer`],
    [`postgres://foyer:${password}@127.0.0.1:9/foyer`],
  ];
  for (const { exitCode, stdout, stderr } of await Promise.all(attempts.map((attempt) => run(attempt)))) {
    assert.notEqual(exitCode, 0);
    assert.equal(stdout, '');
    assert.doesNotMatch(stderr, /recognisable|pass(?!word)/, stderr);
  }
});
