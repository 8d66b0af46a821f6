import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePort } from '../../packages/foyer/src/testing/free-port.ts';

/** The Caddy on this machine, if there is one. */
const caddyPath = process.env.CADDY_PATH ?? 'caddy';
const [, major, minor, patch] =
  /(\d+)\.(\d+)\.(\d+)/.exec(spawnSync(caddyPath, ['version'], { encoding: 'utf8' }).stdout ?? '') ?? [];

/** The version of this Caddy as one comparable number (2.11.4 is 2011004); undefined if there is no Caddy. */
export const caddyVersion =
  major === undefined ? undefined : (Number(major) * 1000 + Number(minor)) * 1000 + Number(patch);

/** One request that reached an upstream. */
export interface Arrived {
  method: string;
  path: string;
  body: string;
  forwardedFor: string | undefined;
}

/**
 * A stand-in for a Foyer: it records every request except health checks, and answers it or breaks off the connection.
 */
export interface Upstream {
  port: number;
  arrived: Arrived[];
  /**
   * If true, the stand-in reads each request and closes the connection without an answer, like a process that is
   * killed.
   */
  breaksOff: boolean;
  /** Stops listening; later connections are refused. */
  stop(): Promise<void>;
}

/** Starts a stand-in on a free port of 127.0.0.1. */
export async function startUpstream(): Promise<Upstream> {
  const arrived: Arrived[] = [];
  async function answer(req: IncomingMessage, res: ServerResponse): Promise<void> {
    if (req.url === '/readyz') return void res.end();
    let body = '';
    for await (const part of req.setEncoding('utf8')) body += part;
    const { method = '', url: path = '', headers } = req;
    arrived.push({ method, path, body, forwardedFor: headers['x-forwarded-for']?.toString() });
    if (upstream.breaksOff) req.socket.destroy();
    else res.end('answered');
  }
  const server = createServer((req, res) => void answer(req, res)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const upstream: Upstream = {
    port: (server.address() as AddressInfo).port,
    arrived,
    breaksOff: false,
    async stop() {
      if (!server.listening) return;
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
  return upstream;
}

/** A Caddy that runs deploy/Caddyfile. */
export interface CaddyStage {
  url: string;
  /** Everything that this Caddy has logged. */
  logged(): string;
  close(): Promise<void>;
}

/** Starts Caddy in front of these upstreams and resolves once it serves. Close it at the end. */
export async function startCaddy(
  upstreams: readonly Pick<Upstream, 'port'>[],
  environment: Record<string, string> = {},
): Promise<CaddyStage> {
  const folder = await mkdtemp(join(tmpdir(), 'foyer-caddy-'));
  const [port, adminPort] = [await freePort(), await freePort()];
  const caddyfile = fileURLToPath(new URL('../Caddyfile', import.meta.url));
  const caddy = spawn(caddyPath, ['run', '--config', caddyfile, '--adapter', 'caddyfile'], {
    cwd: folder,
    env: {
      PATH: process.env.PATH,
      HOME: folder,
      CADDY_ADMIN: `localhost:${adminPort}`,
      PUBLIC_URL: `http://localhost:${port}`,
      FOYER_UPSTREAMS: upstreams.map((upstream) => `127.0.0.1:${upstream.port}`).join(' '),
      ...environment,
    },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let log = '';
  caddy.stderr?.setEncoding('utf8').on('data', (part: string) => {
    log += part;
  });
  await serving(caddy, () => log);
  return {
    url: `http://localhost:${port}`,
    logged: () => log,
    async close() {
      const closed = once(caddy, 'close');
      caddy.kill('SIGKILL');
      await closed;
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function serving(caddy: ChildProcess, log: () => string): Promise<void> {
  while (!log().includes('serving initial configuration')) {
    if (caddy.exitCode !== null) throw new Error(`Caddy ended:\n${log()}`);
    await new Promise((next) => setTimeout(next, 10));
  }
}
