import type { Tx } from '../database/database.ts';
import { eraseBotToken, eraseHomeViews, eraseUserTokens } from '../database/erase-installation.ts';
import { appendHistory } from '../database/history.ts';
import { lockInstallation } from '../database/installations.ts';
import type { InstallationRow } from '../database/records.ts';
import { cancelRuns } from '../database/runs.ts';

/**
 * What the operator's `revoke` command writes before and after it calls Slack.
 *
 * Why it writes before the call: when an app's last token is revoked, Slack reports the app as uninstalled
 * (docs.slack.dev/reference/events/app_uninstalled), perhaps before `auth.revoke` has answered. If Foyer applied that
 * event, the uninstall pipeline would erase what the team will need when it connects again. So Foyer first records that
 * it is about to revoke. It then ignores an uninstall event from around the time of this record.
 */

const began = 'revoking the tokens';
const gaveUp = 'the tokens were not revoked';

/** The `broken_reason` of an installation whose tokens the operator revoked. */
export const revokedByOperator = 'revoked_by_operator';

/**
 * Foyer assumes that our own revocation caused an uninstall event if the event's time is in this range around the
 * revocation. The range starts before the revocation because clocks differ.
 */
const echoWithinMs = { before: 60_000, after: 5 * 60_000 };

/** Records that we are about to revoke an installation's tokens. */
export async function beginOwnRevocation(tx: Tx, installationId: string, now: number): Promise<void> {
  await appendHistory(tx, { installationId, at: now, kind: 'operator_action', userId: null, detail: began });
}

/**
 * Records that at least one token was not revoked. The app may still be installed, so Foyer no longer ignores
 * uninstall events.
 */
export async function giveUpOwnRevocation(tx: Tx, installationId: string, now: number): Promise<void> {
  await appendHistory(tx, { installationId, at: now, kind: 'operator_action', userId: null, detail: gaveUp });
}

/**
 * Erases the tokens that Slack has revoked, and marks the installation as broken; the record stays. If the app was
 * uninstalled or newer tokens were stored in the meantime, changes nothing and returns false. `version` is the version
 * of the revoked bot token; `beganAt` is the time that `beginOwnRevocation` recorded.
 */
export async function finishOwnRevocation(
  tx: Tx,
  revoked: { installationId: string; version: number; beganAt: number; now: number },
): Promise<boolean> {
  const { installationId, version, beganAt, now } = revoked;
  const row = await lockInstallation(tx, { id: installationId });
  if (!row || row.status === 'uninstalled') return false;
  if (row.sealed_bot !== null && row.version !== version) return false;
  const newer = await tx
    .selectFrom('user_tokens')
    .select('user_id')
    .where('installation_id', '=', installationId)
    .where('updated_at', '>', beganAt)
    .limit(1)
    .executeTakeFirst();
  if (newer) return false;
  await eraseBotToken(tx, { installationId, status: 'broken', reason: revokedByOperator });
  await eraseUserTokens(tx, { installationId });
  await eraseHomeViews(tx, installationId);
  await cancelRuns(tx, { installationId, reason: 'the operator revoked the tokens', now });
  const line = { installationId, at: now, userId: null, detail: 'by the operator' };
  await appendHistory(tx, { ...line, kind: 'tokens_revoked' });
  return true;
}

/**
 * Returns whether an uninstall event with the time `happenedAt` only reports that we revoked the current install's
 * tokens.
 */
export async function isEchoOfOwnRevocation(
  tx: Tx,
  row: Pick<InstallationRow, 'id' | 'installed_at'>,
  happenedAt: number,
): Promise<boolean> {
  const newest = await tx
    .selectFrom('history')
    .select(['at', 'detail'])
    .where('installation_id', '=', row.id)
    .where('kind', '=', 'operator_action')
    .where('detail', 'in', [began, gaveUp])
    .orderBy('id', 'desc')
    .limit(1)
    .executeTakeFirst();
  if (newest?.detail !== began || newest.at < row.installed_at) return false;
  const lateMs = happenedAt - newest.at;
  return lateMs >= -echoWithinMs.before && lateMs <= echoWithinMs.after;
}
