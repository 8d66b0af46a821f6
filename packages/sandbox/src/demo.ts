import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { nextStep } from './app/next-step.ts';
import { createSandbox } from './create-sandbox.ts';
import { onParentEnd } from './on-parent-end.ts';
import type { Sandbox } from './sandbox.ts';

/**
 * `npm run demo` starts the sandbox and the app. As with the real Slack, the app is a separate process (`src/main.ts`),
 * which gets only Slack's addresses and the app's credentials from the sandbox. The demo deletes the app's database
 * when it ends. With `--brand FOLDER`, such as `--brand examples/brand`, the demo starts the app whose `manifest.json`
 * and `main.ts` are in that folder. With `SIGN_IN=on`, the demo offers Sign in with Slack.
 */

/** The files of the app to run: the app of the folder in `--brand`, or else this repository's own. */
function appFiles(): { manifestFile: string; program: string } {
  try {
    const { values } = parseArgs({ options: { brand: { type: 'string' } } });
    if (values.brand === undefined) return { manifestFile: 'manifest.json', program: 'src/main.ts' };
    return { manifestFile: join(values.brand, 'manifest.json'), program: join(values.brand, 'main.ts') };
  } catch (error) {
    return fail(
      `${error instanceof Error ? error.message : error}\n  Usage: npm run demo -- [--brand FOLDER]`,
    );
  }
}

async function readManifest(file: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(file, 'utf8'));
  } catch (error) {
    return fail(`${file} cannot be read as a manifest: ${error instanceof Error ? error.message : error}`);
  }
}

function fail(why: string): never {
  console.error(`\n  ${why}`);
  process.exit(2);
}

/** Returns the wanted port if it is free, otherwise any free port. */
async function usablePort(wanted: number): Promise<number> {
  for (const port of [wanted, 0]) {
    const server = createServer();
    const free = await new Promise<number | undefined>((tell) => {
      server.once('error', () => tell(undefined));
      server.listen(port, '127.0.0.1', () => {
        const address = server.address();
        server.close(() => tell(typeof address === 'object' && address ? address.port : undefined));
      });
    });
    if (free !== undefined) return free;
  }
  throw new Error('there is no free port on this machine');
}

/**
 * Every setting, with an empty value. Why: the app reads the `.env` in its folder, and a demo must not notify the
 * operators whom that file names.
 */
async function unsetSettings(): Promise<Record<string, string>> {
  const names = (await readFile('.env.example', 'utf8')).matchAll(/^([A-Z_]+)=/gm);
  return Object.fromEntries([...names].map(([, name = '']) => [name, '']));
}

function startApp(sandbox: Sandbox, port: number, folder: string): ChildProcess {
  const { clientId, clientSecret, signingSecret } = sandbox.app;
  const environment = {
    ...unset,
    PATH: process.env.PATH,
    // This variable turns on `onParentEnd` in the app: the app stops when the demo stops, even if the demo is killed.
    npm_lifecycle_event: 'demo',
    SLACK_CLIENT_ID: clientId,
    SLACK_CLIENT_SECRET: clientSecret,
    SLACK_SIGNING_SECRET: signingSecret,
    SLACK_AUTHORIZATION_URL: sandbox.authorizationUrl,
    SLACK_API_URL: sandbox.apiUrl,
    SLACK_OPENID_URL: sandbox.url,
    PUBLIC_URL: `http://localhost:${port}`,
    PORT: String(port),
    HOST: '127.0.0.1',
    DATABASE_URL: `file:${join(folder, 'foyer.db')}`,
    OPERATOR_PASSWORD: operatorPassword,
    SIGN_IN: process.env.SIGN_IN ?? '',
    LOG_LEVEL: process.env.LOG_LEVEL ?? 'warn',
  };
  return spawn(process.execPath, [...process.execArgv, program], {
    env: environment,
    stdio: ['ignore', 'inherit', 'inherit'],
  });
}

