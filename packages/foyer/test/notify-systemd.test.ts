import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { eventually } from '../src/testing/visitor.ts';
import { type FoyerProcess, isServing, spawnFoyer } from './faults/support/foyer-process.ts';

/** A stand-in for `systemd-notify` that records its environment and its argument. */

const notifyOnce = '#!/bin/sh\nenv >> environment\nprintf "%s\\n" "$1" >> notified\n';

interface Unit {
  foyer: FoyerProcess;
  /** What Foyer reported to systemd, oldest first. */
  notified(): string[];
  /** The environments in which `systemd-notify` ran. */
  environments(): string;
}

function startUnit(
  t: TestContext,
  environment: Record<string, string> = {},
  { program = notifyOnce }: { program?: string } = {},
): Unit {
  const folder = mkdtempSync(join(tmpdir(), 'foyer-unit-'));
  writeFileSync(join(folder, 'systemd-notify'), program, { mode: 0o755 });
  const foyer = spawnFoyer({
    folder,
    environment: {
      SLACK_CLIENT_ID: '1.2',
      SLACK_CLIENT_SECRET: 'client-secret',
      SLACK_SIGNING_SECRET: 'signing-secret',
      PORT: '0',
      DATABASE_URL: `file:${join(folder, 'foyer.db')}`,
      NODE_ENV: 'test',
      PATH: [folder, process.env.PATH].join(delimiter),
      NOTIFY_SOCKET: '/run/systemd/notify',
      ...environment,
    },
  });
  t.after(async () => {
    foyer.kill();
    await foyer.ended;
    rmSync(folder, { recursive: true });
  });
  const read = (name: string): string =>
    existsSync(join(folder, name)) ? readFileSync(join(folder, name), 'utf8') : '';
  return {
    foyer,
    notified: () => read('notified').split('\n').filter(Boolean),
    environments: () => read('environment'),
  };
}

describe('in a systemd unit with Type=notify', () => {
  it('Foyer reports its address and that it is ready, and passes no secret to systemd-notify', async (t) => {
    const { foyer, notified, environments } = startUnit(t);
    assert.ok(await isServing(foyer));
    await eventually(async () => notified().length === 2);
    const [status, ready] = notified();
    assert.match(
      status ?? '',
      /^STATUS=Foyer \d+\.\d+\.\d+ is ready at http:\/\/localhost:3000, on port \d+$/,
    );
    assert.equal(ready, 'READY=1');
    assert.match(environments(), /^NOTIFY_SOCKET=\/run\/systemd\/notify$/m);
    assert.doesNotMatch(environments(), /SLACK|DATABASE_URL|secret/);
    foyer.child.kill('SIGTERM');
    assert.deepEqual(await foyer.ended, { code: 0, signal: null });
  });

  it('Foyer feeds the watchdog while its event loop runs, and not while the process is stopped', async (t) => {
    const { foyer, notified } = startUnit(t, { WATCHDOG_USEC: '600000' });
    await eventually(async () => notified().filter((line) => line === 'WATCHDOG=1').length >= 2);
    foyer.child.kill('SIGSTOP');
    // A report that began before the signal may still arrive.
    await new Promise((next) => setTimeout(next, 300));
    const before = notified().length;
    await new Promise((next) => setTimeout(next, 900));
    assert.equal(notified().length, before);
    foyer.child.kill('SIGCONT');
    await eventually(async () => notified().length > before);
  });

  it('Foyer does not feed a watchdog that systemd set up for another process', async (t) => {
    const { foyer, notified } = startUnit(t, { WATCHDOG_USEC: '30000', WATCHDOG_PID: '1' });
    assert.ok(await isServing(foyer));
    await eventually(async () => notified().length === 2);
    await new Promise((next) => setTimeout(next, 300));
    assert.equal(notified().length, 2);
  });

  it('if systemd-notify fails, Foyer logs the failure and keeps serving', async (t) => {
    const { foyer } = startUnit(t, {}, { program: '#!/bin/sh\nexit 3\n' });
    assert.ok(await isServing(foyer));
    await eventually(async () => /"exitCode":3,.*systemd-notify failed/.test(foyer.output()));
    assert.equal(foyer.hasEnded(), false);
  });

  it('if systemd-notify fails to report that Foyer is ready, Foyer sends the report again', async (t) => {
    const program = `#!/bin/sh\n[ -e failed ] || { touch failed; exit 1; }\n${notifyOnce}`;
    const { notified } = startUnit(t, {}, { program });
    await eventually(async () => notified().includes('READY=1'));
  });

  it('Foyer exits with code 78 if no restart can succeed until a person fixes something, such as an invalid PORT', async (t) => {
    const { foyer, notified } = startUnit(t, { PORT: '70000' });
    assert.deepEqual(await foyer.ended, { code: 78, signal: null });
    assert.match(foyer.output(), /\n {2}PORT: is larger than 65535\n/);
    assert.deepEqual(notified(), []);
  });

  it('Foyer exits with code 1 if a restart may succeed without a fix, such as when an address is not available yet', async (t) => {
    const { foyer } = startUnit(t, { HOST: '192.0.2.1' });
    assert.deepEqual(await foyer.ended, { code: 1, signal: null });
  });

  it('if a killed process with other encryption keys still counts as running, Foyer exits with code 1, so that systemd starts it again', async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'foyer-keys-'));
    t.after(() => rmSync(folder, { recursive: true }));
    const [old, added] = [7, 8].map((byte) => `k${byte}:${Buffer.alloc(32, byte).toString('base64')}`);
    const startWith = (keys: string) =>
      startUnit(t, { DATABASE_URL: `file:${join(folder, 'foyer.db')}`, TOKEN_ENCRYPTION_KEYS: keys }).foyer;
    const killed = startWith(`${old}`);
    assert.ok(await isServing(killed));
    killed.kill();
    await killed.ended;
    const next = startWith(`${added},${old}`);
    assert.deepEqual(await next.ended, { code: 1, signal: null });
    assert.match(next.output(), /k8/);
  });
});
