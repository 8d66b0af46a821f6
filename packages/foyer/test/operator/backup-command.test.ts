import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import Sqlite from 'better-sqlite3';
import { parseConfig } from '../../src/config/config.ts';
import { createLogger } from '../../src/config/log.ts';
import { DatabaseUnavailableError } from '../../src/database/database.ts';
import { lastBackupAt } from '../../src/database/last-backup.ts';
import { openDatabase } from '../../src/database/open-database.ts';
import { openSqlite } from '../../src/database/sqlite/open-sqlite.ts';
import { verifyBackup } from '../../src/database/sqlite/verify-backup.ts';
import { createInstallationStore } from '../../src/installations/create-installation-store.ts';
import type { Keyring } from '../../src/installations/keyring.ts';
import { verifyKeyring } from '../../src/installations/verify-keyring.ts';
import { backupDatabase } from '../../src/operator/backup-database.ts';
import { startFoyer } from '../../src/serve.ts';
import { createVisitor, eventually, install } from '../../src/testing/visitor.ts';
import { fixtureManifest } from '../support/fixture-manifest.ts';
import { keyringOf, teamInstall } from '../support/installations.ts';
import { setStage } from '../support/start-foyer.ts';
import { createOperatorHarness, installedAt, storeInstallation } from './operator-harness.ts';

test('`backup` makes one complete file that only its owner can read, including what is only in the WAL', async (t) => {
  const { folder, database, run } = await createOperatorHarness(t);
  await storeInstallation(database, { id: 'ins_1' });
  const file = join(folder, 'backup.db');
  const { exitCode, stdout } = await run(['backup', file, '--json']);
  assert.equal(exitCode, 0);
  const recorded = await lastBackupAt(database.queries);
  assert.ok(recorded !== undefined, 'the metrics report its age');
  assert.deepEqual(JSON.parse(stdout), { file, bytes: statSync(file).size, verified: true });
  assert.equal(statSync(file).mode & 0o777, 0o600);
  assert.deepEqual(
    readdirSync(folder).filter((name) => name.startsWith('backup')),
    ['backup.db'],
  );
  const copy = await openSqlite(file);
  const rows = await copy.queries.selectFrom('installations').select('id').execute();
  await copy.close();
  assert.deepEqual(rows, [{ id: 'ins_1' }]);
});

test('`backup` completes even if another process keeps writing to the database', async (t) => {
  const { folder, file, database } = await createOperatorHarness(t);
  const other = new Sqlite(file);
  t.after(() => other.close());
  other.exec('create table padding (id integer primary key, bytes blob)');
  const pad = other.prepare('insert into padding (bytes) values (zeroblob(2000000))');
  pad.run();
  let batches = 0;
  const target = join(folder, 'backup.db');
  await backupDatabase(database, target, () => {
    batches += 1;
    assert.ok(batches < 100, 'the backup begins again after each write');
    other.prepare('update padding set id = id').run();
  });
  assert.ok(batches > 2);
  pad.run();
  const copy = new Sqlite(target, { readonly: true });
  assert.equal(copy.prepare('select count(*) from padding').pluck().get(), 1);
  copy.close();
});

test('`backup` never overwrites a file, a link or a backup in progress', async (t) => {
  const { folder, run } = await createOperatorHarness(t);
  const file = join(folder, 'precious.txt');
  writeFileSync(file, 'precious');
  const link = join(folder, 'link.db');
  symlinkSync(join(folder, 'nowhere'), link);
  writeFileSync(join(folder, 'under-way.db.partial'), 'half');
  for (const target of [file, link, join(folder, 'under-way.db')]) {
    const { exitCode, stdout, stderr } = await run(['backup', target, '--json']);
    assert.equal(exitCode, 1, target);
    assert.equal(stdout, '', target);
    assert.match(stderr, /already exists/, target);
  }
  assert.equal(readFileSync(file, 'utf8'), 'precious');
  assert.equal(readFileSync(join(folder, 'under-way.db.partial'), 'utf8'), 'half');
  assert.equal(existsSync(join(folder, 'nowhere')), false);
});

test('`backup` reports a missing folder', async (t) => {
  const { folder, run } = await createOperatorHarness(t);
  const { exitCode, stderr } = await run(['backup', join(folder, 'no', 'backup.db')]);
  assert.equal(exitCode, 1);
  assert.match(stderr, /There is no folder .*no\. Create it first/);
});