/** Resolves when the app answers; rejects if it ends first, or does not answer in time. */
async function ready(app: ChildProcess, url: string): Promise<void> {
  for (let tries = 0; tries < 200; tries += 1) {
    if (app.exitCode !== null) throw new Error(`the app exited with code ${app.exitCode}`);
    const answered = await fetch(`${url}/readyz`).then(
      (answer) => answer.ok,
      () => false,
    );
    if (answered) return;
    await new Promise((next) => setTimeout(next, 50));
  }
  throw new Error('the app was not ready within ten seconds');
}

const { manifestFile, program } = appFiles();
const manifest = await readManifest(manifestFile);
/** A new password for each demo: it gives access only to data that the demo deletes when it ends. */
const operatorPassword = randomBytes(9).toString('base64url');
const unset = await unsetSettings();
const appPort = await usablePort(3000);
const appUrl = `http://localhost:${appPort}`;
const folder = await mkdtemp(join(tmpdir(), 'foyer-demo-'));
let app: ChildProcess | undefined;
let wanted = true;

/** Starts the app. If the app ends and the demo did not stop it, the demo ends too, with an error. */
async function startWatched(): Promise<void> {
  wanted = true;
  const started = startApp(sandbox, appPort, folder);
  app = started;
  started.once('exit', (code, signal) => {
    const how = signal === null ? `exit code ${code}` : signal;
    if (wanted) void stop(code || 1, `The app ended with ${how}. Its output above says why.`);
  });
  await ready(started, appUrl);
}

async function endApp(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
  wanted = false;
  if (app && app.exitCode === null && app.signalCode === null && app.kill(signal)) await once(app, 'exit');
}

const sandbox = await createSandbox({
  manifest,
  port: await usablePort(4000),
  eventUrl: `${appUrl}/slack/events`,
  redirectUrls: [`${appUrl}/slack/oauth_redirect`, `${appUrl}/slack/signin/callback`],
  landingUrl: appUrl,
  appProcess: {
    kill: () => endApp('SIGKILL'),
    async restart() {
      await endApp('SIGTERM');
      await startWatched();
    },
  },
  onActivity(activity) {
    const next = nextStep(activity, { sandboxUrl: sandbox.url, appUrl });
    if (next) console.log(`\n  ${next}`);
  },
});

let stopping = false;
/** `failure` says why the demo failed; absent if a person stops it. */
async function stop(code: number, failure?: string): Promise<void> {
  if (stopping) return;
  stopping = true;
  if (failure !== undefined) console.error(`\n  ${failure}`);
  await endApp('SIGTERM');
  await sandbox.close();
  await rm(folder, { recursive: true, force: true });
  const outcome = failure === undefined ? 'Stopped.' : 'The app failed, so the demo has stopped.';
  console.log(`\n  ${outcome} Nothing is left behind.`);
  process.exit(code);
}
// `on`, not `once`: with `once`, a second Ctrl+C would end the process before it has removed its folder.
process.on('SIGINT', () => void stop(0));
process.on('SIGTERM', () => void stop(0));
onParentEnd(() => void stop(0));
// Once npm has ended, no one reads the output, so the demo ignores write errors.
process.stdout.on('error', () => {});

try {
  await startWatched();
  const signInHint =
    process.env.SIGN_IN === 'on' ? `\n    5. Sign in with Slack at ${appUrl}/slack/signin` : '';
  console.log(`
  ${sandbox.app.settings.name} is running, and so is a Slack of your own. Nothing leaves this machine.

    1. Open ${appUrl} and press Add to Slack.
    2. Press Allow, and watch the steps finish.
    3. See the welcome and the Home tab in ${sandbox.url}
    4. See what an operator sees at ${appUrl}/operator, with the password ${operatorPassword}${signInHint}

  Stop with Ctrl+C.`);
} catch (error) {
  await stop(1, error instanceof Error ? error.message : String(error));
}
