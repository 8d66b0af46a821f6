import type { Logger } from '../config/log.ts';
import type { Database } from '../database/database.ts';
import { readStatuses } from '../database/installations.ts';
import { listUnknownTeams, mostUnknownTeams, recordUnknownTeam } from '../database/unknown-teams.ts';
import { type TenantQuery, TenantUnclearError, tenantOfQuery } from '../installations/installation-store.ts';

/** Records a verified request's team if the team has no installation here. Never throws, and does not block. */
export type NoteUnknownTeam = (query: TenantQuery) => void;

/** How long Foyer waits before it looks up the same team again. */
const againAfterMs = 10 * 60_000;
/** How long Foyer waits before it reports a team: a team whose install is being committed is unknown for a moment. */
const reportAfterMs = 65_000;

/**
 * Creates the function that records teams that have the app in Slack but no installation here. After a restore, these
 * are the teams that installed the app after the backup was made. Foyer has no token for them, so it answers their
 * events with 200 and drops them. Without this function, no one would notice.
 *
 * A team that uninstalled the app is not recorded: its events are only late. Slack may send any number of events, so
 * Foyer looks up a team at most once in ten minutes, and keeps at most `mostUnknownTeams` teams in memory and in the
 * database.
 */
export function createNoteUnknownTeam(deps: {
  database: Database;
  clientId: string;
  now: () => number;
  log: Logger;
  /** Runs `work` after `reportAfterMs`. Only tests set this. */
  later?: (work: () => void) => void;
}): NoteUnknownTeam {
  const { database, clientId, now, log } = deps;
  const later = deps.later ?? ((work) => setTimeout(work, reportAfterMs).unref());
  /** When Foyer last looked up each team; the oldest lookup comes first. */
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
      'Slack sends events for a team that has no installation here, perhaps because an old backup was restored: an ' +
        'admin of the team has to install the app again. `npm run foyer -- list --unknown` lists all such teams, with ' +
        'a link for each',
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
