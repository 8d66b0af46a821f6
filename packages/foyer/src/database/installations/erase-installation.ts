import type { Queries } from '../database.ts';
import { lockInstallation } from './lock-installation.ts';

/**
 * Erases an installation with all that hangs on it (tokens, runs, welcomes, history, Home views), its team, and those
 * people and install requests that no other installation of the app has to do with. Returns whether there was one.
 */
export async function eraseInstallation(transaction: Queries, installationId: string): Promise<boolean> {
  const row = await lockInstallation(transaction, { id: installationId });
  if (!row) return false;
  const { client_id: clientId, enterprise_id: enterpriseId } = row;
  await eraseInstallRequests(transaction, row);
  await transaction.deleteFrom('installations').where('id', '=', installationId).execute();
  // An org-wide install has registered its enterprise as its team.
  const teamId = row.team_id ?? enterpriseId;
  if (teamId !== null) await eraseTeam(transaction, { clientId, teamId });
  if (row.is_enterprise_install === 1 && enterpriseId !== null) {
    await transaction
      .deleteFrom('team_access')
      .where('client_id', '=', clientId)
      .where('enterprise_id', '=', enterpriseId)
      .execute();
  }
  return true;
}

/** Those that hold tokens to be given back stay until that is done (invariant 1). */
async function eraseInstallRequests(
  transaction: Queries,
  row: { id: string; client_id: string; team_id: string | null; enterprise_id: string | null },
): Promise<void> {
  await transaction
    .deleteFrom('install_requests')
    .where('client_id', '=', row.client_id)
    .where('sealed_tokens', 'is', null)
    .where('outcome', '!=', 'started')
    .where((eb) =>
      eb.or([
        eb('installation_id', '=', row.id),
        row.team_id === null
          ? eb.and([eb('team_id', 'is', null), eb('enterprise_id', '=', row.enterprise_id)])
          : eb('team_id', '=', row.team_id),
      ]),
    )
    .execute();
}

async function eraseTeam(transaction: Queries, team: { clientId: string; teamId: string }): Promise<void> {
  const { clientId, teamId } = team;
  const left = await transaction
    .deleteFrom('memberships')
    .where('client_id', '=', clientId)
    .where('team_id', '=', teamId)
    .returning('user_id')
    .execute();
  await transaction
    .deleteFrom('teams')
    .where('client_id', '=', clientId)
    .where('team_id', '=', teamId)
    .execute();
  for (const { user_id } of left) {
    await transaction
      .deleteFrom('users')
      .where('client_id', '=', clientId)
      .where('user_id', '=', user_id)
      .where(({ not, exists, selectFrom }) =>
        not(
          exists(
            selectFrom('memberships')
              .select('memberships.user_id')
              .where('memberships.client_id', '=', clientId)
              .where('memberships.user_id', '=', user_id),
          ),
        ),
      )
      .execute();
  }
}
