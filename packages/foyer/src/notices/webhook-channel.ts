import { type FetchFunction, IncomingWebhook, IncomingWebhookHTTPError } from '@slack/webhook';
import { neverLeft } from '../slack/slack-failure.ts';
import type { OperatorChannel, SendOutcome } from './operator-channel.ts';
import { webhookMessage } from './operator-message.ts';

const timeoutMs = 8000;

/**
 * Notifies the operators through a Slack incoming webhook. Foyer cannot look up which messages a webhook has posted, so
 * it does not resend a message that may have arrived. An error status, including a 5xx, means that Slack did not post
 * the message.
 */
export function createWebhookChannel(url: string): OperatorChannel {
  return {
    name: 'webhook',
    repeatable: false,
    async send(message, _causeId, signal) {
      const answer: Answer = {};
      const webhook = new IncomingWebhook(url, { timeout: timeoutMs, fetch: answeredFetch(signal, answer) });
      try {
        await webhook.send(webhookMessage(message));
        return { kind: 'sent' };
      } catch (error) {
        return outcomeOf(error, answer);
      }
    },
    close() {},
  };
}

/** What Foyer reads from the webhook's answer itself, because the SDK's error does not contain it. */
interface Answer {
  retryAfterMs?: number;
}

/**
 * Makes a fetch for the webhook. It stops when the caller's signal aborts, and records the `retry-after` of the answer,
 * which Foyer uses after a 429.
 */
function answeredFetch(signal: AbortSignal, answer: Answer): FetchFunction {
  return async (input, init) => {
    const limits = [signal, init?.signal].filter((limit) => limit != null);
    const response = await fetch(input, { ...init, signal: AbortSignal.any(limits) });
    const seconds = Number(response.headers.get('retry-after'));
    answer.retryAfterMs = 1000 * (seconds >= 1 && seconds <= 3600 ? seconds : 30);
    return response;
  };
}

function outcomeOf(error: unknown, answer: Answer): SendOutcome {
  if (error instanceof IncomingWebhookHTTPError) {
    const { statusCode } = error;
    if (statusCode === 429) return { kind: 'wait', delayMs: answer.retryAfterMs ?? 30_000 };
    // The error message does not quote the body of the answer: any server may be behind the URL.
    const message = `The webhook answered with HTTP ${statusCode}`;
    return { kind: statusCode < 500 ? 'failed' : 'retry', code: `http_${statusCode}`, message };
  }
  if (neverLeft(error)) {
    return { kind: 'retry', code: 'connection_failed', message: 'The webhook could not be reached' };
  }
  const message = 'The webhook did not answer; the message may have arrived';
  return { kind: 'unconfirmed', code: 'no_answer', message };
}
