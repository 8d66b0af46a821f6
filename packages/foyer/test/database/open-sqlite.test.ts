import assert from 'node:assert/strict';
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { promisify } from 'node:util';
import Sqlite from 'better-sqlite3';
import { type Database, DatabaseUnavailableError } from '../../src/database/database.ts';
import { recordEncryptionKey } from '../../src/database/encryption-keys.ts';
import { openSqlite } from '../../src/database/sqlite/open-sqlite.ts';
import { replaceDatasync } from '../support/replace-datasync.ts';

const run = promisify(execFile);
const locker = new URL('./hold-write-lock.ts', import.meta.url).pathname;
const key = (id: string) => ({ id, sealedCheck: 'v1.x', now: 1 });

describe('a SQLite database', () => {
  let folder: string;
  let file: string;
  const opened: Database[] = [];
  const open = async (): Promise<Database> => {
    const database = await openSqlite(file);
    opened.push(database);
    return database;
  };
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'foyer-sqlite-'));
    file = join(folder, 'deep', 'foyer.db');
  });
  afterEach(async () => {
    for (const database of opened.splice(0)) await database.close();
    await rm(folder, { recursive: true, force: true });
  });

  /**
   * Opens the database in another process and returns what that process prints: `opened`, or the error. If the test
   * runs as root, the process switches to another user, but only after it has loaded its code: that user may not be
   * able to read the code.
   */
  async function openAsAnotherUser(): Promise<string> {
    const code = `
      const { openSqlite } = await import(${JSON.stringify(import.meta.resolve('../../src/database/sqlite/open-sqlite.ts'))});
      const { default: Sqlite } = await import(${JSON.stringify(import.meta.resolve('better-sqlite3'))});
      new Sqlite(':memory:').close();
      if (process.getuid() === 0) {
        process.setgid(65534);
        process.setuid(65534);
      }
      await openSqlite(${JSON.stringify(file)}).then(
        () => console.log('opened'),
        (error) => console.log(error.name, error.code, error.message),
      );`;
    const { stdout } = await run(process.execPath, [
      '--conditions=source',
      '--input-type=module',
      '-e',
      code,
    ]);
    return stdout;
  }

  /** Starts another process that holds the write lock until `letGo()`. */
  async function lockElsewhere(): Promise<{ letGo(): Promise<void> }> {
    const child: ChildProcess = spawn(process.execPath, [locker, file], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    assert.ok(child.stdout);
    const [said] = await once(child.stdout, 'data');
    assert.match(String(said), /locked/);
    return {
      async letGo() {
        if (child.exitCode !== null) return;
        const gone = once(child, 'exit');
        child.stdin?.end();
        await gone;
      },
    };
  }

  it('SQLite compiles a query with a join, an order and a limit only once, even if its values change', async (t) => {
    const { queries, write } = await open();
    await write((tx) => recordEncryptionKey(tx, key('first')));
    // Each time SQLite compiles a query, better-sqlite3 creates a function for its rows with `new Function`.
    const compiled = t.mock.method(globalThis, 'Function');
    for (const limit of [1, 2, 3])
      await queries
        .selectFrom('encryption_keys as k')
        .innerJoin('encryption_keys as same', 'same.sealed_check', 'k.sealed_check')
        .select('k.id')
        .where('k.sealed_check', '=', 'v1.x')
        .orderBy('k.retired_at')
        .limit(limit)
        .execute();
    assert.equal(compiled.mock.callCount(), 1);
  });

  it('if other users can read an open SQLite database, opening it again makes each of its files private, with one warning each', async () => {
    const first = await open();
    await first.write((transaction) => recordEncryptionKey(transaction, key('a')));
    const files = [file, `${file}-wal`, `${file}-shm`];
    for (const each of files) await chmod(each, 0o666);
    const warnings: string[] = [];
    opened.push(await openSqlite(file, { warn: (text) => void warnings.push(text) }));
    for (const each of files) assert.equal((await stat(each)).mode & 0o777, 0o600, each);
    assert.equal(warnings.length, 3);
    assert.match(warnings[0] ?? '', /could read .*foyer\.db/);
  });

  it('if other users can read a SQLite file that no process is using, Foyer makes the file private when it opens it, and warns once', async () => {
    await (await open()).close();
    opened.pop();
    await chmod(file, 0o644);
    const warnings: string[] = [];
    opened.push(await openSqlite(file, { warn: (text) => void warnings.push(text) }));
    for (const each of [file, `${file}-wal`, `${file}-shm`])
      assert.equal((await stat(each)).mode & 0o777, 0o600, each);
    assert.equal(warnings.length, 1);
  });

  it('if other users can read a SQLite database and this user may not change that, opening it fails and names a chmod command', {
    skip: process.getuid?.() !== 0 && 'only root can open the file as another user',
  }, async () => {
    await (await open()).close();
    opened.pop();
    await chmod(folder, 0o755);
    await chmod(join(folder, 'deep'), 0o777);
    await chmod(file, 0o666);
    assert.match(
      await openAsAnotherUser(),
      /^DatabaseUnavailableError database_unavailable The database .*\(mode 0666\).*as the owner of the file or as root, run: chmod 600 '.*foyer\.db'/,
    );
  });

  it('the change mark of a SQLite database changes after a write, even within one turn of the event loop', async (t) => {
    const database = await open();
    // The sync to disk finishes immediately, so the write resolves in the same turn of the event loop.
    await replaceDatasync(t, async () => {});
    let before: unknown;
    let turnsOver = 0;
    await database.write(async (transaction) => {
      await recordEncryptionKey(transaction, key('a'));
      before = database.changeMark();
      setImmediate(() => {
        turnsOver += 1;
      });
    });
    assert.equal(turnsOver, 0, 'this is still the same turn');
    assert.notEqual(database.changeMark(), before);
  });

  it('the change mark of a SQLite database stays the same without a write, and changes in the next turn of the event loop if another connection writes', async () => {
    const [database, other] = [await open(), await open()];
    const before = database.changeMark();
    await new Promise(setImmediate);
    assert.equal(database.changeMark(), before);
    await other.write((transaction) => recordEncryptionKey(transaction, key('a')));
    await new Promise(setImmediate);
    assert.notEqual(database.changeMark(), before);
  });

  it('a SQLite database makes its files private to their owner', async () => {
    const database = await open();
    await database.write((transaction) => recordEncryptionKey(transaction, key('a')));
    for (const suffix of ['', '-wal', '-shm']) {
      assert.equal((await stat(file + suffix)).mode & 0o777, 0o600, suffix);
    }
    assert.equal((await stat(join(folder, 'deep'))).mode & 0o777, 0o700);
  });

  it('a SQLite database uses a write-ahead log and enforces foreign keys', async () => {
    const database = await open();
    const orphan = { installation_id: 'ins_404', user_id: 'U1', opened_at: 1, published_hash: null };
    await assert.rejects(
      database.write((transaction) => transaction.insertInto('home_views').values(orphan).execute()),
      /FOREIGN KEY/,
    );
    const sqlite = new Sqlite(file, { readonly: true });
    assert.equal(sqlite.pragma('journal_mode', { simple: true }), 'wal');
    sqlite.close();
  });

  it('a SQLite database waits for a lock without blocking anything else, and then writes', async () => {
    const database = await open();
    const lock = await lockElsewhere();
    let turns = 0;
    let longestTurnMs = 0;
    let last = performance.now();
    const clock = setInterval(() => {
      turns += 1;
      longestTurnMs = Math.max(longestTurnMs, performance.now() - last);
      last = performance.now();
    }, 5);
    try {
      const tries = { count: 0 };
      const writing = database.write((transaction) => {
        tries.count += 1;
        return recordEncryptionKey(transaction, key('a'));
      }, 20_000);
      while (turns < 40) await new Promise((next) => setTimeout(next, 5));
      assert.equal(tries.count, 0, 'the work does not begin before the lock is ours');
      await database.ping();
      await lock.letGo();
      assert.equal(await writing, 'v1.x');
      assert.ok(longestTurnMs < 1000, `one turn of the event loop took ${longestTurnMs} ms`);
    } finally {
      clearInterval(clock);
      await lock.letGo();
    }
  });

  it('a SQLite database stops waiting for a lock at the time limit, and works again afterward', async () => {
    const database = await open();
    const lock = await lockElsewhere();
    try {
      const startedAt = performance.now();
      await assert.rejects(
        database.write((transaction) => recordEncryptionKey(transaction, key('a')), 200),
        (error) => error instanceof DatabaseUnavailableError && /locked/.test(error.message),
      );
      assert.ok(performance.now() - startedAt >= 200);
    } finally {
      await lock.letGo();
    }
    assert.equal(await database.write((transaction) => recordEncryptionKey(transaction, key('a'))), 'v1.x');
  });

  it('a SQLite database opens while another process holds the write lock, if there is nothing to migrate', async () => {
    await open();
    const lock = await lockElsewhere();
    try {
      await (await open()).ping();
    } finally {
      await lock.letGo();
    }
  });

  it('a SQLite database rolls back a transaction that throws, and does not retry it', async () => {
    const database = await open();
    let tries = 0;
    await assert.rejects(
      database.write(async (transaction) => {
        tries += 1;
        await recordEncryptionKey(transaction, key('a'));
        throw new Error('the work failed');
      }),
      /the work failed/,
    );
    assert.equal(tries, 1);
    assert.deepEqual(await database.queries.selectFrom('encryption_keys').selectAll().execute(), []);
  });

  it('scrubbing a SQLite database empties the write-ahead log, even if a transaction is under way', async () => {
    const database = await open();
    const { promise: held, resolve: letGo } = Promise.withResolvers<void>();
    const writing = database.write(async (transaction) => {
      await recordEncryptionKey(transaction, key('a'));
      await held;
    });
    await new Promise(setImmediate);
    const scrubbing = database.scrub();
    letGo();
    await Promise.all([writing, scrubbing]);
    assert.equal((await stat(`${file}-wal`)).size, 0, 'the log is written back and emptied');
  });

  it('opening a SQLite database reports a file that is not a database', async () => {
    file = join(folder, 'text.db');
    await writeFile(
      file,
      'This is a text file, and long enough to be read as a header of a database.'.repeat(20),
    );
    await assert.rejects(open(), (error) => {
      assert.ok(error instanceof DatabaseUnavailableError);
      assert.match(
        error.message,
        /text\.db cannot be used: .*not a database .*If this is the wrong file, name the right one/,
      );
      return true;
    });
  });

  it('opening a SQLite database reports a file that is a pipe or a device, without waiting for a writer', async () => {
    file = join(folder, 'pipe');
    await run('mkfifo', [file]);
    const source = new URL('../../src/database/sqlite/open-sqlite.ts', import.meta.url).href;
    for (const target of [file, '/dev/null']) {
      // The database is opened in a separate process, which can be killed if the system call waits forever.
      const code = `import(${JSON.stringify(source)})
        .then(({ openSqlite }) => openSqlite(${JSON.stringify(target)}))
        .catch((error) => console.log(error.code, error.message))`;
      const { stdout } = await run(process.execPath, ['-e', code], { timeout: 20_000 });
      assert.match(
        stdout,
        /^database_unavailable The database \S+ cannot be used: it is not a regular file;/,
      );
    }
  });

  it('a SQLite database that lacks a table is reported as not ready, with SQLite’s reason', async () => {
    const database = await open();
    await database.ping();
    await database.queries.schema.alterTable('encryption_keys').renameTo('mislaid').execute();
    await assert.rejects(database.ping(), { name: 'DatabaseUnavailableError', message: /no such table/ });
  });

  it('a SQLite database is reported as unavailable if its file is damaged beyond the first page', async () => {
    await (await open()).close();
    opened.pop();
    const bytes = await readFile(file);
    await writeFile(file, bytes.fill(0xff, 4096));
    await assert.rejects(
      open().then((reopened) => reopened.ping()),
      DatabaseUnavailableError,
    );
  });

  it('opening a damaged SQLite database says to keep the file and to restore a backup, not to check its permissions', async () => {
    await (await open()).close();
    opened.pop();
    const sound = await readFile(file);
    const damages: [string, Buffer, RegExp][] = [
      ['other pages', Buffer.from(sound).fill(7, 4096), /malformed \(SQLITE_CORRUPT\)/],
      ['the header', Buffer.from(sound).fill(7, 0, 100), /file is not a database \(SQLITE_NOTADB\)/],
    ];
    for (const [what, bytes, problem] of damages) {
      await writeFile(file, bytes);
      await assert.rejects(open(), ({ name, message }: Error) => {
        assert.equal(name, 'DatabaseUnavailableError', what);
        assert.match(message, problem, what);
        assert.match(
          message,
          /keep the file.*restore the newest backup.*docs\/runbook\.md#a-damaged-page/,
          what,
        );
        assert.doesNotMatch(message, /this user can write|free space/, what);
        return true;
      });
    }
  });

  it('opening a SQLite database reports a file that cannot be written', async () => {
    await (await open()).close();
    opened.pop();
    await chmod(file, 0o444);
    await chmod(join(folder, 'deep'), 0o555);
    await chmod(folder, 0o755);
    // Root can write any file, so another user opens the database.
    const printed = await openAsAnotherUser();
    await chmod(join(folder, 'deep'), 0o700);
    assert.match(printed, /^DatabaseUnavailableError database_unavailable /);
  });

  it('opening a SQLite database reports a path at which there can be no database', async () => {
    await writeFile(join(folder, 'deep'), 'a file where the folder should be');
    await assert.rejects(open(), DatabaseUnavailableError);
  });

  it('a SQLite database can be copied during a write', async () => {
    const database = await open();
    await database.write((transaction) => recordEncryptionKey(transaction, key('a')));
    const target = join(folder, 'backup.db');
    await Promise.all([
      database.backup(target),
      database.write((transaction) => recordEncryptionKey(transaction, key('b'))),
    ]);
    const copy = new Sqlite(target, { readonly: true });
    assert.equal(copy.pragma('integrity_check', { simple: true }), 'ok');
    assert.ok(Number(copy.prepare('select count(*) from encryption_keys').pluck().get()) >= 1);
    copy.close();
  });
});

