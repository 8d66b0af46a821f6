import type { Logger } from '../config/log.ts';
import type { Database } from '../database/database.ts';
import { readStatuses } from '../database/installations.ts';
import { listUnknownTeams, mostUnknownTeams, recordUnknownTeam } from '../database/unknown-teams.ts';
import { type TenantQuery, TenantUnclearError } from '../installations/installation-store.ts';
import { tenantOfQuery } from '../installations/tenant.ts';

/** Notes a verified request of Slack's for which there is no installation. Never throws, and keeps no one waiting. */
export type NoteUnknownTeam = (query: TenantQuery) => void;

/** A team is looked up again after this time. */
const againAfterMs = 10 * 60_000;
/** An install that is being committed is unknown for a moment; after this time it is reported. */
const reportAfterMs = 65_000;

/**
 * Makes the function that notes teams which have the app in Slack and have no installation here: after a restore, those
 * that installed since the backup. Their events are answered with 200 and dropped, since no token is left to act with,
 * so without this no one would learn of them.
 *
 * A team that was uninstalled is known: late events of it mean nothing. Slack may send any number of events, so a team
 * costs one lookup in ten minutes, and no more than `mostUnknownTeams` are kept, in memory and in the database.
 */
export function createNoteUnknownTeam(deps: {
  database: Database;
  clientId: string;
  now: () => number;
  log: Logger;
  /** Only tests set it. */
  later?: (work: () => void) => void;
}): NoteUnknownTeam {
  const { database, clientId, now, log } = deps;
  const later = deps.later ?? ((work) => setTimeout(work, reportAfterMs).unref());
  /** When each was last looked up, the longest ago first. */
  const lookedUp = new Map<string, number>();

  function isDue(tenant: string): boolean {
    const at = lookedUp.get(tenant);
    if (at !== undefined && now() - at < againAfterMs) return false;
    lookedUp.delete(tenant);
    lookedUp.set(tenant, now());
    if (lookedUp.size > mostUnknownTeams) {
      const [oldest] = lookedUp.keys();
      if (oldest !== undefined) lookedUp.delete(oldest);
    }
    return true;
  }

  async function note(tenant: string, { enterpriseId }: TenantQuery): Promise<void> {
    const tenants = [tenant, ...(enterpriseId ? [`enterprise:${enterpriseId}`] : [])];
    const known = await readStatuses(database.queries, { clientId, tenants });
    if (known.size > 0) return;
    const isNew = await database.write((tx) => recordUnknownTeam(tx, { clientId, tenant, now: now() }));
    if (isNew) later(() => void report(tenant).catch(() => {}));
  }

  async function report(tenant: string): Promise<void> {
    const unknown = await listUnknownTeams(database.queries, { clientId, now: now() });
    const team = unknown.find(({ teamId, enterpriseId }) =>
      [`team:${teamId}`, `enterprise:${enterpriseId}`].includes(tenant),
    );
    if (!team) return;
    log.error(
      { teamId: team.teamId, enterpriseId: team.enterpriseId, unknownTeams: unknown.length },
      'Slack sends events for a team that has no installation here, as after a restore: an admin there has to install ' +
        'the app again. `npm run foyer -- list --unknown` lists all of them with a link for each',
    );
  }

  return (query) => {
    let tenant: string;
    try {
      tenant = tenantOfQuery(query);
    } catch (error) {
      if (error instanceof TenantUnclearError) return;
      throw error;
    }
    if (!isDue(tenant)) return;
    note(tenant, query).catch((error) => log.warn({ err: error, tenant }, 'could not note an unknown team'));
  };
}
