import type { NoticeChannel, NoticeStatus } from '../database/records.ts';
import type { OperatorMessage } from './operator-message.ts';

/**
 * The outcome of one message. wait: the receiver asked to wait; retry: the receiver may accept the message later;
 * failed: the receiver will never accept it; unconfirmed: the receiver may have accepted it.
 */
export type SendOutcome =
  | { kind: 'sent' }
  | { kind: 'wait'; delayMs: number }
  | { kind: 'retry' | 'failed' | 'unconfirmed'; code: string; message: string };

/** A way to reach the operators. */
export interface OperatorChannel {
  readonly name: NoticeChannel;
  /** Whether receivers can recognize a duplicate. If so, a message whose outcome is unknown may be sent again. */
  readonly repeatable: boolean;
  /** Sends one message. Messages about one cause share a `causeId`. Never throws; stops when the signal aborts. */
  send(message: OperatorMessage, causeId: string, signal: AbortSignal): Promise<SendOutcome>;
  close(): void;
}

/** The step of an install's run that notifies the operators. Never change the name: the database stores it. */
export const notifyStepName = 'notify-operators';

/** Returns the status that a row of `operator_notices` gets after an outcome. */
export function statusAfter(outcome: SendOutcome): NoticeStatus {
  return outcome.kind === 'wait' || outcome.kind === 'retry' ? 'pending' : outcome.kind;
}

/** If sending a message can be retried, the channel counts as failed after more than this many failed attempts. */
const hiccups = 4;

/**
 * Returns true if an outcome shows that the channel works, false if it shows that the channel has failed, else
 * undefined.
 */
export function channelWorks(outcome: SendOutcome, attempts: number): boolean | undefined {
  switch (outcome.kind) {
    case 'sent':
      return true;
    case 'wait':
      return undefined;
    case 'retry':
      return attempts > hiccups ? false : undefined;
    case 'failed':
    case 'unconfirmed':
      return false;
  }
}
