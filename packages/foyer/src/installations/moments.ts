import { sql } from 'kysely';
import type { Queries, Tx } from '../database/database.ts';
import { findGrantedTeams, findInstallsAndRemovals } from '../database/installations.ts';
import { type Given, prepareQuery } from '../database/prepared-query.ts';
import type { InstallationRow, Moment, MomentKind } from '../database/records.ts';
import { createRun } from '../database/runs.ts';

/**
 * The names of the steps of each kind of `Moment` (something that happens to an installation after its install), in
 * order.
 */
export type MomentStepNames = Readonly<Partial<Record<MomentKind, readonly string[]>>>;

interface Steps {
  readonly momentStepNames?: MomentStepNames;
}

type Installed = Pick<InstallationRow, 'id' | 'life' | 'bot_scopes'>;

/**
 * Queues the run for a moment and returns true; returns false if the app defines no steps for that kind of moment. Call
 * this function in the transaction that records the moment's cause, with the installation's row locked: the cause and
 * the run are then committed together, and a crash cannot lose the run. `userId` is the person to whom the run belongs.
 */
export async function startMoment(
  tx: Tx,
  { momentStepNames }: Steps,
  start: { row: Installed; userId: string; moment: Moment; now: number },
): Promise<boolean> {
  const { row, userId, moment, now } = start;
  const stepNames = momentStepNames?.[moment.kind] ?? [];
  if (stepNames.length === 0) return false;
  const { id: installationId, life } = row;
  await createRun(tx, { pipeline: moment.kind, installationId, life, userId, stepNames, moment, now });
  return true;
}

/**
 * Returns the scopes that an install added to the bot's earlier ones. Returns an empty list if the app was
 * uninstalled, or had no bot, before this install.
 */
export function addedScopes(known: Installed, row: Installed): readonly string[] {
  if (known.life !== row.life || known.bot_scopes === null || row.bot_scopes === null) return [];
  const before = JSON.parse(known.bot_scopes) as string[];
  return (JSON.parse(row.bot_scopes) as string[]).filter((scope) => !before.includes(scope));
}

/**
 * Returns when the installation was last uninstalled, in milliseconds, rounded down to a second; zero if it never was.
 * At that time, the installation's previous life ended. A grant with an earlier `event_time` belongs to an earlier
 * life, and Slack may report it again. A grant with a later `event_time` may belong to the current life, even if Slack
 * reported the grant before the install was stored.
 */
export async function endOfLastLife(queries: Queries, row: Pick<Installed, 'id' | 'life'>): Promise<number> {
  if (row.life === 1) return 0;
  const past = await findInstallsAndRemovals(queries, row.id);
  const endedAt = past.find(({ kind }) => kind === 'uninstalled')?.at ?? 0;
  return Math.floor(endedAt / 1000) * 1000;
}

/**
 * Queues a `workspaceGranted` run for each workspace whose grant Slack reported before Foyer stored the org-wide
 * install.
 */
export async function startEarlyGrants(
  tx: Tx,
  context: Steps & { readonly clientId: string },
  { row, userId, now }: { row: Installed & { enterprise_id: string | null }; userId: string; now: number },
): Promise<void> {
  if (row.enterprise_id === null || !context.momentStepNames?.workspaceGranted?.length) return;
  const since = await endOfLastLife(tx, row);
  const search = { clientId: context.clientId, enterpriseId: row.enterprise_id, since };
  for (const teamId of await findGrantedTeams(tx, search)) {
    await startMoment(tx, context, { row, userId, moment: { kind: 'workspaceGranted', teamId }, now });
  }
}

interface Opener {
  clientId: string;
  tenant: string;
  userId: string;
}

const selectUnopened = prepareQuery((queries: Queries, given: Given<Opener>) =>
  queries
    .selectFrom('installations')
    .select(['id', 'life', 'bot_scopes', 'installed_at', 'slack_installed_at'])
    .where('client_id', '=', given.clientId)
    .where('tenant', '=', given.tenant)
    .where('status', '=', 'active')
    .where((eb) =>
      eb.not(
        eb.exists(
          eb
            .selectFrom('runs')
            .select('runs.id')
            .whereRef('runs.installation_id', '=', 'installations.id')
            .whereRef('runs.life', '=', 'installations.life')
            .where('runs.user_id', '=', given.userId)
            // A literal: with a parameter, the databases would not use the partial index on these runs.
            .where('runs.pipeline', '=', sql.lit('opened')),
        ),
      ),
    ),
);

/**
 * Returns the active installation if no `opened` run exists for the member yet; else undefined. Runs from before the
 * last uninstall do not count. Also returns undefined if the opening is older than the install: a stale event changes
 * nothing (invariant 7).
 */
export async function findUnopened(
  queries: Queries,
  opening: Opener & { openedAt: number },
): Promise<Installed | undefined> {
  const { openedAt, ...opener } = opening;
  const [row] = (await selectUnopened(queries, opener)).rows;
  if (!row) return undefined;
  const installedAt = row.slack_installed_at ?? row.installed_at;
  return Math.floor(openedAt / 1000) < Math.floor(installedAt / 1000) ? undefined : row;
}
