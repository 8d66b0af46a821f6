import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { copyFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import Sqlite from 'better-sqlite3';
import { freePort } from '../../src/testing/free-port.ts';
import { createVisitor, eventually, install } from '../../src/testing/visitor.ts';
import { compileCache } from '../support/compile-cache.ts';
import { isServing, spawnFoyer } from './support/foyer-process.ts';
import { count } from './support/full-run.ts';
import { setProcessStage } from './support/process-stage.ts';

const run = promisify(execFile);
const cli = fileURLToPath(new URL('../support/app/cli.ts', import.meta.url));

it('a backup made during installs is complete, and Foyer can start on it', async (t) => {
  const stage = await setProcessStage();
  t.after(() => stage.close());
  const { sandbox } = stage;
  let over = false;
  let installed = 0;
  // In each workspace, one install follows another without a pause.
  const traffic = ['Acme', 'Globex', 'Initech Product', 'Initech Sales'].map(async (name) => {
    const teamId = sandbox.workspace(name).id;
    for (let n = 0; !over; n += 1) {
      const userId = sandbox.person(name, n % 2 ? 'admin' : 'owner').id;
      const answer = await install(createVisitor(), stage.url, sandbox, { teamId, userId });
      assert.equal(answer.status, 303);
      installed += 1;
    }
  });
  await eventually(async () => installed >= 4);
  const copies: { file: string; installedBefore: number }[] = [];
  const backUp = async (): Promise<void> => {
    const file = join(stage.folder, `backup-${copies.length}.db`);
    const installedBefore = installed;
    const { stdout } = await run(process.execPath, [cli, 'backup', file, '--json'], {
      cwd: stage.folder,
      env: { PATH: process.env.PATH, NODE_COMPILE_CACHE: compileCache, ...stage.environment },
    });
    assert.equal(JSON.parse(stdout).verified, true);
    copies.push({ file, installedBefore });
  };
  for (let n = 0; n < count({ quick: 1, full: 10 }); n += 1) await backUp();
  over = true;
  await Promise.all(traffic);
  // The last installs are only in the WAL, and must be in the copy too.
  await backUp();

  for (const { file, installedBefore } of copies) {
    assert.equal((await stat(file)).mode & 0o777, 0o600);
    const copy = new Sqlite(file, { readonly: true });
    assert.equal(copy.pragma('integrity_check', { simple: true }), 'ok');
    assert.deepEqual(copy.pragma('foreign_key_check'), []);
    const torn = copy
      .prepare(
        `select r.id from install_requests q left join runs r on r.id = q.run_id
          where q.outcome = 'installed' and (r.id is null or (select count(*) from steps s where s.run_id = r.id) <> 6)`,
      )
      .all();
    assert.deepEqual(torn, [], 'an install without its run');
    const inIt = Number(
      copy.prepare("select count(*) from install_requests where outcome = 'installed'").pluck().get(),
    );
    assert.ok(inIt >= installedBefore, `${inIt} of ${installedBefore} installs`);
    copy.close();
  }
  const last = copies.at(-1)?.file ?? '';
  await copyFile(`${stage.databaseFile}.key`, `${last}.key`);
  const port = await freePort();
  const restored = spawnFoyer({
    // This process cannot reach Slack. Otherwise, it could welcome people of the test's workspaces again.
    environment: {
      ...stage.environment,
      PORT: String(port),
      DATABASE_URL: `file:${last}`,
      SLACK_API_URL: 'http://127.0.0.1:9/',
    },
    folder: stage.folder,
  });
  t.after(async () => {
    restored.kill();
    await restored.ended;
  });
  assert.equal(await isServing(restored), true);
  assert.equal((await fetch(`http://127.0.0.1:${port}/readyz`)).status, 200);
  t.diagnostic(`${copies.length} copies during ${installed} installs`);
  assert.ok(installed >= 4);
});
