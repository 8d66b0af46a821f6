import type { Tx } from '../database/database.ts';
import { eraseBotToken, eraseHomeViews, eraseUserTokens } from '../database/erase-installation.ts';
import { appendHistory } from '../database/history.ts';
import {
  findInstallsAndRemovals,
  inactiveCode,
  lockInstallation,
  markInstallationWorking,
  recordTeamAccess,
} from '../database/installations.ts';
import { noteDeadToken, queueNotice } from '../database/notices.ts';
import { erasedUserId } from '../database/people/erase-person.ts';
import type { InstallationRow } from '../database/records.ts';
import {
  cancelRuns,
  createRun,
  findStoppedRuns,
  findStoppedSteps,
  repeatRun,
  resumeWaitingRuns,
} from '../database/runs.ts';
import { endSessionsIn } from '../database/sessions.ts';
import { type RemovalOptions, type TenantQuery, TenantUnclearError } from './installation-store.ts';
import { endOfLastLife, startMoment } from './moments.ts';
import { isEchoOfOwnRevocation } from './own-revocation.ts';
import type { StoreContext } from './record-install.ts';

/** One removal: the row of the installation, what was reported about the removal, and the time by our clock. */
export interface Removal {
  row: InstallationRow;
  options: RemovalOptions;
  now: number;
}

/**
 * Uninstalls: erases every token and keeps the record. If the uninstall pipeline has steps (`stepNames`), queues its
 * run in the same transaction, so each uninstall has one run (invariant 7). Changes nothing and returns false in four
 * cases: the app is already uninstalled; the version of the bot's tokens is no longer `ifVersion`; the event is older
 * than the install; the event only reports the operator's own revocation.
 */
export async function uninstall(
  transaction: Tx,
  removal: Removal & { stepNames: readonly string[] },
): Promise<boolean> {
  const { row, options, now, stepNames } = removal;
  if (row.status === 'uninstalled') return false;
  if (options.ifVersion !== undefined && row.version !== options.ifVersion) return false;
  if (await isBeforeInstall(transaction, row, { ...options, kind: 'uninstall' })) return false;
  const { before } = options;
  if (before !== undefined && (await isEchoOfOwnRevocation(transaction, row, before))) return false;
  const installationId = row.id;
  await eraseBotToken(transaction, { installationId, status: 'uninstalled', now });
  await eraseUserTokens(transaction, { installationId });
  await eraseHomeViews(transaction, installationId);
  await cancelRuns(transaction, { installationId, reason: 'uninstalled', now });
  const detail = removalDetail(options, 'deleted');
  const line = { installationId, userId: null, detail };
  const causeId = await appendHistory(transaction, { ...line, at: now, kind: 'uninstalled' });
  await queueNotice(transaction, { ...line, causeId, kind: 'uninstalled', now });
  if (stepNames.length > 0) {
    const { life, installer_user_id: userId } = row;
    await createRun(transaction, { pipeline: 'uninstall', installationId, life, userId, stepNames, now });
  }
  return true;
}

/** Erases the tokens of the people in `userIds`. Tokens that were granted or refreshed after the event stay. */
export async function revokeUsers(
  transaction: Tx,
  removal: Removal & { userIds: readonly string[] },
): Promise<boolean> {
  const { row, options, now, userIds } = removal;
  const installationId = row.id;
  const updatedBefore = await revokedBefore(transaction, row, options.before);
  const erased = await eraseUserTokens(transaction, { installationId, userIds, updatedBefore });
  const detail = removalDetail(options, 'user_token');
  for (const userId of erased) {
    await appendHistory(transaction, { installationId, at: now, kind: 'tokens_revoked', userId, detail });
  }
  return erased.length > 0;
}

