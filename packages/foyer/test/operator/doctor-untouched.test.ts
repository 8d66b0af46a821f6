import assert from 'node:assert/strict';
import { type ChildProcess, execFile, spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import {
  accessSync,
  chmodSync,
  chownSync,
  constants,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import Sqlite from 'better-sqlite3';
import { openDatabase } from '../../src/database/open-database.ts';
import type { Finding } from '../../src/operator/doctor/finding.ts';
import { createPostgresDatabase } from '../support/shared-postgres.ts';
import { storeInstallation } from './operator-harness.ts';

/** Root may write to a file of any mode. So if the tests run as root, doctor runs as another user. */
const stranger = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : {};
const program = join(import.meta.dirname, '../support/app/cli.ts');

interface Answer {
  exitCode: number;
  findings: Finding[];
  of(check: string): Finding | undefined;
}

/**
 * Makes a folder that `stranger` owns, with a database of one installation; `doctor` runs there in a separate process.
 */
async function prepare(t: TestContext) {
  const folder = mkdtempSync(join(tmpdir(), 'foyer-untouched-'));
  const file = join(folder, 'foyer.db');
  t.after(() => {
    chmodSync(folder, 0o700);
    rmSync(folder, { recursive: true });
  });
  const database = await openDatabase({ kind: 'sqlite', file });
  await storeInstallation(database, { id: 'ins_1' });
  await database.close();
  const environment: Record<string, string> = {
    PATH: process.env.PATH ?? '',
    SLACK_CLIENT_ID: '1.2',
    SLACK_CLIENT_SECRET: 'recognisable-client-secret',
    SLACK_SIGNING_SECRET: 'recognisable-signing-secret',
    TOKEN_ENCRYPTION_KEYS: `main:${randomBytes(32).toString('base64')}`,
    DATABASE_URL: `file:${file}`,
    NODE_ENV: 'test',
  };
  giveAway(folder);

  function doctor(): Promise<Answer> {
    const args = ['--conditions=source', program, 'doctor', '--offline', '--json'];
    return new Promise((resolve, reject) => {
      const options = { cwd: folder, env: environment, ...stranger };
      execFile(process.execPath, args, options, (error, stdout, stderr) => {
        try {
          const findings = JSON.parse(stdout) as Finding[];
          const of = (check: string) => findings.find((finding) => finding.check === check);
          resolve({ exitCode: error ? Number(error.code) : 0, findings, of });
        } catch {
          reject(new Error(`doctor printed no JSON: ${stdout}${stderr}`));
        }
      });
    });
  }
  return { folder, file, environment, doctor };
}

/** If these tests run as root, makes `stranger`, or the given user, the owner of a folder and everything in it. */
function giveAway(folder: string, { uid, gid }: { uid?: number; gid?: number } = stranger): void {
  if (uid === undefined || gid === undefined) return;
  for (const name of ['.', ...readdirSync(folder)]) chownSync(join(folder, name), uid, gid);
}

/** The state of a folder: names, contents, modes, owners and times of change. */
function snapshot(folder: string) {
  return ['.', ...readdirSync(folder).sort()].map((name) => {
    const path = join(folder, name);
    const { mode, uid, mtimeMs, ctimeMs, ino } = statSync(path);
    const content = name === '.' ? '' : readFileSync(path).toString('base64');
    return { name, content, mode: mode.toString(8), uid, mtimeMs, ctimeMs, ino };
  });
}

/** Starts a process as `stranger` that keeps the database open and locked. */
async function hold(t: TestContext, file: string, how = ''): Promise<ChildProcess> {
  const holder = spawn(
    process.execPath,
    ['--conditions=source', join(import.meta.dirname, 'hold-database.ts'), file, how],
    { stdio: ['ignore', 'pipe', 'inherit'], ...stranger },
  );
  t.after(async () => {
    if (holder.exitCode !== null || holder.signalCode !== null) return;
    holder.kill('SIGKILL');
    await once(holder, 'exit');
  });
  await once(holder.stdout as NodeJS.EventEmitter, 'data');
  return holder;
}

/** Returns the reason to skip these tests if `stranger` cannot read the code. */
function skipUnlessReadable(): string | false {
  if (!stranger.uid) return false;
  for (let at = import.meta.dirname; at !== '/'; at = join(at, '..')) {
    accessSync(at, constants.R_OK);
    if ((statSync(at).mode & 0o005) !== 0o005) return `another user cannot read ${at}`;
  }
  return false;
}

const skip = skipUnlessReadable();

const canMount = (): boolean =>
  spawnSync('unshare', ['-Urm', 'mount', '-t', 'tmpfs', 'tmpfs', '/mnt']).status === 0;

test('doctor leaves the database of a stopped Foyer unchanged, and creates no file beside it', {
  skip,
}, async (t) => {
  const { folder, doctor } = await prepare(t);
  const before = snapshot(folder);
  const { of } = await doctor();
  assert.deepEqual(snapshot(folder), before);
  assert.equal(of('database')?.status, 'ok', of('database')?.detail);
  assert.equal(of('tokens-dead')?.status, 'ok', 'the records were read');
});

test('doctor leaves the files of a running Foyer unchanged, and can read its database', {
  skip,
}, async (t) => {
  const { folder, file, doctor } = await prepare(t);
  await hold(t, file);
  const before = snapshot(folder);
  assert.deepEqual(
    before.map(({ name }) => name),
    ['.', 'foyer.db', 'foyer.db-shm', 'foyer.db-wal'],
  );
  const { of } = await doctor();
  assert.deepEqual(snapshot(folder), before);
  assert.equal(of('database')?.status, 'ok', of('database')?.detail);
  assert.equal(of('database-schema')?.status, 'ok', of('database-schema')?.detail);
});

test('doctor leaves the files of a killed Foyer unchanged, and can read its database', {
  skip,
}, async (t) => {
  const { folder, file, doctor } = await prepare(t);
  const holder = await hold(t, file);
  holder.kill('SIGKILL');
  await once(holder, 'exit');
  const before = snapshot(folder);
  const { of } = await doctor();
  assert.deepEqual(snapshot(folder), before);
  assert.equal(of('database')?.status, 'ok', of('database')?.detail);
  assert.equal(of('tokens-dead')?.status, 'ok');
});

for (const { what, change, names } of [
  {
    what: 'a database file',
    change: (file: string) => chmodSync(file, 0o444),
    names: /cannot write \S+foyer\.db \(mode 444/,
  },
  {
    what: 'a folder',
    change: (file: string) => chmodSync(join(file, '..'), 0o555),
    names: /cannot write \S+foyer-untouched-\w+ \(mode 555/,
  },
  {
    what: 'a WAL',
    change: (file: string) => chmodSync(`${file}-wal`, 0o444),
    names: /cannot write \S+foyer\.db-wal \(mode 444/,
  },
  {
    what: 'a shared-memory file',
    change: (file: string) => chmodSync(`${file}-shm`, 0o444),
    names: /cannot write \S+foyer\.db-shm \(mode 444/,
  },
]) {
  test(`doctor reports ${what} that is read-only, and leaves everything unchanged`, { skip }, async (t) => {
    const { folder, file, doctor } = await prepare(t);
    const holder = await hold(t, file);
    holder.kill('SIGKILL');
    await once(holder, 'exit');
    change(file);
    const before = snapshot(folder);
    const { of, exitCode } = await doctor();
    assert.deepEqual(snapshot(folder), before);
    assert.equal(exitCode, 1);
    assert.equal(of('database')?.status, 'fault');
    assert.match(of('database')?.detail ?? '', names);
    assert.match(of('database')?.fix ?? '', /chown USER/);
  });
}

for (const { what, below, fix } of [
  {
    what: 'that the first start cannot write to the database’s folder',
    below: '',
    fix: /^Give the folder to the user that Foyer runs as \(chown USER \S+\/data; chmod 700 \S+\/data\)/,
  },
  {
    what: 'that the first start cannot create the database’s folder',
    below: 'a/b',
    fix: /\(mkdir -p \S+\/data\/a\/b; chown USER \S+\/data\/a\/b; chmod 700 \S+\/data\/a\/b\)/,
  },
]) {
  test(`doctor reports ${what}, and leaves the data folder empty`, { skip }, async (t) => {
    const { folder, environment, doctor } = await prepare(t);
    const data = join(folder, 'data');
    mkdirSync(data, { mode: 0o555 });
    giveAway(folder);
    environment.DATABASE_URL = `file:${join(data, below, 'foyer.db')}`;
    const { of, exitCode } = await doctor();
    assert.deepEqual(readdirSync(data), []);
    assert.deepEqual([exitCode, of('database')?.status], [1, 'fault']);
    assert.match(
      of('database')?.detail ?? '',
      /^There is no database yet at \S+, and Foyer cannot create it\. Foyer cannot write \S+\/data \(mode 555, owner \d+\)\.$/,
    );
    assert.match(of('database')?.fix ?? '', fix);
  });
}

test('doctor reports a database in a folder that the current user cannot access', { skip }, async (t) => {
  const { folder, environment, doctor } = await prepare(t);
  const data = join(folder, 'data');
  mkdirSync(data, { mode: 0o600 });
  giveAway(folder);
  environment.DATABASE_URL = `file:${join(data, 'foyer.db')}`;
  const { of } = await doctor();
  assert.match(of('database')?.detail ?? '', /^The database \S+ cannot be reached\. .*\/data \(mode 600/);
  assert.match(of('database')?.fix ?? '', /^Run this as the user that Foyer runs as/);
});

test('if the disk is mounted read-only, doctor reports that the first start cannot create the database’s folder', {
  skip: skip || (canMount() ? false : 'this user may not mount a disk'),
}, async (t) => {
  const { folder, environment } = await prepare(t);
  chmodSync(folder, 0o755);
  const env = { ...environment, DATABASE_URL: `file:${folder}/data/foyer.db` };
  // `unshare` gives the command its own mounts, so this mount disappears when the command ends.
  const script = 'mount -t tmpfs -o ro tmpfs "$1" && "$2" --conditions=source "$3" doctor --offline';
  const { stdout } = spawnSync(
    'unshare',
    ['-Urm', 'sh', '-c', script, 'sh', folder, process.execPath, program],
    { env, encoding: 'utf8' },
  );
  assert.match(
    stdout,
    /✕ database +There is no database yet at .*, and Foyer cannot create it\. Foyer cannot write \S+, whose disk is mounted read-only\.\n +→ Mount the disk .*remount,rw/,
  );
});

test('if the disk is read-only, `list` says that only doctor can read the database', {
  skip: skip || (canMount() ? false : 'this user may not mount a disk'),
}, async (t) => {
  const { folder, environment } = await prepare(t);
  // In the namespace that `unshare` makes, only the user who runs the test exists. The files must belong to this user.
  giveAway(folder, { uid: process.getuid?.(), gid: process.getgid?.() });
  const script =
    'mount --bind "$1" "$1" && mount -o remount,ro,bind "$1" && "$2" --conditions=source "$3" list';
  const { stderr } = spawnSync(
    'unshare',
    ['-Urm', 'sh', '-c', script, 'sh', folder, process.execPath, program],
    { env: environment, encoding: 'utf8' },
  );
  assert.match(
    stderr,
    /^Foyer cannot write \S+foyer\.db, whose disk is mounted read-only; .*\. Only doctor reads a database that cannot be written\. Copy the file to another disk/,
  );
});

test('doctor reports a read-only database without a WAL, and creates no WAL', { skip }, async (t) => {
  const { folder, file, doctor } = await prepare(t);
  chmodSync(file, 0o444);
  chmodSync(folder, 0o555);
  const before = snapshot(folder);
  const { of, exitCode } = await doctor();
  assert.deepEqual(snapshot(folder), before);
  assert.equal(exitCode, 1);
  assert.match(of('database')?.detail ?? '', /foyer\.db \(mode 444.*; \S+ \(mode 555/);
});

// SQLite can open root's WAL index if the mode is 644. If the mode is 600, SQLite fails and does not name the file.
for (const mode of [0o644, 0o600]) {
  const name = `doctor reports a WAL index that belongs to root (mode ${mode.toString(8)}), as after a command that root ran`;
  test(name, {
    skip: skip || (stranger.uid ? false : 'only root can give a file to another user'),
  }, async (t) => {
    const { file, doctor } = await prepare(t);
    const holder = await hold(t, file);
    holder.kill('SIGKILL');
    await once(holder, 'exit');
    chownSync(`${file}-shm`, 0, 0);
    chmodSync(`${file}-shm`, mode);
    const { of } = await doctor();
    assert.match(
      of('database')?.detail ?? '',
      new RegExp(`foyer\\.db-shm \\(mode ${mode.toString(8)}, owner 0\\)`),
    );
    assert.match(of('database')?.fix ?? '', /chown USER \S+foyer\.db-shm/);
  });
}

test('doctor reports that another program has locked the database file', {
  skip,
}, async (t) => {
  const { folder, environment, doctor } = await prepare(t);
  const file = join(folder, 'locked.db');
  environment.DATABASE_URL = `file:${file}`;
  // The file is not in WAL mode, so doctor cannot even read it while the other process writes.
  await hold(t, file, 'exclusive');
  const { of, exitCode } = await doctor();
  assert.equal(exitCode, 1);
  assert.match(of('database')?.detail ?? '', /cannot be opened: database is locked/);
  assert.match(of('database')?.fix ?? '', /Another program has locked the file/);
});

test('doctor reports a WAL file without its index, and a WAL file without its database', {
  skip,
}, async (t) => {
  const { folder, file, doctor } = await prepare(t);
  writeFileSync(`${file}-wal`, randomBytes(4152));
  const before = snapshot(folder);
  const withLog = await doctor();
  assert.equal(withLog.of('database-wal')?.status, 'warning');
  assert.match(withLog.of('database-wal')?.fix ?? '', /move the log away before you start Foyer/);
  assert.deepEqual(snapshot(folder), before);
  rmSync(file);
  const gone = await doctor();
  assert.match(gone.of('database')?.detail ?? '', /foyer\.db is gone; files beside it: foyer\.db-wal/);
  assert.match(gone.of('database')?.fix ?? '', /restore the newest backup/);
  assert.equal(gone.exitCode, 1);
});

test('doctor reports that a newer version of the app migrated the database, and runs no migration itself', {
  skip,
}, async (t) => {
  const { folder, file, doctor } = await prepare(t);
  const sqlite = new Sqlite(file);
  sqlite.exec("create table app_migration (name text); insert into app_migration values ('0007-orders')");
  sqlite.close();
  giveAway(folder);
  const before = snapshot(folder);
  const { of } = await doctor();
  assert.deepEqual(snapshot(folder), before);
  assert.match(of('database-schema')?.detail ?? '', /newer version of the app.*0007-orders/);
});

test('doctor creates and changes nothing in a Postgres database', { skip }, async (t) => {
  const { environment, doctor } = await prepare(t);
  const { url, drop } = await createPostgresDatabase();
  t.after(drop);
  environment.DATABASE_URL = url;
  const database = await openDatabase({ kind: 'postgres', url });
  t.after(() => database.close());
  const rowsOf = async () => {
    const tables = await database.queries.introspection.getTables({ withInternalKyselyTables: true });
    const counts = tables.map(async ({ name }) => {
      const rows = await database.queries
        .selectFrom(name as 'installations')
        .selectAll()
        .execute();
      return [name, rows];
    });
    return Promise.all(counts);
  };
  const before = await rowsOf();
  const { of } = await doctor();
  assert.equal(of('tokens-dead')?.status, 'ok');
  assert.deepEqual(await rowsOf(), before);
});
