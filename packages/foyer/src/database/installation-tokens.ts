import { randomInt } from 'node:crypto';
import type { Expression, ExpressionBuilder } from 'kysely';
import type { Database, Queries, Tx } from './database.ts';
import type { InstallationKey } from './installations.ts';
import type { InstallationRow, Tables, UserTokenRow } from './records.ts';

/** An installation that is not uninstalled, with one person's tokens; the user columns are null if there are none. */
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

/** A value, or a placeholder in a prepared read. */
type Given = string | Expression<string>;

/**
 * What every event needs, in one query: an installation and the tokens of `userId` (by default the installer). Skips
 * uninstalled ones. Two subselects, since SQLite takes four times as long to prepare a left join.
 */
export function installationTokens(
  queries: Queries,
  key: { id: Given } | { clientId: Given; tenant: Given },
  userId: Given | undefined,
) {
  const ofPerson = (eb: ExpressionBuilder<Tables, 'installations'>) =>
    eb
      .selectFrom('user_tokens')
      .whereRef('user_tokens.installation_id', '=', 'installations.id')
      .where('user_tokens.user_id', '=', userId ?? eb.ref('installations.installer_user_id'));
  const found = queries
    .selectFrom('installations')
    .select((eb) => [ofPerson(eb).select('sealed_user').as('sealed_user')])
    .select((eb) => [ofPerson(eb).select('version').as('user_version')])
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
    ])
    .where('installations.status', '!=', 'uninstalled');
  return 'id' in key
    ? found.where('installations.id', '=', key.id)
    : found
        .where('installations.client_id', '=', key.clientId)
        .where('installations.tenant', '=', key.tenant);
}

/** Prepares `installationTokens`: by an installation's id or its tenant, with the tokens of the given person. */
export function prepareInstallationTokens(database: Database) {
  const ofInstaller = {
    byId: database.prepare<{ id: string }, InstallationTokens>((queries, given) =>
      installationTokens(queries, { id: given.id }, undefined),
    ),
    byTenant: database.prepare<{ clientId: string; tenant: string }, InstallationTokens>((queries, given) =>
      installationTokens(queries, { clientId: given.clientId, tenant: given.tenant }, undefined),
    ),
  };
  const ofPerson = {
    byId: database.prepare<{ id: string; userId: string }, InstallationTokens>((queries, given) =>
      installationTokens(queries, { id: given.id }, given.userId),
    ),
    byTenant: database.prepare<{ clientId: string; tenant: string; userId: string }, InstallationTokens>(
      (queries, given) =>
        installationTokens(queries, { clientId: given.clientId, tenant: given.tenant }, given.userId),
    ),
  };
  return (key: InstallationKey, userId: string | undefined): Promise<InstallationTokens | undefined> => {
    if (userId === undefined) return 'id' in key ? ofInstaller.byId(key) : ofInstaller.byTenant(key);
    return 'id' in key ? ofPerson.byId({ ...key, userId }) : ofPerson.byTenant({ ...key, userId });
  };
}

/** A person's sealed tokens. `expiresAt` is in milliseconds; null if they do not expire. */
interface NewUserToken {
  installationId: string;
  userId: string;
  sealedUser: string;
  expiresAt: number | null;
  now: number;
}

/** Writes a person's tokens and replaces any earlier ones. */
export async function saveUserToken(tx: Tx, token: NewUserToken): Promise<void> {
  const state = {
    sealed_user: token.sealedUser,
    expires_at: token.expiresAt,
    updated_at: token.now,
    refresh_owner: null,
    refresh_until: null,
  };
  await tx
    .insertInto('user_tokens')
    .values({
      installation_id: token.installationId,
      user_id: token.userId,
      // Not 1: a row that was erased and created again must not accept tokens from a refresh that began before.
      version: randomInt(1, 2 ** 30),
      ...state,
    })
    .onConflict((conflict) =>
      conflict
        .columns(['installation_id', 'user_id'])
        .doUpdateSet((eb) => ({ ...state, version: eb('user_tokens.version', '+', 1) })),
    )
    .execute();
}
