import { type FetchFunction, IncomingWebhook, IncomingWebhookHTTPError } from '@slack/webhook';
import { neverLeft } from '../../slack/slack-failure.ts';
import { operatorMessage } from '../operator-message.ts';
import {
  lookAgainIn,
  type Step,
  type StepContext,
  type StepEnd,
  StepError,
  skip,
  unconfirmed,
} from '../step.ts';

/**
 * Tells the operators of the install through their incoming webhook: who, where, new or known, and what failed.
 *
 * What may happen when it runs twice: a webhook has no memory to be searched, so a process that dies between Slack's
 * answer and our commit (one write to the database) tells it once more. No other case does: without an answer it stays
 * unconfirmed and is not repeated; an answer that says no, a 5xx included, was not posted.
 */
export const notifyOperators: Step<{ notified: true }> = {
  name: 'notify-operators',
  required: false,
  timeLimitMs: 15_000,
  maxAttempts: 8,
  async run(context) {
    const url = context.services.config.notify.slackWebhookUrl;
    if (url === undefined) return skip('not_configured', 'No place to report to is set');
    const answer: Answer = {};
    const webhook = new IncomingWebhook(url, { timeout: 8000, fetch: answeredFetch(context.signal, answer) });
    try {
      await webhook.send(operatorMessage(context));
      return { notified: true };
    } catch (error) {
      return judge(error, answer);
    }
  },
};

/** What the SDK's error leaves out. */
interface Answer {
  retryAfterMs?: number;
}

/** Fetch for the webhook that also ends with the step, and keeps how long a 429 asked to wait. */
function answeredFetch(signal: StepContext['signal'], answer: Answer): FetchFunction {
  return async (input, init) => {
    const limits = [signal, init?.signal].filter((limit) => limit !== undefined);
    const response = await fetch(input, { ...init, signal: AbortSignal.any(limits) });
    const seconds = Number(response.headers.get('retry-after'));
    answer.retryAfterMs = 1000 * (seconds >= 1 && seconds <= 3600 ? seconds : 30);
    return response;
  };
}

function judge(error: unknown, answer: Answer): StepEnd {
  if (error instanceof IncomingWebhookHTTPError) {
    const { statusCode } = error;
    if (statusCode === 429) return lookAgainIn(answer.retryAfterMs ?? 30_000);
    // The body stays out of the message: whatever stands at that address wrote it.
    const message = `The webhook answered with HTTP ${statusCode}`;
    throw new StepError(`http_${statusCode}`, message, { final: statusCode < 500, cause: error });
  }
  if (neverLeft(error)) {
    throw new StepError('connection_failed', 'The webhook could not be reached', {
      final: false,
      cause: error,
    });
  }
  return unconfirmed('no_answer', 'The webhook did not answer; the message may have arrived');
}
