import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { compileCache } from '../../support/compile-cache.ts';

const mainFile = fileURLToPath(new URL('../../support/app/main.ts', import.meta.url));

/** Flushes the compile cache 400 ms after the start, since a process that is killed would not save it. */
const keepCompiled = `data:text/javascript,${encodeURIComponent(
  "import{flushCompileCache}from'node:module';setTimeout(flushCompileCache,400).unref()",
)}`;

export interface ProcessEnd {
  code: number | null;
  signal: NodeJS.Signals | null;
}

/** Foyer in its own process, as `npm start` runs it. */
export interface FoyerProcess {
  readonly child: ChildProcess;
  /** Sends SIGKILL: the process ends without running any more of its code. */
  kill(): void;
  readonly ended: Promise<ProcessEnd>;
  hasEnded(): boolean;
  /** What the process wrote to stdout and stderr; at most the last two million characters. */
  output(): string;
}

/** The options of `spawnFoyer`. */
export interface ProcessOptions {
  environment: Record<string, string>;
  /** The working folder of the process. It must contain no `.env`. */
  folder: string;
  nodeArguments?: readonly string[];
  /** The user to run as. If the tests run as root, a test of missing permissions needs another user. */
  uid?: number;
  withIpc?: boolean;
  /** The script to run instead of the fixture app. */
  script?: string;
  /** A command that the process runs under, such as strace with its options. */
  under?: readonly string[];
}

/** Starts Foyer in a process, and does not wait until it serves. */
export function spawnFoyer(options: ProcessOptions): FoyerProcess {
  const {
    environment,
    folder,
    nodeArguments = [],
    uid,
    withIpc = false,
    script = mainFile,
    under = [],
  } = options;
  const [command = process.execPath, ...rest] = [
    ...under,
    process.execPath,
    '--import',
    keepCompiled,
    ...nodeArguments,
    script,
  ];
  const child = spawn(command, rest, {
    cwd: folder,
    env: { PATH: process.env.PATH, NODE_COMPILE_CACHE: compileCache, ...environment },
    stdio: ['ignore', 'pipe', 'pipe', ...(withIpc ? (['ipc'] as const) : [])],
    ...(uid !== undefined && { uid, gid: uid }),
  });
  let written = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (part: string) => {
      written = (written + part).slice(-2_000_000);
    });
  }
  let end: ProcessEnd | undefined;
  const ended = once(child, 'close').then(([code, signal]) => {
    end = { code, signal };
    return end;
  });
  return {
    child,
    kill: () => void child.kill('SIGKILL'),
    ended,
    hasEnded: () => end !== undefined,
    output: () => written,
  };
}

/** Resolves to true once Foyer serves, and to false if the process ends first. */
export async function isServing(foyer: FoyerProcess): Promise<boolean> {
  while (!foyer.output().includes('Foyer is ready')) {
    if (foyer.hasEnded()) return false;
    await new Promise((next) => setTimeout(next, 5));
  }
  return true;
}
