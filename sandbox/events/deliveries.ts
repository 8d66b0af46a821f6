import { randomUUID } from 'node:crypto';
import type { ActivityFeed } from '../app/activity.ts';
import type { RegisteredApp } from '../app/registered-app.ts';
import type { SandboxClock } from '../clock.ts';
import { createPoster, type PostOutcome } from './post.ts';
import { signRequest } from './sign.ts';

export type RetryReason = 'http_timeout' | 'http_error' | 'connection_failed';

/** One attempt to hand a request to the app. A retry is a delivery of its own, with a higher `retryNumber`. */
export type Delivery = {
  id: string;
  kind: 'event' | 'interaction' | 'url-verification';
  /** The event's or interaction's type, such as `app_home_opened` or `block_actions`. */
  type: string;
  /** Null for interactions. */
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

/** A request for the app, before it is signed. */
export type Parcel = Pick<Delivery, 'kind' | 'type' | 'eventId' | 'teamId' | 'enterpriseId' | 'body'> & {
  url: string;
  contentType: string;
  /** `valid` unless a test asks for something the app must refuse. */
  signature?: 'valid' | 'wrong' | 'none';
  /** Seconds; real time unless given, since receivers compare it with their own clock. */
  timestampSeconds?: number;
  /** Whether Slack would try again; only events are retried. */
  isRetried?: boolean;
};

export type Deliveries = {
  /** Signs and posts; resolves after the first attempt. Retries follow on the sandbox's clock. */
  send(parcel: Parcel): Promise<Delivery>;
  /** Newest last. */
  list(): Delivery[];
  /** Sends the same body again, newly signed, `times` times at once. Throws for an unknown id. */
  resend(id: string, options?: { times?: number }): Promise<Delivery[]>;
  /** Keeps everything back until `release`. */
  hold(): void;
  /** Sends what was held: in the order it came, reversed, or by the ids given. */
  release(order?: 'as-sent' | 'reversed' | readonly string[]): Promise<Delivery[]>;
  /** Resolves when nothing is on its way (retries that wait for the clock do not count). */
  settled(): Promise<void>;
  clear(): void;
  close(): void;
};

/** Slack's retries: nearly at once, after a minute, after five. Source: docs.slack.dev/apis/events-api */
const retryDelaysMs = [0, 60_000, 300_000];

/** How long Slack waits for an answer. */
const slackTimeoutMs = 3000;

export function createDeliveries({
  app,
  clock,
  activity,
  timeoutMs = slackTimeoutMs,
  kept = 2000,
}: {
  app: RegisteredApp;
  clock: SandboxClock;
  activity: ActivityFeed;
  timeoutMs?: number;
  /** How many deliveries the list remembers. */
  kept?: number;
}): Deliveries {
  const poster = createPoster();
  let log: Delivery[] = [];
  let held: { parcel: Parcel; delivery: Delivery }[] = [];
  let isHolding = false;
  const underway = new Set<Promise<unknown>>();
  const retries = new Set<() => void>();

  function track<T>(work: Promise<T>): Promise<T> {
    const tracked = work.finally(() => underway.delete(tracked));
    underway.add(tracked);
    return tracked;
  }

  function prepare(parcel: Parcel, retryNumber: number, retryReason: RetryReason | null): Delivery {
    const delivery: Delivery = {
      id: randomUUID(),
      ...withoutSending(parcel),
      headers: signedHeaders(parcel, app.signingSecret, retryNumber, retryReason),
      retryNumber,
      retryReason,
      sentAt: clock.now(),
      outcome: 'sending',
      status: null,
      answer: null,
      ms: null,
    };
    log.push(delivery);
    if (log.length > kept) log = log.slice(-kept);
    return delivery;
  }

  async function attempt(parcel: Parcel, delivery: Delivery): Promise<Delivery> {
    delivery.outcome = 'sending';
    const outcome = await poster.post({
      url: parcel.url,
      headers: delivery.headers,
      body: parcel.body,
      timeoutMs,
    });
    const failure = record(delivery, outcome);
    const { id: deliveryId, type } = delivery;
    activity.tell({ kind: 'delivery', deliveryId, type, outcome: delivery.outcome });
    const isRefused = outcome.kind === 'answered' && outcome.headers['x-slack-no-retry'] === '1';
    if (parcel.isRetried && failure && !isRefused) scheduleRetry(parcel, delivery, failure);
    return delivery;
  }

  function scheduleRetry(parcel: Parcel, failed: Delivery, reason: RetryReason): void {
    const delayMs = retryDelaysMs[failed.retryNumber];
    if (delayMs === undefined) return;
    const cancel = clock.schedule(clock.now() + delayMs, async () => {
      retries.delete(cancel);
      await track(attempt(parcel, prepare(parcel, failed.retryNumber + 1, reason)));
    });
    retries.add(cancel);
  }

  async function send(parcel: Parcel): Promise<Delivery> {
    const delivery = prepare(parcel, 0, null);
    if (!isHolding) return track(attempt(parcel, delivery));
    delivery.outcome = 'held';
    held.push({ parcel, delivery });
    return delivery;
  }

  return {
    send,
    list: () => [...log],
    async resend(id, { times = 1 } = {}) {
      const original = log.find((each) => each.id === id);
      if (!original) throw new Error(`There is no delivery ${id}.`);
      const parcel: Parcel = {
        ...original,
        contentType: original.headers['content-type'] ?? 'application/json',
      };
      return Promise.all(Array.from({ length: times }, () => send(parcel)));
    },
    hold() {
      isHolding = true;
    },
    async release(order = 'as-sent') {
      isHolding = false;
      const waiting = inOrder(held, order);
      held = [];
      const sent: Delivery[] = [];
      // One after the other: the order is the point.
      for (const { parcel, delivery } of waiting) {
        delivery.headers = signedHeaders(parcel, app.signingSecret, 0, null);
        sent.push(await track(attempt(parcel, delivery)));
      }
      return sent;
    },
    async settled() {
      while (underway.size > 0) await Promise.all(underway);
    },
    clear() {
      for (const cancel of retries) cancel();
      retries.clear();
      log = [];
      held = [];
      isHolding = false;
    },
    close: () => poster.close(),
  };
}

function withoutSending(parcel: Parcel) {
  const { kind, type, eventId, teamId, enterpriseId, body, url } = parcel;
  return { kind, type, eventId, teamId, enterpriseId, body, url };
}

function signedHeaders(
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
    headers['x-slack-signature'] = signRequest({
      signingSecret: secret,
      timestampSeconds,
      body: parcel.body,
    });
  }
  if (retryReason) {
    headers['x-slack-retry-num'] = String(retryNumber);
    headers['x-slack-retry-reason'] = retryReason;
  }
  return headers;
}

/** Notes what came back; returns why Slack would try again, or null when the app acknowledged. */
function record(delivery: Delivery, outcome: PostOutcome): RetryReason | null {
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

function inOrder<T extends { delivery: Delivery }>(
  waiting: T[],
  order: 'as-sent' | 'reversed' | readonly string[],
) {
  if (order === 'as-sent') return waiting;
  if (order === 'reversed') return [...waiting].reverse();
  const rank = (each: T) =>
    order.includes(each.delivery.id) ? order.indexOf(each.delivery.id) : order.length;
  return [...waiting].sort((a, b) => rank(a) - rank(b));
}
