import type { ExpressionBuilder } from 'kysely';
import type { Database, Queries, Tx } from './database.ts';
import { appendHistory } from './history.ts';
import type { NoticeChannel, NoticeKind, NoticeStatus, OperatorNoticeRow, Tables } from './records.ts';

/**
 * Every channel. `queueNotice` queues a notice for each channel. If a channel is not configured, Foyer drops its notice
 * when the notice is due.
 */
export const noticeChannels: readonly NoticeChannel[] = ['webhook', 'mail'];

/** An event to report to the operators. */
interface NewNotice {
  causeId: string;
  kind: Exclude<NoticeKind, 'installed' | 'channel_failed'>;
  installationId: string;
  userId: string | null;
  detail: string | null;
  now: number;
  /** When to send it; `now` by default. Set a later time if another event may soon say more about the same cause. */
  dueAt?: number;
}

/**
 * Queues a notice to the operators. Call it in the transaction that records the cause, so that the notice is queued
 * even if the process dies right after the commit. Does nothing if the cause already has a notice.
 */
export async function queueNotice(tx: Tx, notice: NewNotice): Promise<void> {
  await tx
    .insertInto('operator_notices')
    .values(
      noticeChannels.map((channel) => ({
        cause_id: notice.causeId,
        channel,
        installation_id: notice.installationId,
        kind: notice.kind,
        user_id: notice.userId,
        detail: notice.detail,
        created_at: notice.now,
        status: 'pending' as const,
        attempts: 0,
        due_at: notice.dueAt ?? notice.now,
        changed_at: notice.now,
      })),
    )
    .onConflict((conflict) => conflict.columns(['cause_id', 'channel']).doNothing())
    .execute();
}

/**
 * Records that a run's step is about to notify the operators through a channel. Returns `pending` if the caller must
 * send the notice now, and `sending` if an earlier send has no known outcome. If the notice is already sent,
 * unconfirmed or failed, returns that status and records nothing. If a person has repeated the step since the notice
 * last changed, every status except `sent` counts as `pending`.
 */
export async function beginRunNotice(
  tx: Tx,
  notice: {
    runId: string;
    stepName: string;
    channel: NoticeChannel;
    installationId: string;
    userId: string;
    now: number;
  },
): Promise<NoticeStatus> {
  const { runId, stepName, channel, now } = notice;
  const step = await tx
    .selectFrom('steps')
    .select('started_at')
    .where('run_id', '=', runId)
    .where('name', '=', stepName)
    // Makes two workers begin one after the other. Two workers can reach this line at the same time if one of them has
    // lost its lease and does not know it yet.
    .forUpdate()
    .executeTakeFirst();
  const known = await tx
    .selectFrom('operator_notices')
    .selectAll()
    .where('cause_id', '=', runId)
    .where('channel', '=', channel)
    .executeTakeFirst();
  // A step that a person repeats gets a new start time; its automatic retries keep the first start time.
  const isOfEarlierWish = known !== undefined && known.changed_at < (step?.started_at ?? 0);
  const before = known?.status ?? 'pending';
  const stood = before !== 'sent' && isOfEarlierWish ? 'pending' : before;
  if (stood === 'sent' || stood === 'unconfirmed' || stood === 'failed') return stood;
  await tx
    .insertInto('operator_notices')
    .values({
      cause_id: runId,
      channel,
      installation_id: notice.installationId,
      kind: 'installed',
      user_id: notice.userId,
      created_at: now,
      status: 'sending',
      attempts: 1,
      changed_at: now,
    })
    .onConflict((conflict) =>
      conflict.columns(['cause_id', 'channel']).doUpdateSet((eb) => ({
        status: 'sending',
        attempts: eb('operator_notices.attempts', '+', 1),
        error_code: null,
        changed_at: now,
      })),
    )
    .execute();
  return stood;
}

/**
 * Builds a condition that selects the notices of this app. Other apps in the same database notify their own operators.
 */
const isOfApp = (clientId: string) => (eb: ExpressionBuilder<Tables, 'operator_notices'>) =>
  eb.exists(
    eb
      .selectFrom('installations')
      .select('installations.id')
      .whereRef('installations.id', '=', 'operator_notices.installation_id')
      .where('installations.client_id', '=', clientId),
  );