test('`backup` reports a path at which it cannot create a file', async (t) => {
  const { folder, file, run } = await createOperatorHarness(t);
  const { exitCode, stdout, stderr } = await run(['backup', join(file, 'backup.db')]);
  assert.deepEqual([exitCode, stdout], [1, '']);
  assert.match(stderr, /backup\.db cannot be written: ENOTDIR.*Give a file in a folder/);
  assert.doesNotMatch(stderr, /bug in Foyer/);
  assert.deepEqual(
    readdirSync(folder).filter((name) => name.includes('backup')),
    [],
  );
});

test('`backup` reports a damaged copy, and removes it', async (t) => {
  const { folder, file } = await createOperatorHarness(t);
  const target = join(folder, 'backup.db');
  const damaging = {
    async backup(to: string) {
      const bytes = readFileSync(file);
      bytes.fill(0xff, 4096);
      writeFileSync(to, bytes);
    },
  };
  await assert.rejects(backupDatabase(damaging, target), { name: 'BackupDamagedError' });
  assert.deepEqual(
    readdirSync(folder).filter((name) => name.startsWith('backup')),
    [],
  );
  writeFileSync(join(folder, 'empty.db'), '');
  assert.throws(() => verifyBackup(join(folder, 'empty.db')), { name: 'BackupDamagedError' });
});

test('`backup` says so if the disk has no room for the copy, and leaves no half copy', async (t) => {
  const { folder } = await createOperatorHarness(t);
  const fill = (to: string): void => {
    const copy = new Sqlite(to);
    try {
      // SQLite’s error is the same as on a full disk.
      copy.pragma('max_page_count = 1');
      copy.exec('create table too_much (id integer)');
    } finally {
      copy.close();
    }
  };
  const backUps = {
    async SQLite(to: string) {
      fill(to);
    },
    // Foyer opens the Postgres copy with the same code as its own database. That code wraps the error.
    async Postgres(to: string) {
      try {
        fill(to);
      } catch (cause) {
        throw new DatabaseUnavailableError(`The database ${to} cannot be used`, { cause });
      }
    },
  };
  for (const backup of Object.values(backUps)) {
    await assert.rejects(backupDatabase({ backup }, join(folder, 'backup.db')), {
      name: 'CommandError',
      message: /has no room for the backup.*another disk/,
    });
    assert.deepEqual(
      readdirSync(folder).filter((name) => name.startsWith('backup')),
      [],
    );
  }
});

test('`backup --verify` says so if it cannot make its temporary copy', async (t) => {
  const { folder, run } = await createOperatorHarness(t);
  const file = join(folder, 'backup.db');
  assert.equal((await run(['backup', file])).exitCode, 0);
  const { TMPDIR } = process.env;
  t.after(() => {
    if (TMPDIR === undefined) delete process.env.TMPDIR;
    else process.env.TMPDIR = TMPDIR;
  });
  process.env.TMPDIR = join(folder, 'gone');
  const { exitCode, stderr } = await run(['backup', '--verify', file], {
    loadKeyring: () => keyringOf('k1'),
  });
  assert.equal(exitCode, 1);
  assert.match(stderr, /backup\.db cannot be copied to .*gone for the rehearsal: ENOENT.*set TMPDIR/);
  assert.doesNotMatch(stderr, /bug in Foyer/);
});

