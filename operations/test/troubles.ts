import { once } from 'node:events';
import { unlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { DatabaseUnavailableError } from '../../packages/foyer/src/database/database.ts';
import { openDatabase } from '../../packages/foyer/src/database/open-database.ts';
import type { Step } from '../../packages/foyer/src/pipeline/step.ts';
import { builtInSteps } from '../../packages/foyer/src/steps/steps.ts';
import { freePort } from '../../packages/foyer/src/testing/free-port.ts';
import { createVisitor, finishedRun, install } from '../../packages/foyer/src/testing/visitor.ts';
import { spawnFoyer } from '../../packages/foyer/test/faults/support/foyer-process.ts';
import { signedPost } from '../../packages/foyer/test/faults/support/signed-post.ts';
import { environmentFor, type Stage, setStage } from '../../packages/foyer/test/support/start-foyer.ts';

/** A Foyer instance to which the test gives a problem, or a near miss, which only resembles a problem. */
export interface Planted {
  job: string;
  what: string;
  /** The urgent alert that the problem must cause. Undefined for a near miss, which must cause no urgent alert. */
  pages?: string;
  /** The addresses that Prometheus scrapes. */
  hosts: string[];
  /**
   * Causes the problem or near miss that `what` describes, until `signal` aborts. If `vanish` is called, Prometheus no
   * longer scrapes the hosts of this `job`.
   */
  plant(about: { signal: AbortSignal; vanish(): void }): Promise<void>;
  close(): Promise<void>;
}

type StageOptions = NonNullable<Parameters<typeof setStage>[0]>;
type Plant = (stage: Stage, about: { signal: AbortSignal; vanish(): void }) => Promise<void>;

const environment = { LOG_LEVEL: 'silent' };
const people = (stage: Stage) => {
  const { sandbox } = stage;
  return { teamId: sandbox.workspace('Acme').id, userId: sandbox.person('Acme', 'owner').id };
};

/** Repeats `work` until `signal` aborts. Ignores the errors of `work`, because they are part of the problem. */
async function every(ms: number, signal: AbortSignal, work: (n: number) => Promise<unknown>): Promise<void> {
  for (let n = 0; !signal.aborted; n += 1) {
    await work(n).catch(() => {});
    await sleep(ms, undefined, { signal });
  }
}

const installOnce = (stage: Stage, decision?: 'cancel'): Promise<Response> =>
  install(createVisitor(), stage.url, stage.sandbox, { ...people(stage), decision });

async function installFully(stage: Stage): Promise<void> {
  const visitor = createVisitor();
  const done = await install(visitor, stage.url, stage.sandbox, people(stage));
  await finishedRun(visitor, stage.url + (done.headers.get('location') ?? ''));
}

function sendEvent(
  stage: Stage,
  about: { secret?: string; type?: string; appId?: string } = {},
): Promise<Response> {
  const { secret = stage.sandbox.app.signingSecret, type = 'app_mention' } = about;
  const { teamId } = people(stage);
  const event = { type, user: 'U1', channel: 'C1', text: 'hi', ts: '1.1' };
  const appId = about.appId ?? stage.sandbox.app.id;
  const body = { type: 'event_callback', team_id: teamId, api_app_id: appId, event_id: 'Ev1', event };
  return signedPost({ url: stage.url, signingSecret: secret, body });
}

/** A database that fails or is slow on demand. */
function spoiltDatabase() {
  const state = { isDown: false, delayMs: 0 };
  const fail = () => Promise.reject(new DatabaseUnavailableError('The database cannot be used: planted'));
  const open: typeof openDatabase = async (target, options) => {
    const database = await openDatabase(target, options);
    return {
      ...database,
      measure: () => (state.isDown ? fail() : database.measure()),
      async write(work, patienceMs) {
        if (state.isDown) return fail();
        if (state.delayMs > 0) await sleep(state.delayMs);
        return database.write(work, patienceMs);
      },
    };
  };
  return { state, open };
}

/**
 * Sets up a Foyer instance for each problem and each near miss. One problem is a full disk: it fills the small disk
 * that is mounted at `disk`. Without `disk`, that problem is left out.
 */
export async function createTroubles(disk: string | undefined): Promise<Planted[]> {
  const all: Planted[] = [];
  async function add(
    job: string,
    what: string,
    pages: string | undefined,
    options: StageOptions,
    plant: Plant,
  ): Promise<Stage> {
    const stage = await setStage({ ...options, environment: { ...environment, ...options.environment } });
    const hosts = [new URL(stage.url).host];
    all.push({ job, what, pages, hosts, plant: (about) => plant(stage, about), close: stage.close });
    return stage;
  }

  // The troubles.
  await add(
    'foyer',
    'the target vanishes from the configuration',
    'FoyerDown',
    {},
    async (_stage, { vanish }) => vanish(),
  );
  await add('foyer-stopped', 'the process has ended', 'FoyerDown', {}, (stage) => stage.stop());
  const otherToken = { METRICS_TOKEN: 'b3e1f09ac4d27586' };
  await add(
    'foyer-token',
    'METRICS_TOKEN is not the token that Prometheus sends',
    'FoyerDown',
    { environment: otherToken },
    async () => {},
  );
  await add('foyer-database', 'the database file is deleted', 'FoyerDatabaseDown', {}, async (stage) =>
    unlinkSync(stage.databaseFile),
  );
  const wrongClient = { SLACK_CLIENT_SECRET: 'not-the-secret-of-the-app' };
  await add(
    'foyer-client-secret',
    'a wrong client secret from the start, while production installs',
    'FoyerInstallsFailing',
    { environment: wrongClient },
    (stage, { signal }) => every(15_000, signal, () => installOnce(stage)),
  );
  await add('foyer-95', '95 % of the installs fail', 'FoyerInstallsFailing', {}, (stage, { signal }) =>
    every(3000, signal, (n) => {
      const failure = { type: 'status', status: 500 } as const;
      if (n % 20 !== 10) stage.sandbox.faults.add({ method: 'oauth.v2.access', failure });
      return installOnce(stage);
    }),
  );
  const wrongSigning = { SLACK_SIGNING_SECRET: 'not-the-signing-secret' };
  const signing = await add(
    'foyer-signing-secret',
    'a wrong signing secret',
    'FoyerSignatureRefused',
    { environment: wrongSigning },
    (stage, { signal }) => every(20_000, signal, () => sendEvent(stage)),
  );
  await installFully(signing);
  const hangs = (step: Step['name'], ms: number): Step => ({
    name: step,
    title: { todo: 'Hang', doing: 'Hanging' },
    timeLimitMs: 900_000,
    run: async ({ signal }) => sleep(ms, null, { signal }),
  });
  const stuck = (ms: number): StageOptions => ({
    foyer: {
      worker: { concurrency: 1 },
      definition: { install: [hangs('hang', ms), ...builtInSteps()] },
    },
  });
  const twoRuns: Plant = async (stage) => {
    await installOnce(stage);
    await sleep(2000);
    const { sandbox, url } = stage;
    const owner = sandbox.person('Globex', 'owner').id;
    await install(createVisitor(), url, sandbox, { teamId: sandbox.workspace('Globex').id, userId: owner });
  };
  await add('foyer-queue', 'the only worker hangs', 'FoyerQueueStuck', stuck(900_000), twoRuns);
  if (disk !== undefined) {
    const onDisk = { DATABASE_URL: `file:${join(disk, 'foyer.db')}` };
    await add('foyer-disk', 'the disk fills up', 'FoyerDiskNearlyFull', { environment: onDisk }, async () =>
      writeFileSync(join(disk, 'logs'), Buffer.alloc(58 * 1024 * 1024, 1)),
    );
  }
  const slow = spoiltDatabase();
  await add(
    'foyer-slow',
    'the database takes 1.5 s for an event',
    'FoyerAcknowledgesSlowly',
    { foyer: { openDatabase: slow.open } },
    async (stage, { signal }) => {
      slow.state.delayMs = 1500;
      await every(1000, signal, () => sendEvent(stage, { type: 'app_uninstalled' }));
    },
  );
  all.push(await restarting());

  // The near misses.
  const healthy = await add(
    'foyer-healthy',
    'installs, events and cancels',
    undefined,
    {},
    (stage, { signal }) =>
      every(10_000, signal, async (n) => {
        await installOnce(stage, n % 3 === 2 ? 'cancel' : undefined);
        await sendEvent(stage);
      }),
  );
  await installFully(healthy);
  await add('foyer-flood', '100 unsigned requests a second', undefined, {}, (stage, { signal }) =>
    every(1000, signal, () =>
      Promise.all(
        Array.from({ length: 100 }, () => fetch(`${stage.url}/slack/events`, { method: 'POST', body: '{}' })),
      ),
    ),
  );
  await add('foyer-codes', 'made-up codes with own states', undefined, {}, (stage, { signal }) =>
    every(1000, signal, async () => {
      const visitor = createVisitor();
      const start = await visitor.get(`${stage.url}/slack/install`);
      const state = new URL(start.headers.get('location') ?? '').searchParams.get('state') ?? '';
      await visitor.get(`${stage.url}/slack/oauth_redirect?code=made-up&state=${encodeURIComponent(state)}`);
    }),
  );
  await add('foyer-cancels', 'everyone cancels', undefined, {}, (stage, { signal }) =>
    every(5000, signal, () => installOnce(stage, 'cancel')),
  );
  await add('foyer-deployed', 'a deployment: away for 20 seconds', undefined, {}, async (stage) => {
    await stage.stop();
    await sleep(20_000);
    await stage.start();
  });
  const two = await add('foyer-two', 'one of two machines is away', undefined, {}, (stage) => stage.stop());
  const second = await setStage({ environment });
  all.find(({ job }) => job === 'foyer-two')?.hosts.push(new URL(second.url).host);
  const closeTwo = async (): Promise<void> => void (await Promise.all([two.close(), second.close()]));
  Object.assign(all.find(({ job }) => job === 'foyer-two') ?? {}, { close: closeTwo });
  const forged = await add(
    'foyer-forged',
    'a stranger’s wrong signatures on a quiet night',
    undefined,
    {},
    (stage, { signal }) =>
      every(1000, signal, () => sendEvent(stage, { secret: 'made-up', appId: 'A0STRANGER' })),
  );
  await installFully(forged);
  await add('foyer-half', 'half of the installs fail', undefined, {}, (stage, { signal }) =>
    every(10_000, signal, (n) => {
      const failure = { type: 'status', status: 500 } as const;
      if (n % 2) stage.sandbox.faults.add({ method: 'oauth.v2.access', failure });
      return installOnce(stage);
    }),
  );
  const blip = spoiltDatabase();
  await add(
    'foyer-blip',
    'the database is away for 25 seconds',
    undefined,
    { foyer: { openDatabase: blip.open } },
    async () => {
      blip.state.isDown = true;
      await sleep(25_000);
      blip.state.isDown = false;
    },
  );
  await add(
    'foyer-burst',
    'a run waits for its worker for a minute and a half',
    undefined,
    stuck(90_000),
    twoRuns,
  );
  const gone = createServer((_req, res) => res.writeHead(404).end('no_service')).listen(0, '127.0.0.1');
  await once(gone, 'listening');
  const address = gone.address();
  const gonePort = typeof address === 'object' ? address?.port : 0;
  const webhook = { NOTIFY_SLACK_WEBHOOK_URL: `http://127.0.0.1:${gonePort}/services/T0/B0/gone` };
  await add(
    'foyer-webhook',
    'the operators’ webhook is gone',
    undefined,
    { environment: webhook },
    (stage, { signal }) => every(20_000, signal, () => installOnce(stage)),
  );
  return all;
}

/** A separate process, which is killed and started again every 40 seconds. */
async function restarting(): Promise<Planted> {
  const stage = await setStage({ start: false });
  const port = await freePort();
  const start = () =>
    spawnFoyer({
      folder: stage.folder,
      environment: { ...environmentFor(stage.sandbox, port, stage.databaseFile), ...environment },
    });
  let running = start();
  return {
    job: 'foyer-restarting',
    what: 'the process is killed every 40 seconds',
    pages: 'FoyerRestarting',
    hosts: [`127.0.0.1:${port}`],
    async plant({ signal }) {
      await every(40_000, signal, async () => {
        running.kill();
        await running.ended;
        running = start();
      });
    },
    async close() {
      running.kill();
      await running.ended;
      await stage.close();
    },
  };
}
