import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../..', import.meta.url));

test('the demo takes nothing from a .env that is there, and leaves nothing behind', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'foyer-clone-'));
  t.after(() => rmSync(folder, { recursive: true }));
  for (const name of ['src', 'packages', 'node_modules', 'manifest.json', '.env.example']) {
    symlinkSync(join(root, name), join(folder, name));
  }
  // One would stop the start, and one would turn on pages that the demo does not have.
  writeFileSync(join(folder, '.env'), 'TRUST_PROXY=many\nOPERATOR_PASSWORD=a password of some length\n');
  const demo = spawn(process.execPath, ['--conditions=source', 'packages/sandbox/src/demo.ts'], {
    cwd: folder,
    env: { ...process.env, TMPDIR: folder },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  t.after(() => demo.kill('SIGKILL'));
  let printed = '';
  demo.stderr.on('data', (chunk) => {
    printed += chunk;
  });
  for await (const chunk of demo.stdout) {
    printed += chunk;
    if (/Stop with Ctrl\+C|left behind/.test(printed)) break;
  }
  const [, url] = /Open (http:\S+) and press Add to Slack/.exec(printed) ?? [];
  assert.ok(url, printed);
  assert.equal((await fetch(`${url}/operator`)).status, 404);
  demo.kill('SIGINT');
  assert.deepEqual(await once(demo, 'exit'), [0, null]);
  assert.deepEqual(
    readdirSync(folder).filter((name) => name.startsWith('foyer-demo-')),
    [],
  );
});

/** Whether a process is there, and is not only waiting to be asked how it ended. */
function isRunning(pid: number): boolean {
  try {
    return !/\) [ZX]/.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}

for (const [what, ends] of [
  ['the shell that npm started them in ends', 'shell'],
  ['the demo is killed', 'demo'],
] as const) {
  test(`nothing of the demo is left running when ${what}`, {
    skip:
      process.platform !== 'linux' && 'the test finds the demo’s processes in /proc, which only Linux has',
  }, async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'foyer-shell-'));
    t.after(() => rmSync(folder, { recursive: true, force: true }));
    // As npm does: a shell that waits for the program, and that ends at a signal without passing it on.
    const shell = spawn(
      'sh',
      ['-c', '"$0" --conditions=source packages/sandbox/src/demo.ts; true', process.execPath],
      {
        cwd: root,
        env: { ...process.env, TMPDIR: folder, npm_lifecycle_event: 'demo' },
        stdio: ['ignore', 'pipe', 'inherit'],
      },
    );
    for await (const chunk of shell.stdout) if (/Stop with Ctrl\+C/.test(String(chunk))) break;
    const childrenOf = (pid: number): number[] =>
      readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean).map(Number);
    const [demo = 0] = childrenOf(shell.pid ?? 0);
    const [app = 0] = childrenOf(demo);
    assert.ok(isRunning(demo) && isRunning(app));
    t.after(() => {
      for (const pid of [demo, app]) if (isRunning(pid)) process.kill(pid, 'SIGKILL');
    });
    if (ends === 'shell') shell.kill('SIGTERM');
    else process.kill(demo, 'SIGKILL');
    await once(shell, 'exit');
    while (isRunning(demo) || isRunning(app)) await new Promise((later) => setTimeout(later, 20));
    const left = readdirSync(folder).filter((name) => name.startsWith('foyer-demo-'));
    if (ends === 'shell') assert.deepEqual(left, []);
  });
}
