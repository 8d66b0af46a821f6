import { createTokenCipher } from '../../../packages/foyer/src/installations/open-installation.ts';
import { app } from '../../load/signed-events.ts';
import { benchKeyring } from '../../seed/bench-keyring.ts';
import { installationRow, numberOfTeam } from '../../seed/seed-teams.ts';

/** What the stores without Kysely share: the rows, the encryption of the token, and SQL with `?` for parameters. */

const cipher = createTokenCipher({ keyring: benchKeyring });

/** The columns that `openRow` needs. */
export interface TokenRow {
  id: string;
  sealed_bot: string;
}

export function newRow(teamId: string): { columns: string[]; values: unknown[] } {
  const row = installationRow(numberOfTeam(teamId), cipher, Date.now());
  return { columns: Object.keys(row), values: Object.values(row) };
}

/**
 * Reads an installation and its installer's token in one query, as Foyer does. Foyer's query uses subselects instead
 * of the join.
 */
export const fetchSql = `
  select i.id, i.team_id, i.team_name, i.enterprise_id, i.is_enterprise_install, i.app_id, i.status, i.version,
    i.installer_user_id, i.installed_at, i.sealed_bot, t.sealed_user
  from installations i left join user_tokens t on t.installation_id = i.id and t.user_id = i.installer_user_id
  where i.client_id = ? and i.tenant = ? and i.status != 'uninstalled'`;

export const removeSql = 'delete from installations where client_id = ? and tenant = ?';

/** The parameters that select a team. */
export const keyOf = (teamId: string): [clientId: string, tenant: string] => [app.clientId, `team:${teamId}`];

export function openRow(row: TokenRow | undefined, teamId: string) {
  if (!row) throw new Error(`no installation for ${teamId}`);
  return cipher.openBot(row.id, row.sealed_bot);
}
