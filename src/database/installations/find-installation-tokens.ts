import type { Queries } from '../database.ts';
import type { InstallationRow, UserTokenRow } from '../records.ts';
import type { InstallationKey } from './lock-installation.ts';

/** An installation that is not uninstalled, with the tokens of one person; its user columns are null without any. */
export type InstallationTokens = Pick<
  InstallationRow,
  | 'id'
  | 'tenant'
  | 'team_id'
  | 'team_name'
  | 'enterprise_id'
  | 'enterprise_name'
  | 'is_enterprise_install'
  | 'app_id'
  | 'status'
  | 'life'
  | 'version'
  | 'installer_user_id'
  | 'installed_at'
  | 'sealed_bot'
> & { sealed_user: UserTokenRow['sealed_user'] | null; user_version: UserTokenRow['version'] | null };

/**
 * Reads, in one query, what every event needs: an installation and the tokens of `userId` (the installer's where it is
 * left out). An uninstalled one is none.
 */
export async function findInstallationTokens(
  queries: Queries,
  key: InstallationKey,
  userId: string | undefined,
): Promise<InstallationTokens | undefined> {
  const found = queries
    .selectFrom('installations')
    .leftJoin('user_tokens', (join) => {
      const own = join.onRef('user_tokens.installation_id', '=', 'installations.id');
      return userId === undefined
        ? own.onRef('user_tokens.user_id', '=', 'installations.installer_user_id')
        : own.on('user_tokens.user_id', '=', userId);
    })
    .select([
      'installations.id',
      'installations.tenant',
      'installations.team_id',
      'installations.team_name',
      'installations.enterprise_id',
      'installations.enterprise_name',
      'installations.is_enterprise_install',
      'installations.app_id',
      'installations.status',
      'installations.life',
      'installations.version',
      'installations.installer_user_id',
      'installations.installed_at',
      'installations.sealed_bot',
      'user_tokens.sealed_user',
      'user_tokens.version as user_version',
    ])
    .where('installations.status', '!=', 'uninstalled');
  return 'id' in key
    ? found.where('installations.id', '=', key.id).executeTakeFirst()
    : found
        .where('installations.client_id', '=', key.clientId)
        .where('installations.tenant', '=', key.tenant)
        .executeTakeFirst();
}
