import type { Tx } from '../database/database.ts';
import { findInstallsAndRemovals } from '../database/installations.ts';
import type { InstallationRow } from '../database/records.ts';
import type { RemovalOptions } from './installation-store.ts';

/**
 * Why this file: an event that ends an installation may arrive after the app was installed again (invariant 7). Its
 * only time is `event_time`, a whole second of Slack's clock. It is compared with the time at which Slack issued the
 * install's tokens, by the same clock: ours may have been wrong at the install.
 *
 * An event of an earlier second is older than the install, one of a later second newer. Within one second:
 * - Unless an uninstall was applied in that second too, the event is about the current install: no one uninstalls, goes
 *   through Slack's consent page and installs again within one second.
 * - An uninstall with the `event_id` of an applied one is a repeat. Any other one is about the current install if that
 *   is the only install of its life: the uninstall that began this life is already applied, and Slack sends one event
 *   per uninstall.
 * - Otherwise the event may be about an earlier install, and the newest stays. Losing a fresh install is worse than
 *   noticing a little later, at the first call that Slack refuses, that its token is dead. This holds for every
 *   revocation: those that go with an uninstall may come long after it.
 */

const second = (timeMs: number): number => Math.floor(timeMs / 1000);

/** Whether an event is, or may be, about an earlier install than the current one, or was applied before. */
export async function isBeforeInstall(
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

/** The time before which a person's token must have been granted or refreshed for the event to be about it. */
export async function revokedBefore(
  transaction: Tx,
  row: Pick<InstallationRow, 'id' | 'installed_at' | 'slack_installed_at'>,
  before: number | undefined,
): Promise<number | undefined> {
  if (before === undefined) return undefined;
  const sameSecond = second(before) === second(row.slack_installed_at ?? row.installed_at);
  const ambiguous = sameSecond && (await isBeforeInstall(transaction, row, { before, kind: 'revocation' }));
  return (second(before) + (ambiguous ? 0 : 1)) * 1000;
}

/** The text of a removal's history line: the reason, and the event's id if there is one. */
export function removalDetail(removal: RemovalOptions, otherwise: string): string {
  const reason = removal.reason ?? otherwise;
  return removal.eventId === undefined ? reason : reason + eventMark(removal.eventId);
}

function eventMark(eventId: string): string {
  return ` (${eventId})`;
}
