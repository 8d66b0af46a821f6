import type { Tx } from '../database/database.ts';
import { type NewNotice, queueNotice } from '../database/notices.ts';

/**
 * A token often dies because the app is being removed, and Slack tells the two in any order. Until then it can be seen
 * whether there is only the uninstall to be told.
 */
const patienceMs = 60_000;

/** Queues that the operators are told of a token that Slack refuses for good. */
export async function queueDeadTokenNotice(
  transaction: Tx,
  notice: Omit<NewNotice, 'kind' | 'dueAt'>,
): Promise<void> {
  await queueNotice(transaction, { ...notice, kind: 'token_died', dueAt: notice.now + patienceMs });
}
