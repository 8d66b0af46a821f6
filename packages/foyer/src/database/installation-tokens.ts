import { randomInt } from 'node:crypto';
import type { Expression, ExpressionBuilder } from 'kysely';
import type { Database, Queries, Tx } from './database.ts';
import type { InstallationKey } from './installations.ts';
import type { Given } from './prepared-query.ts';
import type { InstallationRow, Tables, UserTokenRow } from './records.ts';

/** The columns of an installation that are read with its tokens. */
const columns = [
  'id',
  'tenant',
  'team_id',
  'team_name',
  'enterprise_id',
  'enterprise_name',
  'is_enterprise_install',
  'app_id',
  'status',
  'life',
  'version',
  'installer_user_id',
  'installed_at',
  'sealed_bot',
] as const satisfies readonly (keyof InstallationRow)[];

/**
 * An installation that is not uninstalled, with one person's tokens. If the person has no tokens, the user columns are
 * null.
 */
export type InstallationTokens = Pick<InstallationRow, (typeof columns)[number]> & {
  sealed_user: UserTokenRow['sealed_user'] | null;
  user_version: UserTokenRow['version'] | null;
};

/** A value, or a placeholder in a prepared read. */
type Value = string | Expression<string>;

/**
 * Builds the one query that every event needs. It selects an installation and the tokens of `userId` (by default the
 * installer). Skips uninstalled installations. Why two subselects: SQLite takes four times as long to prepare a left
 * join.
 */
export function installationTokens(
  queries: Queries,
  key: { id: Value } | { clientId: Value; tenant: Value },
  userId?: Value,
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
    .select(columns)
    .where('status', '!=', 'uninstalled');
  return 'id' in key
    ? found.where('id', '=', key.id)
    : found.where('client_id', '=', key.clientId).where('tenant', '=', key.tenant);
}

/**
 * Prepares `installationTokens` for lookups by an installation's id or tenant. Each lookup reads the tokens of the
 * given person (by default the installer).
 */
export function prepareInstallationTokens(database: Database) {
  type Tenant = { clientId: string; tenant: string };
  const ofInstaller = {
    byId: database.prepare((queries, { id }: Given<{ id: string }>) => installationTokens(queries, { id })),
    byTenant: database.prepare((queries, { clientId, tenant }: Given<Tenant>) =>
      installationTokens(queries, { clientId, tenant }),
    ),
  };
  const ofPerson = {
    byId: database.prepare((queries, { id, userId }: Given<{ id: string; userId: string }>) =>
      installationTokens(queries, { id }, userId),
    ),
    byTenant: database.prepare((queries, { clientId, tenant, userId }: Given<Tenant & { userId: string }>) =>
      installationTokens(queries, { clientId, tenant }, userId),
    ),
  };
  return (key: InstallationKey, userId: string | undefined): Promise<InstallationTokens | undefined> => {
    if (userId === undefined) return 'id' in key ? ofInstaller.byId(key) : ofInstaller.byTenant(key);
    return 'id' in key ? ofPerson.byId({ ...key, userId }) : ofPerson.byTenant({ ...key, userId });
  };
}

/** Whether a token of this person is stored with the installation. */
export async function hasUserToken(
  queries: Queries,
  person: { installationId: string; userId: string },
): Promise<boolean> {
  const row = await queries
    .selectFrom('user_tokens')
    .select('user_id')
    .where('installation_id', '=', person.installationId)
    .where('user_id', '=', person.userId)
    .executeTakeFirst();
  return row !== undefined;
}

/**
 * Writes a person's sealed tokens and replaces any earlier ones. `expiresAt` is in milliseconds since 1970; null if the
 * tokens do not expire.
 */
export async function saveUserToken(
  tx: Tx,
  token: {
    installationId: string;
    userId: string;
    sealedUser: string;
    expiresAt: number | null;
    now: number;
  },
): Promise<void> {
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
      // Why random and not 1: if a row was erased and created again, it must not accept tokens from a refresh that
      // began before the erasure.
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
