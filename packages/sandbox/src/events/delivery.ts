import { createHmac } from 'node:crypto';
import type { PostOutcome } from './post.ts';

export type RetryReason = 'http_timeout' | 'http_error' | 'connection_failed';

/** One attempt to deliver a request to the app. A retry is a separate delivery, with a higher `retryNumber`. */
export type Delivery = {
  id: string;
  kind: 'event' | 'interaction' | 'url-verification';
  /** The event's or interaction's type, such as `app_home_opened` or `block_actions`. */
  type: string;
  /** Null if the request is not an event. */
  eventId: string | null;
  teamId: string | null;
  enterpriseId: string | null;
  url: string;
  headers: Record<string, string>;
  body: string;
  /** 0 for the first attempt, 1 to 3 for Slack's retries. */
  retryNumber: number;
  retryReason: RetryReason | null;
  sentAt: number;
  outcome: 'held' | 'sending' | 'acknowledged' | RetryReason;
  status: number | null;
  answer: string | null;
  ms: number | null;
};

/** A request that the sandbox is going to sign and send to the app. */
export type Parcel = Pick<Delivery, 'kind' | 'type' | 'eventId' | 'teamId' | 'enterpriseId' | 'body'> & {
  url: string;
  contentType: string;
  /** `valid` by default. With `wrong` or `none`, a test checks that the app refuses the request. */
  signature?: 'valid' | 'wrong' | 'none';
  /** In seconds. By default the real time, since receivers compare it with their own clock. */
  timestampSeconds?: number;
  /** Whether Slack retries a failed delivery: it retries only events. */
  isRetried?: boolean;
};

export function withoutSending(parcel: Parcel) {
  const { kind, type, eventId, teamId, enterpriseId, body, url } = parcel;
  return { kind, type, eventId, teamId, enterpriseId, body, url };
}

export function signedHeaders(
  parcel: Parcel,
  signingSecret: string,
  retryNumber: number,
  retryReason: RetryReason | null,
): Record<string, string> {
  const timestampSeconds = parcel.timestampSeconds ?? Math.floor(Date.now() / 1000);
  const headers: Record<string, string> = {
    'content-type': parcel.contentType,
    'user-agent': 'Slackbot 1.0 (+https://api.slack.com/robots)',
    accept: '*/*',
  };
  if (parcel.signature !== 'none') {
    const secret = parcel.signature === 'wrong' ? `not-${signingSecret}` : signingSecret;
    headers['x-slack-request-timestamp'] = String(timestampSeconds);
    // Slack's v0 request signature. Source: docs.slack.dev/authentication/verifying-requests-from-slack
    const signed = createHmac('sha256', secret).update(`v0:${timestampSeconds}:${parcel.body}`);
    headers['x-slack-signature'] = `v0=${signed.digest('hex')}`;
  }
  if (retryReason) {
    headers['x-slack-retry-num'] = String(retryNumber);
    headers['x-slack-retry-reason'] = retryReason;
  }
  return headers;
}

/** Records the outcome. Returns why Slack would retry, or null if the app acknowledged the request. */
export function recordOutcome(delivery: Delivery, outcome: PostOutcome): RetryReason | null {
  delivery.ms = outcome.ms;
  if (outcome.kind === 'answered') {
    delivery.status = outcome.status;
    delivery.answer = outcome.body.slice(0, 4000);
  }
  if (outcome.kind === 'connection-failed') delivery.answer = outcome.message;
  const failure = failureOf(outcome);
  delivery.outcome = failure ?? 'acknowledged';
  return failure;
}

function failureOf(outcome: PostOutcome): RetryReason | null {
  if (outcome.kind === 'timeout') return 'http_timeout';
  if (outcome.kind === 'connection-failed') return 'connection_failed';
  return outcome.status >= 200 && outcome.status < 300 ? null : 'http_error';
}

export function inOrder<T extends { delivery: Delivery }>(
  waiting: T[],
  order: 'as-sent' | 'reversed' | readonly string[],
) {
  if (order === 'as-sent') return waiting;
  if (order === 'reversed') return [...waiting].reverse();
  const rank = (each: T) =>
    order.includes(each.delivery.id) ? order.indexOf(each.delivery.id) : order.length;
  return [...waiting].sort((a, b) => rank(a) - rank(b));
}
