import type { Tx } from '../database/database.ts';
import { type NewNotice, queueNotice } from '../database/notices.ts';

/**
 * A token often dies because the app is being removed, and Slack reports the two in any order. After this wait it is
 * known whether only the uninstall needs a notice.
 */
const patienceMs = 60_000;

/** Queues a notice to the operators about a token that Slack refuses permanently. */
export async function queueDeadTokenNotice(
  transaction: Tx,
  notice: Omit<NewNotice, 'kind' | 'dueAt'>,
): Promise<void> {
  await queueNotice(transaction, { ...notice, kind: 'token_died', dueAt: notice.now + patienceMs });
}
