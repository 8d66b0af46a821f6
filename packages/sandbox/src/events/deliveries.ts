import { randomUUID } from 'node:crypto';
import type { ActivityFeed } from '../app/activity.ts';
import type { RegisteredApp } from '../app/registered-app.ts';
import type { SandboxClock } from '../clock.ts';
import {
  type Delivery,
  inOrder,
  type Parcel,
  type RetryReason,
  recordOutcome,
  signedHeaders,
  withoutSending,
} from './delivery.ts';
import { createPoster } from './post.ts';

/** Slack retries immediately, one minute later, and five minutes after that. Source: docs.slack.dev/apis/events-api */
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
  /** The list keeps at least this many of the newest deliveries. */
  kept?: number;
}) {
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
    if (log.length > kept * 1.2) log = log.slice(-kept);
    return delivery;
  }

  async function attempt(parcel: Parcel, delivery: Delivery): Promise<Delivery> {
    delivery.outcome = 'sending';
    const { url, body } = parcel;
    const outcome = await poster.post({ url, headers: delivery.headers, body, timeoutMs });
    const failure = recordOutcome(delivery, outcome);
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

  /** Signs and posts a request. Resolves after the first attempt, or immediately while `hold` is in effect. */
  async function send(parcel: Parcel): Promise<Delivery> {
    const delivery = prepare(parcel, 0, null);
    if (!isHolding) return track(attempt(parcel, delivery));
    delivery.outcome = 'held';
    held.push({ parcel, delivery });
    return delivery;
  }

  return {
    send,
    /** Newest last. */
    list: (): Delivery[] => [...log],
    /** Sends the same body `times` more times in parallel, each with a new signature. Throws for an unknown id. */
    async resend(id: string, { times = 1 }: { times?: number } = {}): Promise<Delivery[]> {
      const original = log.find((each) => each.id === id);
      if (!original) throw new Error(`There is no delivery ${id}.`);
      const parcel: Parcel = {
        ...original,
        contentType: original.headers['content-type'] ?? 'application/json',
      };
      return Promise.all(Array.from({ length: times }, () => send(parcel)));
    },
    /** Holds all new deliveries until `release`, but still sends retries of earlier ones. */
    hold(): void {
      isHolding = true;
    },
    /**
     * Sends the held deliveries in the original or reversed order. A list of ids names the deliveries to send first.
     * The other held deliveries follow.
     */
    async release(order: 'as-sent' | 'reversed' | readonly string[] = 'as-sent'): Promise<Delivery[]> {
      isHolding = false;
      const waiting = inOrder(held, order);
      held = [];
      const sent: Delivery[] = [];
      // Sends one delivery after the other, so that they arrive in the requested order.
      for (const { parcel, delivery } of waiting) {
        delivery.headers = signedHeaders(parcel, app.signingSecret, 0, null);
        sent.push(await track(attempt(parcel, delivery)));
      }
      return sent;
    },
    /** Resolves when no delivery is in flight. Retries that are scheduled for later do not count. */
    async settled(): Promise<void> {
      while (underway.size > 0) await Promise.all(underway);
    },
    clear(): void {
      for (const cancel of retries) cancel();
      retries.clear();
      log = [];
      held = [];
      isHolding = false;
    },
    close: (): void => poster.close(),
  };
}

export type Deliveries = ReturnType<typeof createDeliveries>;
