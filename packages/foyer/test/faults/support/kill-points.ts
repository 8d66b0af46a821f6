import { setTimeout as wait } from 'node:timers/promises';
import Sqlite from 'better-sqlite3';
import type { PostgresProxy } from '../../support/postgres-proxy.ts';
import type { ProcessStage } from './process-stage.ts';
import type { WebhookEndpoint } from './webhook-endpoint.ts';

/**
 * An instant at which a process can be killed. Foyer's code does not announce these instants. Instead, the sandbox
 * sees each call, and a reader of the SQLite file or a proxy in front of Postgres sees each commit.
 */
export interface KillPoint {
  name: string;
  /** How many milliseconds longer a test waits if the work ends before this point is reached; 300 by default. */
  patienceMs?: number;
  /** Waits for the instant, and then calls `kill` once. Returns a function that cancels the wait. */
  arm(stage: ProcessStage, kill: () => void): () => void;
}

export type Phase = 'as it arrives' | 'before its answer' | 'after its answer';
export const phases: readonly Phase[] = ['as it arrives', 'before its answer', 'after its answer'];

/**
 * Kills Foyer at the `nth` call of `method` after `arm`. `phase` says when: as the call arrives, right before its
 * answer, or `delayMs` after its answer.
 */
export function atCall(method: string, nth: number, phase: Phase, delayMs = 0): KillPoint {
  const which = nth === 1 ? '' : ` no. ${nth}`;
  return {
    name: `${method}${which} ${phase}${delayMs > 0 ? ` (+${delayMs} ms)` : ''}`,
    arm(stage, kill) {
      const { sandbox } = stage;
      let seen = 0;
      if (phase === 'as it arrives') {
        // `take` is the only hook that the sandbox runs after it has received a call and before it acts.
        const { take } = sandbox.faults;
        sandbox.faults.take = (name, places) => {
          if (name !== method) return take(name, places);
          seen += 1;
          if (seen !== nth) return take(name, places);
          kill();
          return { type: 'reset-before-acting' };
        };
        return () => {
          sandbox.faults.take = take;
        };
      }
      return sandbox.onActivity((activity) => {
        if (activity.kind !== 'called' || activity.method !== method) return;
        seen += 1;
        if (seen !== nth) return;
        if (phase === 'before its answer') kill();
        else setTimeout(kill, delayMs);
      });
    },
  };
}

/**
 * Kills Foyer at the `nth` call of a webhook after `arm`, either before the message is posted or after it is posted
 * and before the answer. The default for `endpoint` is the operators' webhook.
 */
export function atWebhook(
  phase: 'as it arrives' | 'before its answer',
  { nth = 1, endpoint }: { nth?: number; endpoint?: WebhookEndpoint } = {},
): KillPoint {
  return {
    name: `call ${nth} of ${endpoint ? 'the app’s' : 'the operators’'} webhook ${phase}`,
    // Foyer always calls the webhook, but on a busy machine the call may come seconds after the event that causes it.
    patienceMs: 10_000,
    arm({ webhook: ofOperators }, kill) {
      const webhook = endpoint ?? ofOperators;
      let seen = 0;
      webhook.answerWith((_req, res, post) => {
        seen += 1;
        if (phase === 'before its answer' || seen < nth) post();
        if (seen < nth) return res.end('ok');
        kill();
        res.destroy();
      }, nth);
      return () => webhook.answerWith('ok');
    },
  };
}

/**
 * Kills Foyer right after a commit: the `nth` since `arm` was called. With `before`, kills Foyer right before that
 * commit, which works only on Postgres, where the proxy can stop a commit.
 */
export function atCommit(nth: number, when: 'before' | 'after' = 'after'): KillPoint {
  return {
    name: `right ${when} commit ${nth}`,
    arm: ({ databaseFile, proxy }, kill) =>
      proxy ? atCommitOfPostgres(proxy, { nth, when, kill }) : afterCommitOfSqlite(databaseFile, nth, kill),
  };
}

function atCommitOfPostgres(
  proxy: PostgresProxy,
  { nth, when, kill }: { nth: number; when: 'before' | 'after'; kill(): void },
): () => void {
  let seen = 0;
  return proxy.onCommit((moment) => {
    if (moment !== (when === 'before' ? 'asked' : 'done')) return undefined;
    seen += 1;
    if (seen < nth) return undefined;
    if (seen === nth) kill();
    // Also cuts the connection at every later commit. Otherwise, the dying process could go on using its other
    // connections.
    return 'cut';
  });
}

/** Polls SQLite's `data_version`, which changes with every commit of another connection. */
function afterCommitOfSqlite(databaseFile: string, nth: number, kill: () => void): () => void {
  const database = new Sqlite(databaseFile, { readonly: true });
  const version = () => database.pragma('data_version', { simple: true });
  let known = version();
  let seen = 0;
  let over = false;
  const look = (): void => {
    if (over) return;
    const now = version();
    if (now !== known) seen += 1;
    known = now;
    if (seen >= nth) {
      over = true;
      kill();
    } else setImmediate(look);
  };
  look();
  return () => {
    over = true;
    database.close();
  };
}

/** Kills Foyer after a delay. What Foyer is doing at that moment differs from run to run. */
export function afterMs(delayMs: number): KillPoint {
  return {
    name: `after ${delayMs} ms`,
    arm(_stage, kill) {
      const timer = setTimeout(kill, delayMs);
      return () => clearTimeout(timer);
    },
  };
}

/** Does the work, and kills Foyer at the kill point, or shortly after the work if that point never comes. */
export async function killedDuring(
  stage: ProcessStage,
  point: KillPoint,
  work: () => Promise<unknown>,
): Promise<void> {
  const foyer = stage.foyer();
  const disarm = point.arm(stage, () => stage.foyer().kill());
  const done = work().catch(() => 'the connection was cut');
  const { patienceMs = 300 } = point;
  await Promise.race([foyer.ended, done.then(() => wait(patienceMs, undefined, { ref: false }))]);
  stage.foyer().kill();
  await stage.foyer().ended;
  await done;
  disarm();
}
