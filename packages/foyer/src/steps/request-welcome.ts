import type { Database, Tx } from '../database/database.ts';
import { appendHistory } from '../database/history.ts';
import { newestInstallRun } from '../database/install-record.ts';
import { lockInstallation } from '../database/installations.ts';
import type { InstallationRow } from '../database/records.ts';
import { repeatRun } from '../database/runs.ts';
import { sendWelcome } from './send-welcome.ts';

/**
 * The outcome of a request to send the welcome again.
 * queued: the worker will send the welcome. going: the newest install run has not ended, so nothing was changed.
 * not-installed: there is no active installation, there was no install run since the last uninstall, or the newest
 * install run sends no welcome.
 */
export type WelcomeRequestOutcome = 'queued' | 'going' | 'not-installed';

/**
 * Queues the newest install run again, so that it sends its installer another welcome. `userId` is the person who asked
 * for the welcome; null for an operator. This is the only way to get a second welcome between install and uninstall.
 * If the newest install run has not ended, this function does nothing, so a double click sends only one welcome. Wake
 * the worker afterward.
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
    const step = transaction.selectFrom('steps').select('name').where('run_id', '=', run.id);
    const welcome = await step.where('name', '=', sendWelcome.name).executeTakeFirst();
    if (!welcome) return 'not-installed';
    const { installation_id, life, user_id, pipeline } = run;
    await transaction
      .deleteFrom('welcomes')
      .where((eb) => eb.and({ installation_id, life, user_id }))
      .execute();
    await repeatRun(transaction, {
      id: run.id,
      installationId: installation_id,
      pipeline,
      now: request.now,
      stepsToRepeat: [sendWelcome.name],
    });
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

async function newestRunOfThisLife(transaction: Tx, installation: InstallationRow) {
  if (installation.status !== 'active') return undefined;
  return newestInstallRun(transaction, installation.id)
    .selectAll()
    .where('life', '=', installation.life)
    .forUpdate()
    .executeTakeFirst();
}
