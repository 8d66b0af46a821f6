import type { Config } from '../config/config.ts';
import type { Logger } from '../config/log.ts';
import type { Database } from '../database/database.ts';
import {
  claimDueNotice,
  dropNotice,
  noticeChannels,
  recordChannelState,
  settleNotice,
} from '../database/notices.ts';
import type { NoticeChannel, NoticeStatus, OperatorNoticeRow } from '../database/records.ts';
import { eventNotice } from './event-notice.ts';
import { openOperatorChannels } from './open-operator-channels.ts';
import { channelWorks, type OperatorChannel, type SendOutcome, statusAfter } from './operator-channel.ts';

/**
 * Sends the messages that wait in `operator_notices`: about events outside of a run, and about failed runs. Each row is
 * committed together with its cause and claimed before it is sent, so each channel reports each cause once. The
 * docstring of `notifyOperators` lists the cases in which a message may repeat. A channel that fails does not block the
 * others, and its messages are retried for a day.
 */

/**
 * After this time, another process assumes that the sender has died. A sender needs less time to send a message and
 * commit its outcome.
 */
const leaseMs = 120_000;
/** The most messages that a channel sends in one turn. The next turn sends more. */
const mostPerTurn = 25;
const keptTryingMs = 24 * 3_600_000;
/** How long messages in progress may still take when Foyer stops. */
const drainMs = 3000;

/** Creates the sender. Two processes may safely send at the same time. */
export function createNoticeSender(deps: {
  config: Pick<Config, 'app' | 'notify' | 'slack'>;
  database: Database;
  /**
   * Called with a message's new status after each attempt to send it. The status `pending` means that Foyer will try
   * again. Must not throw.
   */
  onSent?(notice: { channel: NoticeChannel; status: NoticeStatus }): void;
  now: () => number;
  log: Logger;
}) {
  const { config, database, now, log } = deps;
  const stopped = new AbortController();
  const pausedUntil = new Map<NoticeChannel, number>();
  let stopping = false;

  /** Resolves to the outcome, or undefined if there is nothing to report. */
  async function sendOne(row: OperatorNoticeRow, channel: OperatorChannel): Promise<SendOutcome | undefined> {
    const message = await eventNotice(database.queries, config.app.name, row);
    if (!message) {
      await database.write((transaction) => dropNotice(transaction, row));
      return undefined;
    }
    const wasCutOff = row.status === 'sending' && !channel.repeatable;
    const outcome: SendOutcome = wasCutOff
      ? {
          kind: 'unconfirmed',
          code: 'no_answer',
          message: 'The process died while it was sending this message',
        }
      : await channel.send(message, row.cause_id, stopped.signal);
    const dueAt = nextTryAt(outcome, row, now());
    const status = dueAt === null && statusAfter(outcome) === 'pending' ? 'failed' : statusAfter(outcome);
    const errorCode = 'code' in outcome ? outcome.code : null;
    const end = { status, errorCode, dueAt, now: now() };
    const works = wasCutOff ? undefined : channelWorks(outcome, row.attempts + 1);
    await database.write(async (transaction) => {
      await settleNotice(transaction, row, end);
      // A channel that cannot report another channel's failure is not marked as failed: otherwise two failed channels
      // would keep reporting each other.
      if (works === undefined || (!works && row.kind === 'channel_failed')) return;
      const { channel: name, installation_id: installationId } = row;
      const { clientId } = config.slack;
      const state = { clientId, channel: name, works, installationId, errorCode, now: now() };
      await recordChannelState(transaction, state);
    });
    const { channel: name, kind, cause_id: causeId } = row;
    const line = { channel: name, kind, causeId, code: errorCode ?? undefined, dueAt: dueAt ?? undefined };
    deps.onSent?.({ channel: name, status });
    if (outcome.kind === 'sent') log.info(line, 'notified the operators');
    else log[status === 'failed' ? 'error' : 'warn'](line, `the operators were not notified: ${status}`);
    return outcome;
  }

  /** If a channel does not accept a message, it gets no more messages before the next turn. */
  async function sendThrough(name: NoticeChannel, channel: OperatorChannel | undefined): Promise<void> {
    for (let sent = 0; sent < mostPerTurn && !stopping && now() >= (pausedUntil.get(name) ?? 0); sent += 1) {
      const claim = { channel: name, now: now(), leaseUntil: now() + leaseMs };
      const row = await claimDueNotice(database, { clientId: config.slack.clientId, ...claim });
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
    /** Sends the messages that are due now. @throws DatabaseUnavailableError */
    async send(): Promise<void> {
      const channels = await openOperatorChannels(config.notify);
      const opened = (name: NoticeChannel) => channels.find((channel) => channel.name === name);
      try {
        const work = noticeChannels.map((name) => sendThrough(name, opened(name)));
        const ends = await Promise.allSettled(work);
        for (const end of ends) if (end.status === 'rejected') throw end.reason;
      } finally {
        for (const channel of channels) channel.close();
      }
    },
    /** Sends no more messages, and aborts the ones in progress after three seconds. */
    stop(): void {
      stopping = true;
      setTimeout(() => stopped.abort(), drainMs).unref();
    },
  };
}

/**
 * Returns when to send a message again: ten seconds after the first failure. The wait doubles with each further
 * failure, up to half an hour. If the receiver asked to wait, returns the end of that wait. Returns null if the message
 * is not sent again.
 */
function nextTryAt(outcome: SendOutcome, row: OperatorNoticeRow, now: number): number | null {
  if (outcome.kind === 'wait') return now + outcome.delayMs;
  if (outcome.kind !== 'retry' || now - row.created_at > keptTryingMs) return null;
  return now + Math.min(30 * 60_000, 10_000 * 2 ** Math.min(row.attempts, 10));
}
