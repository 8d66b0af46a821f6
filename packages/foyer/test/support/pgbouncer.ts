import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chown, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { freePort } from '../../src/testing/free-port.ts';
import { eventually } from '../../src/testing/visitor.ts';

/** Returns true if this machine has PgBouncer (Debian: apt-get install pgbouncer). */
export async function hasPgBouncer(): Promise<boolean> {
  const child = spawn('pgbouncer', ['--version'], { stdio: 'ignore', env: searched });
  return once(child, 'exit').then(
    ([code]) => code === 0,
    () => false,
  );
}

const searched = { ...process.env, PATH: `${process.env.PATH}:/usr/sbin` };

/**
 * Starts PgBouncer in front of a database, until the test ends. PgBouncer has `pool` connections to the server, and
 * runs each transaction on any free connection. Returns the database's URL through PgBouncer.
 */
export async function startPgBouncer(t: TestContext, url: string, pool = 3): Promise<string> {
  const target = new URL(url);
  const folder = await mkdtemp(join(tmpdir(), 'foyer-pgbouncer-'));
  const port = await freePort();
  const settings = join(folder, 'pgbouncer.ini');
  await writeFile(
    settings,
    `[databases]
* = host=${target.hostname} port=${target.port} user=${target.username}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${port}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = ${pool}
max_client_conn = 100
server_idle_timeout = 1
`,
  );
  // PgBouncer refuses to run as root, as Postgres does.
  const nobody = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : {};
  if (nobody.uid) for (const file of [folder, settings]) await chown(file, nobody.uid, nobody.gid);
  const child = spawn('pgbouncer', ['-q', settings], {
    ...nobody,
    cwd: folder,
    env: searched,
    stdio: 'ignore',
  });
  t.after(async () => {
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
    await rm(folder, { recursive: true, force: true });
  });
  await eventually(() => isOpen(port));
  return Object.assign(target, { port: String(port) }).href;
}

function isOpen(port: number): Promise<boolean> {
  return new Promise((tell) => {
    const socket = connect(port, '127.0.0.1', () => tell(true)).on('error', () => tell(false));
    socket.on('connect', () => socket.destroy());
  });
}