/**
 * Claims the notice that has been due for the longest time in a channel, so that only the caller sends it. Returns the
 * notice's row as it was before the claim. In the database, the row now has the status `sending`, and is due again at
 * `leaseUntil`. If no notice is due, writes nothing and returns undefined.
 * @throws DatabaseUnavailableError
 */
export async function claimDueNotice(
  database: Database,
  claim: { clientId: string; channel: NoticeChannel; now: number; leaseUntil: number },
): Promise<OperatorNoticeRow | undefined> {
  for (;;) {
    const row = await database.queries
      .selectFrom('operator_notices')
      .selectAll()
      .where('channel', '=', claim.channel)
      .where('due_at', '<=', claim.now)
      .where(isOfApp(claim.clientId))
      .orderBy('due_at')
      .orderBy('cause_id')
      .limit(1)
      .executeTakeFirst();
    if (!row) return undefined;
    const claimed = await database.write((tx) =>
      tx
        .updateTable('operator_notices')
        .set({
          status: 'sending',
          attempts: row.attempts + 1,
          due_at: claim.leaseUntil,
          changed_at: claim.now,
        })
        .where('cause_id', '=', row.cause_id)
        .where('channel', '=', row.channel)
        // Two senders may have read the same `due_at`; only one of them can change it.
        .where('due_at', '=', row.due_at)
        .returning('cause_id')
        .executeTakeFirst(),
    );
    if (claimed) return row;
  }
}

type NoticeKey = Pick<OperatorNoticeRow, 'cause_id' | 'channel'>;

/**
 * Records how a send ended. With `dueAt`, Foyer sends the notice again at that time. Without it, only a step of a run
 * may send the notice again.
 */
export async function settleNotice(
  tx: Tx,
  { cause_id, channel }: NoticeKey,
  end: { status: NoticeStatus; errorCode: string | null; dueAt: number | null; now: number },
): Promise<void> {
  await tx
    .updateTable('operator_notices')
    .set({ status: end.status, error_code: end.errorCode, due_at: end.dueAt, changed_at: end.now })
    .where((eb) => eb.and({ cause_id, channel }))
    .execute();
}

/** Deletes a notice that is no longer needed. */
export async function dropNotice(tx: Tx, { cause_id, channel }: NoticeKey): Promise<void> {
  await tx
    .deleteFrom('operator_notices')
    .where((eb) => eb.and({ cause_id, channel }))
    .execute();
}

/**
 * Counts an app's notices that were created at or after `since`, for each status. Does not count notices about a
 * channel that failed.
 */
export async function countNotices(
  queries: Queries,
  { clientId, since }: { clientId: string; since: number },
): Promise<Record<NoticeStatus, number>> {
  const rows = await queries
    .selectFrom('operator_notices')
    .select(({ fn }) => ['status', fn.countAll<number | string | bigint>().as('count')])
    .where('created_at', '>=', since)
    .where('kind', '!=', 'channel_failed')
    .where(isOfApp(clientId))
    .groupBy('status')
    .execute();
  const counts = { pending: 0, sending: 0, sent: 0, unconfirmed: 0, failed: 0 };
  for (const row of rows) counts[row.status] = Number(row.count);
  return counts;
}

/**
 * A token often stops working because the app is being removed, and Slack reports the removal and the dead token in any
 * order. After this wait, Foyer knows whether an uninstall explains the dead token. If so, the token needs no separate
 * notice.
 */
const patienceMs = 60_000;

/**
 * Adds a line to the history about tokens that Slack refuses permanently or has revoked, and queues a notice to the
 * operators.
 */
export async function noteDeadToken(
  tx: Tx,
  token: { installationId: string; userId: string | null; detail: string; now: number },
  kind: 'token_died' | 'tokens_revoked' = 'token_died',
): Promise<void> {
  const causeId = await appendHistory(tx, { ...token, at: token.now, kind });
  await queueNotice(tx, { ...token, causeId, kind: 'token_died', dueAt: token.now + patienceMs });
}

/**
 * Counts, for each channel, an app's notices that were attempted at least once, were not delivered, and will be sent
 * again.
 */
