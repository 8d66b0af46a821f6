import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from './config/log.ts';
import type { FoundInstallation, Foyer } from './foyer.ts';
import { slackFailure } from './slack/slack-failure.ts';

const pageRows = 100;
/**
 * How many times Foyer runs the work for a team that Slack rate-limits, and how many such teams may wait at the same
 * time.
 */
const mostTries = 3;
const mostWaiting = 1000;
/** How many failures are logged. Further failures are only counted. */
const mostLogged = 20;

/**
 * An installation to work on. `tries` counts the tries that failed because of a rate limit. `dueAt` is the time of the
 * next try, by `performance.now()`.
 */
interface Waiting {
  installation: FoundInstallation;
  tries: number;
  dueAt: number;
}

/**
 * Creates `foyer.eachInstallation`. Each worker takes the next installation when it becomes free. If Slack rate-limits
 * a team, the work for that team is retried after all other teams, because the limit applies only to that team.
 */
export function createEachInstallation({
  list,
  log,
}: {
  list: Foyer['list'];
  log: Logger;
}): Foyer['eachInstallation'] {
  return async (options, work) => {
    const { status, concurrency = 8, signal } = options;
    if (!Number.isInteger(concurrency) || concurrency < 1 || concurrency > 100) {
      throw new TypeError('eachInstallation: `concurrency` must be a whole number from 1 to 100');
    }
    const result = { done: 0, failed: 0 };
    const waiting: Waiting[] = [];

    async function* all(): AsyncGenerator<Waiting> {
      let cursor: string | null = null;
      do {
        const page: Awaited<ReturnType<Foyer['list']>> = await list({ status, cursor, limit: pageRows });
        for (const installation of page.installations) yield { installation, tries: 0, dueAt: 0 };
        cursor = page.cursor;
      } while (cursor !== null);
    }

    async function* waited(): AsyncGenerator<Waiting> {
      const round = waiting.splice(0).sort((one, other) => one.dueAt - other.dueAt);
      for (const each of round) {
        await sleep(Math.max(0, each.dueAt - performance.now()), undefined, { signal });
        yield each;
      }
    }

    async function workOn({ installation, tries }: Waiting): Promise<void> {
      try {
        await work(installation);
        result.done += 1;
      } catch (error) {
        const failure = slackFailure(error);
        const mayWait =
          failure?.kind === 'rate-limited' && tries + 1 < mostTries && waiting.length < mostWaiting;
        if (mayWait) {
          const dueAt = performance.now() + (failure.retryAfterMs ?? 30_000);
          waiting.push({ installation, tries: tries + 1, dueAt });
          return;
        }
        result.failed += 1;
        if (result.failed > mostLogged) return;
        log.error(
          { err: error, installationId: installation.installationId },
          'eachInstallation: the work for an installation failed',
        );
      }
    }

    async function drive(source: AsyncGenerator<Waiting>): Promise<void> {
      await Promise.all(
        Array.from({ length: concurrency }, async () => {
          for (;;) {
            signal?.throwIfAborted();
            const next = await source.next();
            if (next.done) return;
            await workOn(next.value);
          }
        }),
      );
    }

    await drive(all());
    while (waiting.length > 0) await drive(waited());
    return result;
  };
}
