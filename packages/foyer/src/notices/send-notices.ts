import type { Config } from '../config/config.ts';
import type { Logger } from '../config/log.ts';
import type { Database } from '../database/database.ts';
import { claimDueNotice, dropNotice, noticeChannels, settleNotice } from '../database/notices.ts';
import type { NoticeChannel, OperatorNoticeRow } from '../database/records.ts';
import { eventNotice } from './event-notice.ts';
import { openOperatorChannels } from './open-operator-channels.ts';
import { type OperatorChannel, type SendOutcome, statusAfter } from './operator-channel.ts';

/**
 * Sends what waits in `operator_notices`: what happens outside of a run, and runs that failed. The row was committed
 * together with its cause, and is claimed before it is sent, so each cause is told once in each channel; what may
 * repeat is what `notify-operators` says of itself. A channel that does not work holds up no other, and is tried for a
 * day.
 */

/** Longer than a sending and the commit after it may take: then another process takes it to have died. */
const leaseMs = 120_000;
/** What is still to be sent after this many comes with the next turn. */
const mostPerTurn = 25;
const keptTryingMs = 24 * 3_600_000;
/** How long a stop waits for a sending under way. */
const drainMs = 3000;

export interface NoticeSender {
  /** Sends what is due now. @throws DatabaseUnavailableError */
  send(): Promise<void>;
  /** Begins no further sending, and ends the one under way soon. */
  stop(): void;
}

/** Makes the sender; two processes that send at once do no harm. */
export function createNoticeSender(deps: {
  config: Pick<Config, 'app' | 'notify'>;
  database: Database;
  now: () => number;
  log: Logger;
}): NoticeSender {
  const { config, database, now, log } = deps;
  const stopped = new AbortController();
  const pausedUntil = new Map<NoticeChannel, number>();
  let stopping = false;

  /** Resolves to how it went; undefined where nobody is to be told. */
  async function sendOne(row: OperatorNoticeRow, channel: OperatorChannel): Promise<SendOutcome | undefined> {
    const message = await eventNotice(database.queries, config.app.name, row);
    if (!message) {
      await database.write((transaction) => dropNotice(transaction, row));
      return undefined;
    }
    const outcome: SendOutcome =
      row.status === 'sending' && !channel.repeatable
        ? { kind: 'unconfirmed', code: 'no_answer', message: 'The process died while it was sent' }
        : await channel.send(message, row.cause_id, stopped.signal);
    const dueAt = nextTryAt(outcome, row, now());
    const status = dueAt === null && statusAfter(outcome) === 'pending' ? 'failed' : statusAfter(outcome);
    const errorCode = 'code' in outcome ? outcome.code : null;
    const end = { status, errorCode, dueAt, now: now() };
    await database.write((transaction) => settleNotice(transaction, row, end));
    const { channel: name, kind, cause_id: causeId } = row;
    const line = { channel: name, kind, causeId, code: errorCode ?? undefined, dueAt: dueAt ?? undefined };
    if (outcome.kind === 'sent') log.info(line, 'told the operators');
    else log.warn(line, `the operators were not told: ${status}`);
    return outcome;
  }

  /** A channel that does not take one is not asked for the next before the next turn. */
  async function sendThrough(name: NoticeChannel, channel: OperatorChannel | undefined): Promise<void> {
    for (let sent = 0; sent < mostPerTurn && !stopping && now() >= (pausedUntil.get(name) ?? 0); sent += 1) {
      const claim = { channel: name, now: now(), leaseUntil: now() + leaseMs };
      const row = await claimDueNotice(database, claim);
      if (!row) return;
      if (!channel) {
        await database.write((transaction) => dropNotice(transaction, row));
        continue;
      }
      const outcome = await sendOne(row, channel);
      if (outcome?.kind === 'wait') pausedUntil.set(name, now() + outcome.delayMs);
      if (outcome && outcome.kind !== 'sent') return;
    }
  }

  return {
    async send() {
      const channels = await openOperatorChannels(config.notify);
      const work = noticeChannels.map((name) =>
        sendThrough(
          name,
          channels.find((channel) => channel.name === name),
        ),
      );
      try {
        const ends = await Promise.allSettled(work);
        for (const end of ends) if (end.status === 'rejected') throw end.reason;
      } finally {
        for (const channel of channels) channel.close();
      }
    },
    stop() {
      stopping = true;
      setTimeout(() => stopped.abort(), drainMs).unref();
    },
  };
}

/** Ten seconds after the first failure, then twice as long each time, up to half an hour; null when it is settled. */
function nextTryAt(outcome: SendOutcome, row: OperatorNoticeRow, now: number): number | null {
  if (outcome.kind === 'wait') return now + outcome.delayMs;
  if (outcome.kind !== 'retry' || now - row.created_at > keptTryingMs) return null;
  return now + Math.min(30 * 60_000, 10_000 * 2 ** Math.min(row.attempts, 10));
}
