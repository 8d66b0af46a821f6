import type { Logger } from '../config/log.ts';
import type { Database, Tx } from '../database/database.ts';
import { lockInstallation } from '../database/installations.ts';
import { queueNotice } from '../database/notices.ts';
import { moveTeam, renameTeam } from '../database/people.ts';
import { tenantOfQuery } from '../installations/tenant.ts';
import type { Effect } from './lifecycle-events.ts';
import { idOf } from './slack-request.ts';

/**
 * The events that change what a team is called and where it belongs, and the one that says that Slack holds events back. Each reads only its own fields: one that is absent or of another type leaves the stored value as it is.
 */

/** One notice an hour for each installation: Slack sends `app_rate_limited` every minute. */
const noticeEveryMs = 3_600_000;

/** Makes what these events change, by their types. */
export function createKeepNames(deps: {
  database: Database;
  clientId: string;
  now: () => number;
  log: Logger;
}): ReadonlyMap<string, Effect> {
  const { database, clientId, now, log } = deps;

  const rename: Effect = async ({ event, query, happenedAt, removal }) => {
    const { teamId } = query;
    const name = textOf(event.fields.name);
    const domain = textOf(event.fields.domain);
    // An org-wide install is called what its enterprise is called.
    if (teamId === undefined || query.isEnterpriseInstall || (name ?? domain) === null) return false;
    const renamed = { clientId, teamId, name, domain, at: happenedAt };
    return database.write((tx) => renameTeam(tx, renamed), removal.patienceMs);
  };

  const moveToEnterprise: Effect = async ({ event, query, happenedAt, removal }) => {
    const { teamId } = query;
    const enterpriseId = idOf(event.fields.enterprise_id);
    if (teamId === undefined || query.isEnterpriseInstall || enterpriseId === undefined) return false;
    const moved = { clientId, teamId, enterpriseId, at: happenedAt };
    return database.write((tx) => moveTeam(tx, moved), removal.patienceMs);
  };

  const holdBack: Effect = async ({ event, query, happenedAt, removal }) => {
    log.warn({ ...query, event: event.type }, 'Slack holds back events of a team: too many in an hour');
    return database.write(
      (tx) => queueHeldBack(tx, { tenant: tenantOfQuery(query), happenedAt }),
      removal.patienceMs,
    );
  };

  async function queueHeldBack(tx: Tx, { tenant, happenedAt }: { tenant: string; happenedAt: number }) {
    const row = await lockInstallation(tx, { clientId, tenant });
    if (!row || row.status === 'uninstalled') return false;
    const hour = Math.floor(happenedAt / noticeEveryMs);
    await queueNotice(tx, {
      causeId: `${row.id}/rate_limited/${hour}`,
      kind: 'rate_limited',
      installationId: row.id,
      userId: null,
      detail: 'app_rate_limited',
      now: now(),
    });
    return false;
  }

  return new Map<string, Effect>([
    ['team_rename', rename],
    ['team_domain_change', rename],
    // At its start the team is still its own; the log says that it is under way.
    ['grid_migration_started', async () => false],
    ['grid_migration_finished', moveToEnterprise],
    ['app_rate_limited', holdBack],
  ]);
}

/** A name without control characters, which Postgres refuses in part; null if nothing else is left. */
function textOf(value: unknown): string | null {
  return typeof value === 'string' ? value.replace(/\p{Cc}+/gu, ' ').trim() || null : null;
}
