import type { Database, Tx } from '../database/database.ts';
import { appendHistory } from '../database/history.ts';
import { lockInstallation } from '../database/installations.ts';
import type { InstallationRow, RunRow } from '../database/records.ts';
import { queueRun } from '../database/runs.ts';
import { sendWelcome } from './send-welcome.ts';

/**
 * The outcome of a request to send the welcome again.
 * queued: it is sent now. going: the run has not ended, so nothing was changed. not-installed: there is no
 * installation, or no run since its last uninstall.
 */
export type WelcomeRequestOutcome = 'queued' | 'going' | 'not-installed';

/**
 * Sends the welcome of the newest run's installer again, because a person asked for it (`userId`; null for an
 * operator). This is the only way to get a second welcome between install and uninstall. It does nothing while a run is
 * active, so that a double press sends one. Wake the worker afterwards.
 * @throws DatabaseUnavailableError
 */
export async function requestWelcome(
  database: Database,
  request: { installationId: string; userId: string | null; now: number },
): Promise<WelcomeRequestOutcome> {
  return database.write(async (transaction) => {
    const installation = await lockInstallation(transaction, { id: request.installationId });
    const run = installation && (await newestRunOfThisLife(transaction, installation));
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
  transaction: Tx,
  installation: InstallationRow,
): Promise<RunRow | undefined> {
  if (installation.status === 'uninstalled') return undefined;
  return transaction
    .selectFrom('runs')
    .selectAll()
    .where('installation_id', '=', installation.id)
    .where('life', '=', installation.life)
    .where('pipeline', '=', 'install')
    .orderBy('created_at', 'desc')
    .orderBy('id', 'desc')
    .limit(1)
    .forUpdate()
    .executeTakeFirst();
}
