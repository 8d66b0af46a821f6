import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  copyFileSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../..', import.meta.url));

test('the demo ignores an existing .env, and leaves no folder behind', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'foyer-clone-'));
  t.after(() => rmSync(folder, { recursive: true }));
  for (const name of ['src', 'packages', 'node_modules', 'manifest.json', '.env.example']) {
    symlinkSync(join(root, name), join(folder, name));
  }
  // The demo must not read this .env: TRUST_PROXY=many would make the start fail, and the password would replace the
  // printed one.
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
  const [, password = ''] = /\/operator, with the password (\S+)/.exec(printed) ?? [];
  const logIn = (given: string) =>
    fetch(`${url}/operator/login`, {
      method: 'POST',
      redirect: 'manual',
      headers: { 'sec-fetch-site': 'same-origin' },
      body: new URLSearchParams({ password: given, next: '/operator' }),
    });
  assert.equal((await logIn(password)).status, 303);
  assert.notEqual((await logIn('a password of some length')).status, 303);
  demo.kill('SIGINT');
  // The second Ctrl+C comes while the demo is still stopping.
  setTimeout(() => demo.kill('SIGINT'), 30);
  assert.deepEqual(await once(demo, 'exit'), [0, null]);
  assert.deepEqual(
    readdirSync(folder).filter((name) => name.startsWith('foyer-demo-')),
    [],
  );
});

test('with --brand, the demo runs an app that has its own name, texts and logo', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'foyer-brand-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const demo = spawn(
    process.execPath,
    ['--conditions=source', 'packages/sandbox/src/demo.ts', '--brand', 'examples/brand'],
    { cwd: root, env: { ...process.env, TMPDIR: folder }, stdio: ['ignore', 'pipe', 'inherit'] },
  );
  t.after(() => demo.kill('SIGKILL'));
  let printed = '';
  for await (const chunk of demo.stdout) {
    printed += chunk;
    if (/Stop with Ctrl\+C|left behind/.test(printed)) break;
  }
  const [, url] = /Standup is running[\s\S]*Open (http:\S+) and press/.exec(printed) ?? [];
  assert.ok(url, printed);
  const page = await (await fetch(url)).text();
  for (const part of [
    'Stand-ups that take a minute.',
    'Acme Rockets Inc.',
    'To ask your team three questions',
    '/brand/logo',
  ]) {
    assert.ok(page.includes(part), part);
  }
  assert.equal((await fetch(`${url}/brand/logo`)).headers.get('content-type'), 'image/svg+xml');
  demo.kill('SIGINT');
  assert.deepEqual(await once(demo, 'exit'), [0, null]);
});

test('if the app crashes, the demo says so and ends with the exit code of the app', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'foyer-crash-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  copyFileSync(join(root, 'manifest.json'), join(folder, 'manifest.json'));
  const crashes = `import { createServer } from 'node:http';
    createServer((req, res) => {
      if (req.url !== '/readyz') process.exit(7);
      res.end();
    }).listen(Number(process.env.PORT), '127.0.0.1');`;
  writeFileSync(join(folder, 'main.ts'), crashes);
  const demo = spawn(
    process.execPath,
    ['--conditions=source', 'packages/sandbox/src/demo.ts', '--brand', folder],
    { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] },
  );
  t.after(() => demo.kill('SIGKILL'));
  let printed = '';
  for (const stream of [demo.stdout, demo.stderr])
    stream.on('data', (chunk) => {
      printed += chunk;
      const [, url] = /Open (http:\S+) and press/.exec(printed) ?? [];
      if (url) fetch(`${url}/crash`).catch(() => {});
    });
  const [code] = await once(demo, 'close');
  assert.equal(code, 7, printed);
  assert.match(printed, /The app ended with exit code 7\. Its output above says why\./);
  assert.match(printed, /The app failed, so the demo has stopped\. Nothing is left behind\./);
  assert.doesNotMatch(printed, /Stopped\./);
});

test('with SIGN_IN=on, people can sign in with Slack in the demo', async (t) => {
  const demo = spawn(process.execPath, ['--conditions=source', 'packages/sandbox/src/demo.ts'], {
    cwd: root,
    env: { ...process.env, SIGN_IN: 'on' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  t.after(async () => {
    demo.kill('SIGINT');
    await once(demo, 'exit');
  });
  let printed = '';
  for await (const chunk of demo.stdout.iterator({ destroyOnReturn: false })) {
    printed += chunk;
    if (/Stop with Ctrl\+C|left behind/.test(printed)) break;
  }
  const [, url = ''] = /Sign in with Slack at (http:\S+)/.exec(printed) ?? [];
  assert.match(url, /\/slack\/signin$/, printed);
  const start = await fetch(url, { redirect: 'manual' });
  assert.equal(start.status, 302);
  const page = await fetch(start.headers.get('location') ?? '');
  assert.equal(page.status, 200);
  assert.match(await page.text(), /Sign in to Foyer with Slack/);
});

test('the demo reports a folder without an app, and prints its usage for an unknown option', async () => {
  for (const [options, reported] of [
    [['--brand', 'examples'], /examples\/main|main\.ts/],
    [['--brand', 'nowhere'], /nowhere\/manifest\.json cannot be read as a manifest/],
    [['--colour'], /--colour[\s\S]*Usage: npm run demo/],
  ] as const) {
    const demo = spawn(
      process.execPath,
      ['--conditions=source', 'packages/sandbox/src/demo.ts', ...options],
      {
        cwd: root,
        stdio: ['ignore', 'ignore', 'pipe'],
      },
    );
    let printed = '';
    demo.stderr.on('data', (chunk) => {
      printed += chunk;
    });
    const [code] = await once(demo, 'close');
    assert.notEqual(code, 0);
    assert.match(printed, reported);
  }
});

/** Returns true if a process is running. A zombie, which waits for its parent to read its exit code, is not running. */
function isRunning(pid: number): boolean {
  try {
    return !/\) [ZX]/.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}

for (const [what, ends] of [
  ['the shell that npm started ends', 'shell'],
  ['the demo is killed', 'demo'],
] as const) {
  test(`no process of the demo is left running when ${what}`, {
    skip:
      process.platform !== 'linux' && 'the test finds the demo’s processes in /proc, which only Linux has',
  }, async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'foyer-shell-'));
    t.after(() => rmSync(folder, { recursive: true, force: true }));
    // This shell acts like the one that npm starts: it waits for the demo. At a signal, the shell exits, and does not
    // forward the signal to the demo.
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
