import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { openSqlite } from '../../src/database/sqlite/open-sqlite.ts';
import { verifyBackup } from '../../src/database/sqlite/verify-backup.ts';
import { backupDatabase } from '../../src/operator/backup-database.ts';
import { createOperatorHarness, storeInstallation } from './operator-harness.ts';

test('backup makes one whole file that only its owner reads, with what the WAL still held', async (t) => {
  const { folder, database, run } = await createOperatorHarness(t);
  await storeInstallation(database, { id: 'ins_1' });
  const file = join(folder, 'backup.db');
  const { exitCode, stdout } = await run(['backup', file, '--json']);
  assert.equal(exitCode, 0);
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

test('backup never overwrites: neither a file, nor a link, nor a backup that is being made', async (t) => {
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
    assert.match(stderr, /is there already/, target);
  }
  assert.equal(readFileSync(file, 'utf8'), 'precious');
  assert.equal(readFileSync(join(folder, 'under-way.db.partial'), 'utf8'), 'half');
  assert.equal(existsSync(join(folder, 'nowhere')), false);
});

test('a folder that is not there is told', async (t) => {
  const { folder, run } = await createOperatorHarness(t);
  const { exitCode, stderr } = await run(['backup', join(folder, 'no', 'backup.db')]);
  assert.equal(exitCode, 1);
  assert.match(stderr, /There is no folder .*no\. Make it first/);
});

test('a damaged copy is told, and nothing of it stays', async (t) => {
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
