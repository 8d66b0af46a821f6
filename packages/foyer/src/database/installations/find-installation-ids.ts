import type { Queries } from '../database.ts';

/** More than this of one person or enterprise are not told apart by an id. */
const most = 500;

/**
 * Finds the installations that an id names: of a team, of an enterprise (its own and its teams'), of a person (where
 * they installed or belong), of an installation itself, or of one of its runs. Nothing for what is no id.
 */
export async function findInstallationIds(
  queries: Queries,
  search: { clientId: string; text: string },
): Promise<string[]> {
  const { clientId, text } = search;
  if (/^(ins|run)_\w+$/.test(text)) return findByOwnId(queries, clientId, text);
  const id = text.toUpperCase();
  if (!/^[A-Z][A-Z0-9]{1,31}$/.test(id)) return [];
  const installations = queries
    .selectFrom('installations')
    .select('installations.id')
    .where('installations.client_id', '=', clientId);
  const rows = await Promise.all([
    installations.where('tenant', 'in', [`team:${id}`, `enterprise:${id}`]).execute(),
    installations.where('enterprise_id', '=', id).limit(most).execute(),
    installations.where('installer_user_id', '=', id).limit(most).execute(),
    findByMember(queries, clientId, id),
  ]);
  return [...new Set(rows.flat().map((row) => row.id))];
}

async function findByOwnId(queries: Queries, clientId: string, id: string): Promise<string[]> {
  const run = await queries
    .selectFrom('runs')
    .select('installation_id')
    .where('id', '=', id)
    .executeTakeFirst();
  const rows = await queries
    .selectFrom('installations')
    .select('id')
    .where('client_id', '=', clientId)
    .where('id', '=', run?.installation_id ?? id)
    .execute();
  return rows.map((row) => row.id);
}

async function findByMember(queries: Queries, clientId: string, userId: string): Promise<{ id: string }[]> {
  const memberships = await queries
    .selectFrom('memberships')
    .select('team_id')
    .where('client_id', '=', clientId)
    .where('user_id', '=', userId)
    .limit(most)
    .execute();
  if (memberships.length === 0) return [];
  const tenants = memberships.flatMap(({ team_id }) => [`team:${team_id}`, `enterprise:${team_id}`]);
  return queries
    .selectFrom('installations')
    .select('id')
    .where('client_id', '=', clientId)
    .where('tenant', 'in', tenants)
    .execute();
}
