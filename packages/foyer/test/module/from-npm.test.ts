import assert from 'node:assert/strict';
import { execFile, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it, type TestContext } from 'node:test';
import { promisify } from 'node:util';
import { freePort } from '../../src/testing/free-port.ts';
import { eventually } from '../../src/testing/visitor.ts';
import { copyClone, pack, unpack } from '../support/packed-clone.ts';

/**
 * In a copy of this clone, follows the steps in docs/updating.md for installing the module from npm. This test does not
 * run `npm install`: it unpacks the two tarballs.
 */

const page = readFileSync(join(import.meta.dirname, '../../../../docs/updating.md'), 'utf8');
const [, commands = ''] = /^## From npm instead\n.*?^```sh\n(.*?)^```$/ms.exec(page) ?? [];
const install = 'npm install slack-foyer slack-sandbox\n';

describe('a clone works if it uses the module from npm instead of packages/', () => {
  let folder = '';
  let clone = '';
  const environment = { PATH: process.env.PATH, HOME: process.env.HOME };
  const run = (...args: string[]) =>
    promisify(execFile)('npm', ['run', '-s', ...args], { cwd: clone, env: environment }).catch((error) =>
      assert.fail(`npm run ${args.join(' ')} ends with ${error.code}:\n${error.stdout}${error.stderr}`),
    );

  /** Starts a script and waits until the script prints `text`. When the test ends, so do the script's processes. */
  async function startUntil(
    t: TestContext,
    text: string,
    script: string,
    variables: Record<string, string> = {},
  ): Promise<void> {
    const child = spawn('npm', ['run', script], {
      cwd: clone,
      env: { ...environment, ...variables },
      detached: true,
    });
    let output = '';
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (part: string) => {
        output += part;
      });
    const closed = once(child, 'close');
    t.after(async () => {
      if (child.exitCode === null) process.kill(-Number(child.pid), 'SIGTERM');
      await closed;
    });
    await eventually(async () => {
      assert.equal(child.exitCode, null, output);
      return output.includes(text);
    });
  }

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'foyer-from-npm-'));
    clone = join(folder, 'app');
    copyClone(clone);
    const [foyer, sandbox] = await Promise.all([
      pack(clone, 'slack-foyer', folder),
      pack(clone, 'slack-sandbox', folder),
    ]);
    assert.ok(commands.endsWith(install), 'the commands of docs/updating.md end with npm install');
    execFileSync('sh', ['-ec', commands.slice(0, -install.length)], { cwd: clone, env: environment });
    for (const name of ['slack-foyer', 'slack-sandbox']) rmSync(join(clone, 'node_modules', name));
    unpack(foyer, 'slack-foyer', clone);
    unpack(sandbox, 'slack-sandbox', clone);
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  it('in a clone that uses the module from npm, `npm test` runs the app’s tests and passes', async () => {
    const { stdout } = await run('test');
    assert.match(stdout, /an install succeeds, welcomes the installer/);
  });

  it('`npm start` serves, and keeps its compiled code in node_modules/.cache', async (t) => {
    const port = String(await freePort());
    rmSync(join(clone, 'node_modules/.cache'), { recursive: true });
    await startUntil(t, 'Foyer is ready', 'start', {
      SLACK_CLIENT_ID: '1.2',
      SLACK_CLIENT_SECRET: 'client-secret',
      SLACK_SIGNING_SECRET: 'a'.repeat(32),
      PORT: port,
    });
    assert.equal((await fetch(`http://127.0.0.1:${port}/healthz`)).status, 200);
    assert.ok(existsSync(join(clone, 'node_modules/.cache/compiled')));
  });

  it('`npm run foyer`, `npm run sandbox` and `npm run demo` start', async (t) => {
    assert.match((await run('foyer', '--', '--help')).stdout, /doctor/);
    assert.match((await run('sandbox', '--', '--help')).stdout, /--manifest/);
    await startUntil(t, 'is running, and so is a Slack of your own', 'demo');
  });

  it('in a clone that uses the module from npm, no script, systemd unit or Dockerfile refers to packages/ or the condition `source`', () => {
    const files = ['package.json', 'Dockerfile', '.dockerignore', 'deploy/README.md'];
    for (const file of [...files, 'deploy/foyer.service', 'deploy/foyer-backup.service'])
      assert.doesNotMatch(
        readFileSync(join(clone, file), 'utf8'),
        /packages\/|conditions=source|workspace=/,
        file,
      );
  });
});