/** Erases the bot's token, marks the installation broken, and cancels its runs. User tokens stay. */
export async function revokeBot(
  transaction: Tx,
  removal: Removal & { botUserIds?: readonly string[] },
): Promise<boolean> {
  const { row, options, now, botUserIds } = removal;
  if (row.status === 'uninstalled' || row.sealed_bot === null || row.bot_user_id === null) return false;
  if (botUserIds && !botUserIds.includes(row.bot_user_id)) return false;
  if (await isBeforeInstall(transaction, row, { ...options, kind: 'revocation' })) return false;
  const installationId = row.id;
  await eraseBotToken(transaction, { installationId, status: 'broken', reason: 'tokens_revoked' });
  await cancelRuns(transaction, { installationId, reason: 'the bot’s token was revoked', now });
  const detail = removalDetail(options, 'bot_token');
  await noteDeadToken(transaction, { installationId, userId: null, detail, now }, 'tokens_revoked');
  return true;
}

/**
 * Marks a held installation active (`inactive-installations.ts` says what held means). Repeats the runs that failed
 * because Slack called the installation inactive: the newest install run, and the runs of the pipelines in
 * `momentKinds` that belong to the installation's current life. In each of these runs, repeats the steps that failed
 * for this reason, and the steps that were skipped because an earlier step had failed. Does not repeat the runs of
 * people who were erased. Returns false if the installation is not held, or if its tokens have another version.
 */
export async function resume(
  transaction: Tx,
  held: { installationId: string; ifVersion: number; now: number },
): Promise<boolean> {
  const { installationId, now } = held;
  const row = await lockInstallation(transaction, { id: installationId });
  if (!row || !(await markInstallationWorking(transaction, held))) return false;
  const line = { installationId, at: now, userId: null };
  await appendHistory(transaction, { ...line, kind: 'token_works', detail: null });
  for (const { id, pipeline, userId } of await findStoppedRuns(transaction, row, inactiveCode)) {
    if (userId === erasedUserId) continue;
    const stepsToRepeat = await findStoppedSteps(transaction, id, inactiveCode);
    await repeatRun(transaction, { id, installationId, pipeline, now, stepsToRepeat });
    await appendHistory(transaction, { ...line, kind: 'run_retried', detail: id });
  }
  return true;
}

const second = (timeMs: number): number => Math.floor(timeMs / 1000);

/**
 * Returns whether an event may be about an install before the current one, or was already applied.
 *
 * An event that ends an installation may arrive after the app was installed again, and must then change nothing
 * (invariant 7). The event's only time is `event_time`, a whole second of Slack's clock. Foyer compares it with the
 * time at which Slack issued the install's tokens, by the same clock: our clock may have been wrong at the install.
 *
 * An event of an earlier second is older than the install, and an event of a later second is newer. If the event and
 * the install are of the same second, Foyer follows the first of these rules that applies:
 * - If no uninstall was applied in the event's second or in a later one, the event is about the current install: no one
 *   uninstalls, goes through Slack's consent page and installs again within one second.
 * - If the event is an uninstall with the `event_id` of an applied uninstall, it is a repeat.
 * - If the event is an uninstall with another `event_id`, and there was only one install after the last applied
 *   uninstall, the event is about that install: Slack sends one event per uninstall.
 * - Otherwise the event may be about an earlier install, and Foyer keeps the current one. Losing a fresh install is
 *   worse than keeping a dead token until Slack refuses the first call with it. This rule applies to each revocation to
 *   which the first rule does not apply: Slack may send the revocations of an uninstall long after the uninstall.
 */
async function isBeforeInstall(
  transaction: Tx,
  row: Pick<InstallationRow, 'id' | 'installed_at' | 'slack_installed_at'>,
  removal: Pick<RemovalOptions, 'before' | 'eventId'> & { kind: 'uninstall' | 'revocation' },
): Promise<boolean> {
  const { before, eventId, kind } = removal;
  if (before === undefined) return false;
  const installedAt = row.slack_installed_at ?? row.installed_at;
  if (second(before) !== second(installedAt)) return second(before) < second(installedAt);
  const past = await findInstallsAndRemovals(transaction, row.id);
  const removals = past.filter((entry) => entry.kind === 'uninstalled');
  if (!removals.some((entry) => second(entry.at) >= second(before))) return false;
  if (kind === 'revocation' || eventId === undefined) return true;
  if (removals.some((entry) => entry.detail?.endsWith(eventMark(eventId)))) return true;
  const installsOfThisLife = past.findIndex((entry) => entry.kind === 'uninstalled');
  return installsOfThisLife !== 1;
}

