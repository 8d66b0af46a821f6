import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { openDatabase } from '../../packages/foyer/src/database/open-database.ts';
import { verifyBackup } from '../../packages/foyer/src/database/sqlite/verify-backup.ts';

/** Checks the systemd units of the daily backup, and runs the script that they start. */

const root = join(import.meta.dirname, '../..');
const readUnit = (name: string): string =>
  readFileSync(join(root, 'deploy', name), 'utf8').replace(/^\s*#.*$/gm, '');
const service = readUnit('foyer-backup.service');
const timer = readUnit('foyer-backup.timer');
const script = join(root, 'deploy/daily-backup.sh');

describe('the systemd units of the daily backup', () => {
  it('the daily backup’s systemd service names only files that exist', () => {
    const [, commandLine = ''] = /^ExecStart=(.+)$/m.exec(service) ?? [];
    const files = [...commandLine.matchAll(/\/opt\/foyer\/current\/(\S+)/g)].map(([, file = '']) => file);
    assert.deepEqual(files, ['deploy/daily-backup.sh', 'src/cli.ts']);
    for (const file of files) assert.ok(existsSync(join(root, file)), file);
    assert.match(commandLine, / \/usr\/bin\/node --disable-sigusr1 --conditions=source /);
  });

  it('the daily backup’s systemd timer starts the service of the same name once a day', () => {
    assert.match(timer, /^OnCalendar=\*-\*-\* \d\d:\d\d:\d\d$/m);
    assert.match(timer, /^WantedBy=timers\.target$/m);
    assert.doesNotMatch(timer, /^Unit=/m);
    assert.doesNotMatch(service, /^\[Install\]/m);
  });

  it('the daily backup’s systemd service has the same security restrictions as Foyer’s own service', () => {
    const restrictions = (unit: string) =>
      unit
        .split('\n')
        .filter((line) =>
          /^(?:User|Group|EnvironmentFile|StateDirectory|UMask|LimitCORE|NoNew|Capability|Ambient|Protect|Private|Restrict|Lock|Remove|Keyring|SystemCall)/.test(
            line,
          ),
        )
        .sort();
    assert.deepEqual(restrictions(service), restrictions(readUnit('foyer.service')));
    assert.ok(restrictions(service).length > 25);
  });
});

/**
 * Creates a folder with these files. The script must quote the folder's name, because it contains spaces and other
 * special characters.
 */
function folderWith(t: TestContext, names: readonly string[]): string {
  const parent = mkdtempSync(join(tmpdir(), 'foyer-daily-'));
  t.after(() => rmSync(parent, { recursive: true }));
  const folder = join(parent, "odd name 'of' $a *");
  mkdirSync(folder);
  for (const name of names) writeFileSync(join(folder, name), name);
  return folder;
}

const oldBackups = Array.from(
  { length: 15 },
  (_, day) => `foyer-2026-11-${String(day + 1).padStart(2, '0')}T030000Z.db`,
);
/** Files that the script must never delete, because they are not daily backups. */
const others = ['before-the-upgrade.db', 'foyer-2026-11-01 copy.db', 'foyer.db', '-rf', 'foyer-2026\n11.db'];

function runDaily(folder: string, command: readonly string[], environment: Record<string, string> = {}) {
  return spawnSync('/bin/sh', [script, folder, ...command], {
    cwd: root,
    encoding: 'utf8',
    env: { PATH: process.env.PATH, ...environment },
  });
}

describe('the daily backup', () => {
  it('the daily backup makes a backup that can be restored, and keeps only the newest 14 daily backups', async (t) => {
    const folder = folderWith(t, [...oldBackups, ...others, `${oldBackups[0]}.partial`]);
    const source = join(folder, '../source.db');
    const database = await openDatabase({ kind: 'sqlite', file: source });
    await database.close();
    const foyer = [process.execPath, '--conditions=source', 'src/cli.ts'];
    const end = runDaily(folder, foyer, {
      ...{
        SLACK_CLIENT_ID: '1.2',
        SLACK_CLIENT_SECRET: 'client-secret',
        SLACK_SIGNING_SECRET: 'a'.repeat(32),
      },
      DATABASE_URL: `file:${source}`,
      TOKEN_ENCRYPTION_KEYS: `main:${Buffer.alloc(32, 7).toString('base64')}`,
    });
    assert.equal(end.status, 0, end.stderr);
    assert.match(end.stdout, /restorable +yes/);
    const left = readdirSync(folder);
    const [made = '', ...more] = left.filter((name) => ![...oldBackups, ...others].includes(name));
    assert.deepEqual(more, []);
    assert.match(made, /^foyer-\d{4}-\d\d-\d\dT\d{6}Z\.db$/);
    verifyBackup(join(folder, made));
    assert.deepEqual(left.sort(), [...oldBackups.slice(2), ...others, made].sort());
  });

  it('the daily backup deletes nothing if the new backup fails or cannot be restored', (t) => {
    const failing = folderWith(t, [...oldBackups, ...others]);
    assert.notEqual(runDaily(failing, ['false']).status, 0);
    assert.deepEqual(readdirSync(failing).sort(), [...oldBackups, ...others].sort());

    const folder = folderWith(t, [...oldBackups, ...others]);
    const standIn = join(folder, '../stand-in.sh');
    writeFileSync(standIn, '[ "$2" = --verify ] && exit 1\n: > "$2"\n');
    const end = runDaily(folder, ['sh', standIn]);
    assert.equal(end.status, 1);
    assert.match(end.stderr, /could not be restored, and is kept as .*foyer-unusable\.db/);
    assert.deepEqual(readdirSync(folder).sort(), [...oldBackups, ...others, 'foyer-unusable.db'].sort());
  });
});
