import type { Tx } from '../database/database.ts';
import { eraseBotToken, eraseHomeViews, eraseUserTokens } from '../database/erase-installation.ts';
import { appendHistory } from '../database/history.ts';
import { queueNotice } from '../database/notices.ts';
import type { InstallationRow } from '../database/records.ts';
import { cancelRuns, createRun } from '../database/runs.ts';
import { queueDeadTokenNotice } from './dead-token-notice.ts';
import { isBeforeInstall, removalDetail, revokedBefore } from './event-order.ts';
import type { RemovalOptions } from './installation-store.ts';

/** One removal: the installation's row, how it was reported, and the time by our clock. */
export interface Removal {
  row: InstallationRow;
  options: RemovalOptions;
  now: number;
}

/**
 * Uninstalls: erases every token, keeps the record, and queues the run of the uninstall pipeline, whose steps are
 * `stepNames` (invariant 7: in the transaction that applies it, so once per life). Returns false if the app is already
 * uninstalled, or the event is older than the install.
 */
export async function uninstall(
  transaction: Tx,
  removal: Removal & { stepNames: readonly string[] },
): Promise<boolean> {
  const { row, options, now, stepNames } = removal;
  if (row.status === 'uninstalled') return false;
  if (await isBeforeInstall(transaction, row, { ...options, kind: 'uninstall' })) return false;
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

/** Erases the tokens of the people in `userIds`. Those granted or refreshed after the event stay. */
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

/** Erases the bot's token and marks the installation broken: people's own tokens still work. */
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
  const line = { installationId, userId: null, detail };
  const causeId = await appendHistory(transaction, { ...line, at: now, kind: 'tokens_revoked' });
  await queueDeadTokenNotice(transaction, { ...line, causeId, now });
  return true;
}