/**
 * Returns the end of the period that a revocation covers, in milliseconds: the revocation applies only to tokens that
 * were granted or refreshed before that time. If `before` is undefined, returns undefined: the revocation then applies
 * to any token.
 */
async function revokedBefore(
  transaction: Tx,
  row: Pick<InstallationRow, 'id' | 'installed_at' | 'slack_installed_at'>,
  before: number | undefined,
): Promise<number | undefined> {
  if (before === undefined) return undefined;
  const sameSecond = second(before) === second(row.slack_installed_at ?? row.installed_at);
  const ambiguous = sameSecond && (await isBeforeInstall(transaction, row, { before, kind: 'revocation' }));
  return (second(before) + (ambiguous ? 0 : 1)) * 1000;
}

/** Returns the `detail` of a removal's entry in the history: the reason, and the event's id if there is one. */
function removalDetail(removal: RemovalOptions, otherwise: string): string {
  const reason = removal.reason ?? otherwise;
  return removal.eventId === undefined ? reason : reason + eventMark(removal.eventId);
}

function eventMark(eventId: string): string {
  return ` (${eventId})`;
}

/** A `team_access_granted` or `team_access_revoked` event. `changedAt` is its `event_time` in milliseconds. */
interface TeamAccessEvent extends Pick<StoreContext, 'clientId' | 'momentStepNames'> {
  query: TenantQuery;
  change: { teamIds: readonly string[]; granted: boolean; changedAt: number };
  now: number;
}

/**
 * Records whether an org-wide install may act in these workspaces. If the app is installed, also adds an entry to the
 * history for each change. A grant queues all runs that wait for a grant, and also the install run if it waits for an
 * answer. It starts a `workspaceGranted` run for each new workspace. A revocation ends the sessions of these
 * workspaces. Returns whether anything changed.
 * @throws TenantUnclearError if the event names no enterprise
 */
export async function changeTeamAccess(transaction: Tx, event: TeamAccessEvent): Promise<boolean> {
  const { clientId, query, change, now } = event;
  const enterpriseId = query.enterpriseId;
  if (!enterpriseId) throw new TenantUnclearError('An event about team access contains no enterprise id.');
  const installation = await lockInstallation(transaction, {
    clientId,
    tenant: `enterprise:${enterpriseId}`,
  });
  const { granted, changedAt } = change;
  const endedAt = installation ? await endOfLastLife(transaction, installation) : 0;
  const isOfLastLife = changedAt < endedAt;
  const since = isOfLastLife ? 0 : endedAt;
  const changed: string[] = [];
  for (const teamId of change.teamIds) {
    const access = { clientId, enterpriseId, teamId, granted, changedAt, since };
    if (await recordTeamAccess(transaction, access)) changed.push(teamId);
  }
  if (!installation || installation.status === 'uninstalled') return changed.length > 0;
  const installationId = installation.id;
  for (const teamId of changed) {
    const kind = granted ? ('access_granted' as const) : ('access_revoked' as const);
    await appendHistory(transaction, { installationId, at: now, kind, userId: null, detail: teamId });
  }
  if (!granted) await endSessionsIn(transaction, { installationId, teamIds: changed });
  if (granted && changed.length > 0) {
    await resumeWaitingRuns(transaction, { installationId, event: 'team_access_granted', now });
    // A run that waits for an answer can now send its question: Slack may have refused the message before, because the
    // installer was in no workspace with the app.
    await resumeWaitingRuns(transaction, { installationId, event: 'answer', pipeline: 'install', now });
    const start = { row: installation, userId: installation.installer_user_id, now };
    for (const teamId of isOfLastLife ? [] : changed) {
      await startMoment(transaction, event, { ...start, moment: { kind: 'workspaceGranted', teamId } });
    }
  }
  return changed.length > 0;
}
