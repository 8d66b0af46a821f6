import type { NoticeChannel, NoticeStatus } from '../database/records.ts';
import type { OperatorMessage } from './operator-message.ts';

/**
 * How one sending ended. wait: the other side asked to; retry: it was not taken, and may be later; failed: it will not
 * be; unconfirmed: it may have been taken.
 */
export type SendOutcome =
  | { kind: 'sent' }
  | { kind: 'wait'; delayMs: number }
  | { kind: 'retry' | 'failed' | 'unconfirmed'; code: string; message: string };

/** A way to the operators. */
export interface OperatorChannel {
  readonly name: NoticeChannel;
  /** Whether a message that is sent twice can be told from two, so that one of unknown outcome may be sent again. */
  readonly repeatable: boolean;
  /** Sends one message; `causeId` is the same whenever the same is told. Never throws, and ends with the signal. */
  send(message: OperatorMessage, causeId: string, signal: AbortSignal): Promise<SendOutcome>;
  /** Ends its connections. */
  close(): void;
}

/** The step of an install's run that notifies the operators. Permanent: it is in the database. */
export const notifyStepName = 'notify-operators';

/** The row's status that an outcome leads to. */
export function statusAfter(outcome: SendOutcome): NoticeStatus {
  return outcome.kind === 'wait' || outcome.kind === 'retry' ? 'pending' : outcome.kind;
}
