import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { Worker } from 'node:worker_threads';
import { type ProcessStage, setProcessStage } from '../../faults/support/process-stage.ts';

const root = join(import.meta.dirname, '../../../../..');
const { scripts }: { scripts: { start: string } } = JSON.parse(
  readFileSync(join(root, 'package.json'), 'utf8'),
);
/** The Node arguments of `npm start`: Foyer must stay within its limits with these, not only with more memory. */
const nodeArguments = scripts.start.match(/--(?:disable|max)-\S+/g) ?? [];

/** A Foyer process that is attacked, and measurements of what the attack does to it. */
export interface AbuseStage extends ProcessStage {
  /** Where the attack goes: Foyer itself, or a proxy in front of it. */
  target: URL;
  /** Runs an attack, and measures until it is over. */
  during(attack: () => Promise<void>): Promise<Toll>;
  /** Opens a connection to the target. The end of the test closes the connection if it is still open. */
  open(): Promise<Socket>;
  metric(name: string): Promise<number>;
}

/** What an attack cost Foyer. */
export interface Toll {
  peakMb: number;
  slowestHealthMs: number;
  logLines: number;
  rows: number;
  slackCalls: number;
  ms: number;
}

/** Starts the Foyer process to attack; it is stopped when the test ends. */
export async function setAbuseStage(
  t: TestContext,
  options: { environment?: Record<string, string>; target?: (stage: ProcessStage) => Promise<URL> } = {},
): Promise<AbuseStage> {
  const stage = await setProcessStage({ environment: options.environment, start: false });
  const sockets = new Set<Socket>();
  t.after(async () => {
    for (const socket of sockets) socket.destroy();
    await stage.close();
  });
  await stage.start(nodeArguments);
  const target = (await options.target?.(stage)) ?? new URL(stage.url);

  const lines = (): number => stage.foyer().output().split('\n').length;
  const rows = (): Promise<number> =>
    stage.rows<{ n: number }>('select count(*) as n from install_requests').then((found) => found[0]?.n ?? 0);

  const probe = new URL('./probe-health.ts', import.meta.url);
  const probed = { host: target.host, url: `${target.origin}/healthz` };

  return {
    ...stage,
    target,
    async during(attack) {
      const before = { lines: lines(), rows: await rows(), calls: stage.sandbox.calls().length };
      const startedAt = performance.now();
      const probing = new Worker(probe, { workerData: probed });
      await attack();
      probing.postMessage('end');
      const [slowest] = (await once(probing, 'message')) as [number];
      const toll: Toll = {
        peakMb: Math.round(peakKb(stage.foyer().child.pid) / 1024),
        slowestHealthMs: Math.round(slowest),
        logLines: lines() - before.lines,
        rows: (await rows()) - before.rows,
        slackCalls: stage.sandbox.calls().length - before.calls,
        ms: Math.round(performance.now() - startedAt),
      };
      t.diagnostic(JSON.stringify(toll));
      return toll;
    },
    open() {
      return new Promise((resolve, reject) => {
        const socket = connect(Number(target.port), target.hostname, () => resolve(socket));
        sockets.add(socket);
        socket.on('error', reject).on('close', () => sockets.delete(socket));
      });
    },
    async metric(name) {
      const text = await (await fetch(`${stage.url}/metrics`)).text();
      const line = text.split('\n').find((each) => each.startsWith(name));
      return Number(line?.split(' ').at(-1) ?? 0);
    },
  };
}

/** The peak memory of a process, in kB. */
function peakKb(pid: number | undefined): number {
  return Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);
}

/** Headers that a stranger can write: Slack's format, a current timestamp, and a signature that is not Slack's. */
export const plausibleHeaders = (): string =>
  `X-Slack-Request-Timestamp: ${Math.floor(Date.now() / 1000)}\r\nX-Slack-Signature: v0=${'a'.repeat(64)}\r\n`;

/** Writes, and waits until the socket can take more data or is closed. */
export async function send(socket: Socket, data: string | Buffer): Promise<void> {
  if (socket.destroyed || !socket.writable) return;
  if (socket.write(data)) return;
  await new Promise<void>((done) => {
    const go = (): void => {
      socket.off('drain', go).off('close', go);
      done();
    };
    socket.on('drain', go).on('close', go);
  });
}

/** Resolves to everything received until the connection closes. */
export function heardFrom(socket: Socket): Promise<string> {
  let text = '';
  socket.setEncoding('latin1').on('data', (part: string) => {
    text += part;
  });
  return new Promise((resolve) => socket.on('close', () => resolve(text)));
}
