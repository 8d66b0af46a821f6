import { fork } from 'node:child_process';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { fileURLToPath } from 'node:url';
import type { Usage } from './contenders/contender.ts';
import { profileFlags } from './profile-flags.ts';
import { startFlags } from './start-flags.ts';

/** A contender's process, as the bench controls it. */
export interface Contender {
  /** `http://127.0.0.1:port`; unused if the contender has no server. */
  url: string;
  /** Sends a question, and resolves to the answer. */
  ask<T = void>(question: string, argument?: unknown): Promise<T>;
  /** The CPU time that the process has used so far, and its memory; with `collect`, after a garbage collection. */
  usage(collect?: boolean): Promise<Usage>;
  /** Asks the process to exit cleanly, and waits until it has exited. */
  stop(): Promise<void>;
}

type FromContender = { port: number } | { id: number; answer?: unknown; error?: string };

/**
 * The only variables of the bench's environment that a contender gets, so that no other variable affects the contender.
 */
function plainEnvironment(): Record<string, string | undefined> {
  const { PATH, HOME, TMPDIR } = process.env;
  return { PATH, HOME, TMPDIR };
}

/**
 * Starts `contenders/<file>` in its own process, and resolves once it is ready. With `profile`, the process writes a
 * CPU profile to that file when it ends.
 */
export async function startContender(
  file: string,
  options: { env?: Readonly<Record<string, string>>; profile?: string } = {},
): Promise<Contender> {
  const path = fileURLToPath(new URL(`contenders/${file}`, import.meta.url));
  const child = fork(path, {
    execArgv: [
      '--expose-gc',
      '--disable-warning=ExperimentalWarning',
      ...(file === 'foyer.ts' ? startFlags() : []),
      ...profileFlags(options.profile),
    ],
    env: { ...plainEnvironment(), ...options.env },
    // The process does not start in the checkout, because Foyer would read the developer's .env there.
    cwd: tmpdir(),
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  const asked = new Map<number, PromiseWithResolvers<unknown>>();
  const ready = Promise.withResolvers<number>();
  let nextId = 1;

  child.on('message', (message: FromContender) => {
    if ('port' in message) return ready.resolve(message.port);
    const question = asked.get(message.id);
    asked.delete(message.id);
    if (message.error === undefined) question?.resolve(message.answer);
    else question?.reject(new Error(`${file}: ${message.error}`));
  });
  const exited = once(child, 'exit');
  let gone: Error | undefined;
  void exited.then(([code, signal]) => {
    gone = new Error(`${file} exited with ${code ?? signal}`);
    ready.reject(gone);
    for (const question of asked.values()) question.reject(gone);
  });

  async function ask<T = void>(question: string, argument?: unknown): Promise<T> {
    if (gone) throw gone;
    const id = nextId++;
    const answer = Promise.withResolvers<unknown>();
    asked.set(id, answer);
    child.send({ id, ask: question, argument });
    // The answer's type is not checked: the bench's own file for the contender defines it.
    return (await answer.promise) as T;
  }

  return {
    url: `http://127.0.0.1:${await ready.promise}`,
    ask,
    usage: (collect = false) => ask<Usage>('usage', collect),
    async stop() {
      if (gone) return;
      await ask('stop');
      await exited;
    },
  };
}