test('a Postgres backup made during installs is a consistent snapshot, and Foyer can start on the backup file', async (t) => {
  const stage = await setStage({
    engine: 'Postgres',
    environment: { OPERATOR_PASSWORD: 'open sesame, please' },
  });
  t.after(() => stage.close());
  const { folder, sandbox, config } = stage;
  const installed: string[] = [];
  let over = false;
  const traffic = ['Acme', 'Globex'].map(async (name) => {
    for (let n = 0; !over; n += 1) {
      const choice = {
        teamId: sandbox.workspace(name).id,
        userId: sandbox.person(name, n % 2 ? 'admin' : 'owner').id,
      };
      const answer = await install(createVisitor(), stage.url, sandbox, choice);
      assert.equal(answer.status, 303);
      installed.push(choice.teamId);
    }
  });
  await eventually(async () => installed.length >= 4);
  const before = installed.length;
  const database = await openDatabase(config.database);
  const file = join(folder, 'backup.db');
  await backupDatabase(database, file);
  await database.close();
  over = true;
  await Promise.all(traffic);

  assert.equal(statSync(file).mode & 0o777, 0o600);
  assert.deepEqual(
    readdirSync(folder).filter((name) => name.startsWith('backup')),
    ['backup.db'],
  );
  const copy = new Sqlite(file, { readonly: true });
  const one = (text: string): unknown => copy.prepare(text).pluck().get();
  assert.equal(one("select count(*) from sqlite_master where name = 'foyer_copy'"), 0);
  assert.ok(Number(one("select count(*) from install_requests where outcome = 'installed'")) >= before);
  assert.equal(
    one(`select count(*) from install_requests q left join runs r on r.id = q.run_id
          where q.outcome = 'installed' and (select count(*) from steps s where s.run_id = r.id) <> 5`),
    0,
    'an install without its run',
  );
  copy.close();

  await stage.stop();
  const restored = await startFoyer(
    parseConfig(
      {
        SLACK_CLIENT_ID: config.slack.clientId,
        SLACK_CLIENT_SECRET: config.slack.clientSecret,
        SLACK_SIGNING_SECRET: config.slack.signingSecret,
        // Nothing listens at this address, so the restored copy cannot send a second welcome to anyone.
        SLACK_API_URL: 'http://127.0.0.1:9/',
        DATABASE_URL: `file:${file}`,
        TOKEN_ENCRYPTION_KEYS: (config.encryptionKeys ?? [])
          .map(({ id, base64 }) => `${id}:${base64}`)
          .join(),
        PORT: '0',
        HOST: '127.0.0.1',
      },
      fixtureManifest,
    ),
    createLogger({ logLevel: 'silent', secrets: [] }, { pretty: false }),
  );
  const ready = await fetch(`http://127.0.0.1:${restored.address.port}/readyz`);
  await restored.stop();
  assert.equal(ready.status, 200);
});

test('`backup --verify` tests a backup without changing it, and reports a damaged file or keys that cannot decrypt its tokens', async (t) => {
  const { folder, database, run } = await createOperatorHarness(t);
  const keyring = keyringOf('main');
  await verifyKeyring(database, keyring);
  const log = createLogger({ logLevel: 'silent', secrets: [] }, { pretty: false });
  const store = createInstallationStore({
    ...{ database, keyring, clientId: '1.2', stepNames: [], now: () => installedAt, log },
  });
  await store.recordInstall(teamInstall({ teamId: 'T1' }));
  const file = join(folder, 'backup.db');
  await run(['backup', file]);
  const before = readFileSync(file);
  const verify = (keys: Keyring, ...options: string[]) =>
    run(['backup', '--verify', file, ...options], { loadKeyring: () => keys });
  const { exitCode, stdout, stderr } = await verify(keyring, '--json');
  assert.equal(exitCode, 0, stderr);
  assert.deepEqual(JSON.parse(stdout), {
    file,
    bytes: before.length,
    restorable: true,
    installations: { active: 1, broken: 0, uninstalled: 0 },
    newestInstallAt: '2026-11-22T01:47:03.000Z',
  });
  const shown = (await verify(keyring)).stdout;
  assert.match(shown, /1 active, 0 broken, 0 uninstalled/);
  assert.match(shown, /^ +size +0\.\d MB$/m);
  assert.match(shown, /^ +newest install +2026-11-22 01:47:03Z$/m);
  const lost = await verify(keyringOf('other'));
  assert.equal(lost.exitCode, 1);
  assert.match(lost.stderr, /cannot be used with these keys\..*the key main, which is missing/);
  assert.deepEqual(readFileSync(file), before);
  assert.deepEqual(
    readdirSync(folder).filter((name) => name.startsWith('backup')),
    ['backup.db'],
  );
  writeFileSync(file, before.subarray(0, before.length / 2));
  const { stderr: damaged } = await verify(keyring);
  assert.ok(damaged.startsWith(`The backup ${file} is damaged: `), damaged);
  assert.match(damaged, /Restore another backup instead, and make a new one: npm run foyer -- backup FILE\./);
  const none = await run(['backup', '--verify', join(folder, 'none.db')], { loadKeyring: () => keyring });
  assert.match(none.stderr, /There is no backup at/);
});