export async function countUndelivered(
  queries: Queries,
  { clientId, now }: { clientId: string; now: number },
): Promise<Record<NoticeChannel, number>> {
  const counts = { webhook: 0, mail: 0 };
  for (const channel of noticeChannels) {
    const { count } = await queries
      .selectFrom('operator_notices')
      .select(({ fn }) => fn.countAll<number | string | bigint>().as('count'))
      .where('channel', '=', channel)
      // Only a notice that Foyer will still send has a due time, so the index of due times contains few rows.
      .where('due_at', 'is not', null)
      .where('attempts', '>', 0)
      .where(isOfApp(clientId))
      // If a notice is being sent and its due time has passed, its sender may have died, so the notice is counted.
      // Before that time, it is not.
      .where((eb) => eb.or([eb('status', '!=', 'sending'), eb('due_at', '<', now)]))
      .executeTakeFirstOrThrow();
    counts[channel] = Number(count);
  }
  return counts;
}

/** If a notice reports that a channel does not accept messages, the notice's cause id ends with this text. */
const troubleEnd = (channel: NoticeChannel): string => `${channel}/undelivered`;

/**
 * Returns the cause id for one problem: a channel does not accept an app's messages. While the problem lasts, each
 * channel has one row with this cause id. In the broken channel, the row records the problem. In the other channel, the
 * row is the notice that reports the problem. A channel cannot have two rows with the same cause id, so Foyer reports
 * the problem only once.
 */
const troubleOf = (clientId: string, channel: NoticeChannel): string => `${clientId}/${troubleEnd(channel)}`;

/** The channel that a notice of the kind `channel_failed` is about; undefined for any other cause. */
export function troubledChannel(causeId: string): NoticeChannel | undefined {
  return noticeChannels.find((channel) => causeId.endsWith(troubleEnd(channel)));
}

/** A channel that does not accept messages. */
export interface ChannelTrouble {
  channel: NoticeChannel;
  /** When the problem began. */
  since: number;
  errorCode: string | null;
}

/**
 * Records whether a channel accepts an app's messages. If the channel does not accept them, adds a notice about the
 * problem to every channel except this one, unless the notice exists already. If the channel accepts them, deletes
 * these notices.
 */
export async function recordChannelState(
  tx: Tx,
  state: {
    clientId: string;
    channel: NoticeChannel;
    works: boolean;
    installationId: string;
    errorCode: string | null;
    now: number;
  },
): Promise<void> {
  const { clientId, channel, errorCode, now } = state;
  const causeId = troubleOf(clientId, channel);
  if (state.works) {
    await tx.deleteFrom('operator_notices').where('cause_id', '=', causeId).execute();
    return;
  }
  const row = {
    ...{ cause_id: causeId, installation_id: state.installationId, kind: 'channel_failed' as const },
    ...{ user_id: null, detail: errorCode, created_at: now, changed_at: now },
  };
  await tx
    .insertInto('operator_notices')
    .values({ ...row, channel, status: 'failed', attempts: 1, error_code: errorCode, due_at: null })
    .onConflict((conflict) =>
      conflict.columns(['cause_id', 'channel']).doUpdateSet({ error_code: errorCode, changed_at: now }),
    )
    .execute();
  for (const other of noticeChannels.filter((each) => each !== channel)) {
    await tx
      .insertInto('operator_notices')
      .values({ ...row, channel: other, status: 'pending', attempts: 0, error_code: null, due_at: now })
      .onConflict((conflict) => conflict.columns(['cause_id', 'channel']).doNothing())
      .execute();
  }
}

/** Lists an app's channels that do not accept messages. */
export async function listChannelTroubles(queries: Queries, clientId: string): Promise<ChannelTrouble[]> {
  const rows = await queries
    .selectFrom('operator_notices')
    .select(['channel', 'cause_id', 'created_at', 'error_code'])
    .where(
      'cause_id',
      'in',
      noticeChannels.map((channel) => troubleOf(clientId, channel)),
    )
    .orderBy('cause_id')
    .execute();
  return rows
    .filter((row) => row.cause_id === troubleOf(clientId, row.channel))
    .map((row) => ({ channel: row.channel, since: row.created_at, errorCode: row.error_code }));
}
