import type { Installation } from '@slack/oauth';
import type { Database, Tx } from '../../database/database.ts';
import { appendHistory } from '../../database/history.ts';
import { resumeWaitingRuns } from '../../database/runs.ts';
import { type InstallationStore, tenantOfInstallation } from '../../installations/installation-store.ts';

/** What an import does with one installation of another store. */
export type TakeOver =
  /** The import stores the installation (a dry run only reports it). */
  | 'installation'
  /** The import adds one more person's token to a team that already has an installation. */
  | 'person'
  /** The import stores nothing: Foyer already has a record of the team, and there is no person to add. */
  | 'known';

/**
 * Decides what an import of an installation would store. If Foyer already has a record of the team, that record stays,
 * even if the team has uninstalled the app: the other store has nothing newer about that team. A person is added only
 * if the installation's history does not name them. If Foyer already knew the person, the token in the other store may
 * have been revoked.
 */
export async function judgeTakeOver(
  { queries }: Pick<Database, 'queries'>,
  clientId: string,
  installation: Installation,
): Promise<TakeOver> {
  const known = await queries
    .selectFrom('installations')
    .select(['id', 'status'])
    .where('client_id', '=', clientId)
    .where('tenant', '=', tenantOfInstallation(installation))
    .executeTakeFirst();
  if (!known) return 'installation';
  if (known.status === 'uninstalled' || installation.user.token === undefined) return 'known';
  const ofPerson = await queries
    .selectFrom('history')
    .select('id')
    .where('installation_id', '=', known.id)
    .where('user_id', '=', installation.user.id)
    .limit(1)
    .execute();
  return ofPerson.length > 0 ? 'known' : 'person';
}

/**
 * Stores an installation of another store, in one transaction. Without `withRun`, deletes the install run in the same
 * transaction, so that none of its steps ever runs and no one gets a welcome.
 * @throws DatabaseUnavailableError
 */
export async function takeOver(
  store: Pick<InstallationStore, 'recordInstall'>,
  installation: Installation,
  options: { part: 'installation' | 'person'; issuedAt: number | undefined; withRun: boolean; now: number },
): Promise<void> {
  const { part, issuedAt, withRun, now } = options;
  const taken = part === 'person' ? { ...installation, bot: undefined } : installation;
  await store.recordInstall(taken, {
    issuedAt,
    async commitWith(tx: Tx, { installationId, runId }) {
      const line = { installationId, at: now, userId: null, detail: 'imported from another store' };
      await appendHistory(tx, { ...line, kind: 'operator_action' });
      if (withRun) return;
      await tx.deleteFrom('runs').where('id', '=', runId).execute();
      // If workspaces were granted access before this import, their `workspaceGranted` runs wait for the deleted run.
      await resumeWaitingRuns(tx, { installationId, event: runId, now });
    },
  });
}
