import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { createSandbox, type Sandbox, type SandboxOptions } from 'slack-sandbox';
import { type Config, parseConfig } from '../../../src/config/config.ts';
import { type ServedFoyer as Foyer, type StartOptions, startFoyer } from '../../../src/serve.ts';
import { freePort } from '../../../src/testing/free-port.ts';
import { type FoyerProcess, isServing, spawnFoyer } from '../../faults/support/foyer-process.ts';
import { manifestText } from '../../faults/support/process-stage.ts';
import { startWebhookEndpoint, type WebhookEndpoint } from '../../faults/support/webhook-endpoint.ts';
import { postgresStageDatabase, type StageDatabase } from '../../support/stage-database.ts';
import { environmentFor, recordingLogger } from '../../support/start-foyer.ts';

/** One of several Foyers that share a Postgres database. */
export interface Machine {
  /** The machine's own address, not the proxy's. */
  url: string;
  config: Config;
  /** Every line that the machine has logged so far. */
  logged(): string[];
  stop(): Promise<void>;
  /** Starts the machine, or starts it again after a stop. Each start uses a new port. */
  start(): Promise<void>;
}

/** Two Foyers that share one Postgres database and one public address, with a sandbox as their Slack. */
export interface Machines {
  sandbox: Sandbox;
  webhook: WebhookEndpoint;
  database: StageDatabase;
  environment: Record<string, string>;
  /** The public address, which Slack and browsers use. */
  url: string;
  a: Machine;
  b: Machine;
  /** Makes `machine` get the next requests to the public address. Before the first `sendTo`, `a` gets all requests. */
  sendTo(machine: { url: string }): void;
  close(): Promise<void>;
}

/** Sets up both machines in this process, each with its own port, pool and worker. Close them at the end. */
export async function setMachines(
  options: {
    environment?: Record<string, string>;
    sandbox?: Partial<SandboxOptions>;
    foyer?: StartOptions;
    /** A Postgres database to use instead of a fresh one; it is not dropped at the end. */
    postgresUrl?: string;
    /** If false, neither machine is started: the test starts them. */
    start?: boolean;
  } = {},
): Promise<Machines> {
  const front = await startFront();
  const sandbox = await createSandbox({
    manifest: JSON.parse(manifestText),
    eventUrl: `${front.url}/slack/events`,
    redirectUrls: [`${front.url}/slack/oauth_redirect`, `${front.url}/slack/signin/callback`],
    ...options.sandbox,
  });
  const webhook = await startWebhookEndpoint();
  const database = await postgresStageDatabase({ url: options.postgresUrl });
  const environment = {
    ...environmentFor(sandbox, 0, ''),
    ...database.environment,
    PUBLIC_URL: front.url,
    NOTIFY_SLACK_WEBHOOK_URL: webhook.url,
    ...options.environment,
  };
  const machine = (): Machine => {
    const config = parseConfig(environment, manifestText);
    const { log, lines } = recordingLogger(config);
    let foyer: Foyer | undefined;
    const self: Machine = {
      url: '',
      config,
      logged: () => lines,
      async stop() {
        const running = foyer;
        foyer = undefined;
        await running?.stop();
      },
      async start() {
        foyer = await startFoyer(config, log, { worker: { pollMs: 100 }, ...options.foyer });
        self.url = `http://127.0.0.1:${foyer.address.port}`;
      },
    };
    return self;
  };
  const [a, b] = [machine(), machine()];
  const machines: Machines = {
    sandbox,
    webhook,
    database,
    environment,
    url: front.url,
    a,
    b,
    sendTo: ({ url }) => front.sendTo(url),
    async close() {
      await Promise.all([a.stop(), b.stop()]);
      await Promise.all([sandbox.close(), webhook.close(), front.close()]);
      await database.remove();
    },
  };
  if (options.start === false) return machines;
  const started = await Promise.allSettled([a.start(), b.start()]);
  const failed = started.find((each) => each.status === 'rejected');
  if (failed) {
    // A sandbox that keeps listening would keep the test process running.
    await machines.close();
    throw failed.reason;
  }
  machines.sendTo(a);
  return machines;
}

/** Starts another Foyer in a separate process, which can be killed. */
export async function startMachineProcess(
  t: TestContext,
  environment: Record<string, string>,
  script = fileURLToPath(new URL('./machine-process.ts', import.meta.url)),
): Promise<{ url: string; process: FoyerProcess }> {
  const port = await freePort();
  const process = spawnFoyer({
    environment: { ...environment, PORT: String(port) },
    folder: tmpdir(),
    script,
  });
  t.after(async () => {
    process.kill();
    await process.ended;
  });
  assert.ok(await isServing(process), process.output());
  return { url: `http://127.0.0.1:${port}`, process };
}

/** Starts a proxy in front of the machines. It passes each new connection to the machine that `sendTo` named last. */
async function startFront(): Promise<{ url: string; sendTo(url: string): void; close(): Promise<void> }> {
  let target = 0;
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    const behind = connect(target, '127.0.0.1');
    for (const [from, to] of [
      [client, behind],
      [behind, client],
    ] as const) {
      sockets.add(from);
      from.pipe(to);
      from.on('error', () => to.destroy()).on('close', () => sockets.delete(from) && to.destroy());
    }
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    sendTo(url) {
      target = Number(new URL(url).port);
    },
    async close() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}
