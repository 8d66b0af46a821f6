import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

test('the command prints what an app needs, serves, and stops on a signal', async () => {
  const [command, manifest] = ['./main.ts', '../../../manifest.json'].map((path) =>
    fileURLToPath(new URL(path, import.meta.url)),
  );
  const given = ['--client-id', '1.2', '--event-url', 'http://127.0.0.1:9/slack/events'];
  const sandbox = spawn(process.execPath, [
    command ?? '',
    '--manifest',
    manifest ?? '',
    '--port',
    '0',
    ...given,
  ]);
  let printed = '';
  for await (const chunk of sandbox.stdout) {
    printed += chunk;
    if (printed.includes('/sandbox/state')) break;
  }
  assert.match(printed, /SLACK_CLIENT_ID=1\.2\n/);
  assert.match(printed, /Events go to http:\/\/127\.0\.0\.1:9\/slack\/events/);
  const [, apiUrl = ''] = /SLACK_API_URL=(\S+)/.exec(printed) ?? [];
  assert.deepEqual(await (await fetch(`${apiUrl}auth.test`)).json(), { ok: false, error: 'not_authed' });
  sandbox.kill('SIGTERM');
  assert.deepEqual(await once(sandbox, 'exit'), [0, null]);
});
