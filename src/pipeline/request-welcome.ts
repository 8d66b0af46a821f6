import type { Database, Queries } from '../database/database.ts';
import { appendHistory } from '../database/installations/append-history.ts';
import type { RunRow } from '../database/records.ts';
import { queueRun } from '../database/runs/queue-run.ts';
import { sendWelcome } from './steps/send-welcome.ts';

/**
 * What became of the wish to have the welcome sent again.
 * queued: it is sent now. going: the run is not at its end, so nothing was changed. not-installed: there is no run of
 * this life, or no installation.
 */
export type WelcomeRequestOutcome = 'queued' | 'going' | 'not-installed';

/**
 * Sends the welcome of the newest run's installer again, because a person asks for it (`userId`; null for an operator):
 * the one way in which a life of an installation sees a second welcome. While a run is going it does nothing, so that a
 * double press sends one. Wake the worker afterwards.
 * @throws DatabaseUnavailableError
 */
export async function requestWelcome(
  database: Database,
  request: { installationId: string; userId: string | null; now: number },
): Promise<WelcomeRequestOutcome> {
  return database.write(async (transaction) => {
    const run = await newestRunOfThisLife(transaction, request.installationId);
    if (!run) return 'not-installed';
    if (['queued', 'running', 'waiting'].includes(run.status)) return 'going';
    await transaction
      .deleteFrom('welcomes')
      .where('installation_id', '=', run.installation_id)
      .where('life', '=', run.life)
      .where('user_id', '=', run.user_id)
      .execute();
    await queueRun(transaction, { id: run.id, now: request.now, stepsToRepeat: [sendWelcome.name] });
    await appendHistory(transaction, {
      installationId: run.installation_id,
      at: request.now,
      kind: 'welcome_requested',
      userId: request.userId,
      detail: run.id,
    });
    return 'queued';
  });
}

async function newestRunOfThisLife(
  transaction: Queries,
  installationId: string,
): Promise<RunRow | undefined> {
  return transaction
    .selectFrom('runs')
    .innerJoin('installations', (join) =>
      join
        .onRef('installations.id', '=', 'runs.installation_id')
        .onRef('installations.life', '=', 'runs.life'),
    )
    .selectAll('runs')
    .where('installations.id', '=', installationId)
    .where('installations.status', '!=', 'uninstalled')
    .orderBy('runs.created_at', 'desc')
    .orderBy('runs.id', 'desc')
    .limit(1)
    .executeTakeFirst();
}
