import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
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
