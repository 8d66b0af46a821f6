import type { Queries, Tx } from './database.ts';
import { newId } from './new-id.ts';
import { type PersonKey, personColumns } from './people/people.ts';
import { type Given, prepareQuery } from './prepared-query.ts';
import type { ConnectionRow, InstallationStatus, UsedLinkRow } from './records.ts';

const ofInstallation = prepareQuery((queries, given: Given<{ installationId: string }>) =>
  queries
    .selectFrom('connections')
    .selectAll()
    .where('installation_id', '=', given.installationId)
    .orderBy('connected_at')
    .orderBy('id'),
);

/** Reads an installation's connections, oldest first. There is more than one only if accounts share the workspace. */
export async function readConnections(queries: Queries, installationId: string): Promise<ConnectionRow[]> {
  return (await ofInstallation(queries, { installationId })).rows;
}

/**
 * Reads the connection that a run belongs to. If a link started the run, this is the link's connection. Otherwise it is
 * the installation's newest connection; for an uninstall run, the newest from before the uninstall (`uninstalledAt`).
 * Undefined if there is none.
 */
export async function readRunConnection(
  queries: Queries,
  run: { id: string; installationId: string; uninstalledAt?: number },
): Promise<ConnectionRow | undefined> {
  const { uninstalledAt = Infinity } = run;
  const known = await readConnections(queries, run.installationId);
  // Ignores connections from after the uninstall. A later install made them, and may have deleted this run's
  // connection.
  const all = known.filter(({ connected_at }) => connected_at <= uninstalledAt);
  if (all.length < 2) return all[0];
  const link = await queries
    .selectFrom('used_links')
    .select('org')
    .where((eb) => eb.and({ installation_id: run.installationId, run_id: run.id }))
    .executeTakeFirst();
  return all.find(({ org }) => org === link?.org) ?? all.at(-1);
}

/**
 * Connects an installation to an account. If they are already connected, updates the connection's subject, label and
 * data, and keeps its id and time.
 */
export async function saveConnection(
  transaction: Tx,
  connection: Pick<ConnectionRow, 'org' | 'subject' | 'label' | 'data'> & {
    installationId: string;
    now: number;
  },
): Promise<void> {
  const { installationId, org, subject, label, data, now } = connection;
  await transaction
    .insertInto('connections')
    .values({
      id: newId('con'),
      installation_id: installationId,
      org,
      subject,
      label,
      data,
      connected_at: now,
    })
    .onConflict((conflict) =>
      conflict.columns(['installation_id', 'org']).doUpdateSet({ subject, label, data }),
    )
    .execute();
}

/** Removes the connections with these ids. */
export async function deleteConnections(transaction: Tx, ids: readonly string[]): Promise<void> {
  if (ids.length === 0) return;
  await transaction.deleteFrom('connections').where('id', 'in', ids).execute();
}

/** The row of a connection, and columns of the installation that the connection belongs to. */
export type ConnectionWithPlace = ConnectionRow & {
  status: InstallationStatus;
  team_id: string | null;
  team_name: string | null;
  enterprise_id: string | null;
  is_enterprise_install: number;
};

/**
 * Reads the app's connections. `filter` can limit them to an account, an installation or one id. Connections of active
 * installations come first, then those of broken installations, then those of uninstalled ones. Within each group, the
 * newest comes first.
 */
export async function listConnections(
  queries: Queries,
  filter: { clientId: string; org?: string; installationId?: string; id?: string },
): Promise<ConnectionWithPlace[]> {
  const { clientId, org, installationId, id } = filter;
  const rows = await queries
    .selectFrom('connections')
    .innerJoin('installations', 'installations.id', 'connections.installation_id')
    .selectAll('connections')
    .select(['installations.status', 'installations.team_id', 'installations.team_name'])
    .select(['installations.enterprise_id', 'installations.is_enterprise_install'])
    .where((eb) =>
      eb.and({
        'installations.client_id': clientId,
        'connections.org': org,
        'connections.installation_id': installationId,
        'connections.id': id,
      }),
    )
    .orderBy('connections.connected_at', 'desc')
    .orderBy('connections.id', 'desc')
    .execute();
  const rank = { active: 0, broken: 1, uninstalled: 2 } as const;
  return rows.sort((a, b) => rank[a.status] - rank[b.status]);
}

/**
 * Marks a link or a claim as used. Returns true only to the first transaction that uses it. Only that transaction may
 * connect the installation with the account.
 */
export async function useLink(
  transaction: Tx,
  use: Omit<UsedLinkRow, 'client_id' | 'used_at'> & { clientId: string; now: number },
): Promise<boolean> {
  const { clientId, now, ...row } = use;
  const { numInsertedOrUpdatedRows } = await transaction
    .insertInto('used_links')
    .values({ ...row, client_id: clientId, used_at: now })
    .onConflict((conflict) => conflict.columns(['client_id', 'jti']).doNothing())
    .executeTakeFirst();
  return numInsertedOrUpdatedRows === 1n;
}

/** Finds what a link or a claim was used for; undefined if it was not used. */
export async function findUsedLink(
  queries: Queries,
  link: { clientId: string; jti: string },
): Promise<UsedLinkRow | undefined> {
  return queries
    .selectFrom('used_links')
    .selectAll()
    .where((eb) => eb.and({ client_id: link.clientId, jti: link.jti }))
    .executeTakeFirst();
}

/**
 * Deletes the records of links that were used before a given time. The caller must choose a time at which all of these
 * links have expired: an unexpired link without a record would work again.
 */
export async function sweepUsedLinks(
  transaction: Tx,
  sweep: { clientId: string; before: number },
): Promise<void> {
  await transaction
    .deleteFrom('used_links')
    .where('client_id', '=', sweep.clientId)
    .where('used_at', '<', sweep.before)
    .execute();
}

/**
 * Whether a person is an admin or owner of a team, as Slack last reported; false for a person whom Foyer does not know.
 */
export async function isKnownAdmin(queries: Queries, person: PersonKey): Promise<boolean> {
  const row = await queries
    .selectFrom('memberships')
    .select(['is_admin', 'is_owner'])
    .where((eb) => eb.and(personColumns(person)))
    .executeTakeFirst();
  return row?.is_admin === 1 || row?.is_owner === 1;
}
