import type { ExpressionBuilder } from 'kysely';
import type { Queries, Tx } from './database.ts';
import type { Tables } from './records.ts';

/** A team or enterprise that Slack sends events for, and that has no installation in this database. */
export interface UnknownTeam {
  teamId: string | null;
  enterpriseId: string | null;
  firstSeenAt: number;
  /** Accurate to a few minutes. */
  lastSeenAt: number;
}

/** The most teams that Foyer stores, no matter how many events arrive (invariant 10). */
export const mostUnknownTeams = 1000;
/** If Slack has sent no event for a team in this time, Foyer assumes that the team has removed the app. */
const forgottenAfterMs = 30 * 24 * 3_600_000;
/**
 * Foyer lists a team only after it has been unknown for this long. A team that is just installing the app is unknown
 * too, but only until its install is committed.
 */
const settledAfterMs = 60_000;

/**
 * Records that Slack sent an event for a tenant without an installation. Returns true if it stored a new tenant.
 * Returns false if the tenant was already stored, or if the table is full.
 */
export async function recordUnknownTeam(
  tx: Tx,
  seen: { clientId: string; tenant: string; now: number },
): Promise<boolean> {
  const { clientId, tenant, now } = seen;
  const known = await tx
    .updateTable('unknown_teams')
    .set({ last_seen_at: now })
    .where('client_id', '=', clientId)
    .where('tenant', '=', tenant)
    .returning('tenant')
    .executeTakeFirst();
  if (known) return false;
  await tx
    .deleteFrom('unknown_teams')
    .where('client_id', '=', clientId)
    .where((eb) => eb.or([eb('last_seen_at', '<', now - forgottenAfterMs), isInstalled(eb)]))
    .execute();
  const { count } = await tx
    .selectFrom('unknown_teams')
    .select(({ fn }) => fn.countAll<number | string | bigint>().as('count'))
    .where('client_id', '=', clientId)
    .executeTakeFirstOrThrow();
  if (Number(count) >= mostUnknownTeams) return false;
  const { numInsertedOrUpdatedRows } = await tx
    .insertInto('unknown_teams')
    .values({ client_id: clientId, tenant, first_seen_at: now, last_seen_at: now })
    .onConflict((conflict) => conflict.columns(['client_id', 'tenant']).doNothing())
    .executeTakeFirst();
  return numInsertedOrUpdatedRows === 1n;
}

/** Whether the tenant of a row now has an installation, with any status. */
function isInstalled(eb: ExpressionBuilder<Tables, 'unknown_teams'>) {
  return eb.exists(
    eb
      .selectFrom('installations')
      .select('installations.id')
      .whereRef('installations.client_id', '=', 'unknown_teams.client_id')
      .whereRef('installations.tenant', '=', 'unknown_teams.tenant'),
  );
}

/** Lists the teams that still have no installation, in the order in which Slack first sent events for them. */
export async function listUnknownTeams(
  queries: Queries,
  { clientId, now }: { clientId: string; now: number },
): Promise<UnknownTeam[]> {
  const rows = await queries
    .selectFrom('unknown_teams')
    .select(['tenant', 'first_seen_at', 'last_seen_at'])
    .where('client_id', '=', clientId)
    .where('first_seen_at', '<=', now - settledAfterMs)
    .where('last_seen_at', '>=', now - forgottenAfterMs)
    .where((eb) => eb.not(isInstalled(eb)))
    .orderBy('first_seen_at')
    .orderBy('tenant')
    .execute();
  return rows.map(({ tenant, first_seen_at, last_seen_at }) => {
    const [kind, id = ''] = tenant.split(':', 2);
    return {
      teamId: kind === 'team' ? id : null,
      enterpriseId: kind === 'enterprise' ? id : null,
      firstSeenAt: first_seen_at,
      lastSeenAt: last_seen_at,
    };
  });
}