describe('the disk probe of a SQLite database', () => {
  const succeeds = (command: string, args: string[]): Promise<boolean> =>
    run(command, args).then(
      () => true,
      () => false,
    );

  it('the disk probe of a SQLite database reports a full disk and a read-only disk, and leaves nothing behind', async (t) => {
    const folder = await mkdtemp(join(tmpdir(), 'foyer-disk-'));
    t.after(async () => {
      while (await succeeds('umount', ['-l', folder]));
      await rm(folder, { recursive: true, force: true });
    });
    if (!(await succeeds('mount', ['-t', 'tmpfs', '-o', 'size=4m', 'tmpfs', folder])))
      return t.skip('cannot mount a small tmpfs to fill: that needs root with CAP_SYS_ADMIN');
    const database = await openSqlite(join(folder, 'foyer.db'));
    t.after(() => database.close());
    await database.ping();
    const names = (await readdir(folder)).sort();
    assert.deepEqual(names, ['foyer.db', 'foyer.db-shm', 'foyer.db-wal']);
    const pings = async (): Promise<string> =>
      database.ping().then(
        () => 'ok',
        (error) => `${error.name}: ${error.message}`,
      );
    const becomes = async (expected: RegExp): Promise<void> => {
      for (let found = ''; !expected.test(found); found = await pings())
        await new Promise((later) => setTimeout(later, 50));
    };
    await writeFile(join(folder, 'ballast'), Buffer.alloc(8_000_000)).catch(() => {});
    await becomes(/^DatabaseUnavailableError: .*ENOSPC/);
    await rm(join(folder, 'ballast'));
    await becomes(/^ok$/);
    // Makes the folder read-only for files that are opened from now on. Files that are open already stay writable.
    await run('mount', ['--bind', folder, folder]);
    await run('mount', ['-o', 'remount,bind,ro', folder]);
    await becomes(/EROFS|readonly/);
    assert.deepEqual((await readdir(folder)).sort(), names);
  });
});
