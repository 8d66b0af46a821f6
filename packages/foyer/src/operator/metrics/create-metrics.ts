import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { collectDefaultMetrics, Registry } from 'prom-client';
import type { Job } from '../../chores/jobs.ts';
import type { Logger } from '../../config/log.ts';
import type { Database } from '../../database/database.ts';
import type { RefusalKind } from '../../http/count-refusals.ts';
import { createCounters } from './create-counters.ts';
import {
  eventStatuses,
  type installOutcomes,
  knownEventTypes,
  knownSlackMethods,
  routeNames,
  type signInOutcomes,
  type slackResults,
  unverifiedStatuses,
} from './known-labels.ts';
import { addStateGauges } from './state-gauges.ts';

/**
 * Foyer has no event bus for metrics. Instead, the dependencies of a folder include optional functions, such as
 * `onStepEnded`, that the folder calls to report what happened. `assemble-foyer.ts` passes the functions of `Metrics`
 * for them. So no other folder depends on metrics, and a folder without such a function does no extra work.
 *
 * Every label has few values: a method or event that is not listed in `known-labels.ts` counts as `other`, so requests
 * from outside cannot make the registry grow.
 */

/**
 * What Foyer counts and measures. Durations are in milliseconds here and in seconds in the metrics, as Prometheus
 * expects.
 */
export interface Metrics {
  /**
   * An OAuth attempt ended. Some outcomes:
   * - `refused`: Foyer did not accept the callback, the gate refused the install, or the workspace belongs to another
   *   account.
   * - `unverified`: the attempt failed in a way that any stranger can cause, with an `error=` in the callback's URL or
   *   a code that Slack never issued.
   * - `interrupted`: Foyer later found that the attempt had stopped midway.
   */
  onInstallRequest(outcome: (typeof installOutcomes)[number]): void;
  /** A sign-in with Slack ended; `sign-in.ts` says what the outcomes mean. */
  onSignIn(outcome: (typeof signInOutcomes)[number]): void;
  /** A workspace was connected to an account of the host, by a link or a claim. */
  onConnected(via: 'link' | 'claim'): void;
  /** A run ended, or began to wait. */
  onRunChanged(change: { status: string }): void;
  /** An attempt of a step ended. `status` is the step's status afterwards. */
  onStepEnded(attempt: { step: string; status: string; ms: number }): void;
  /** The welcome of an install was sent. `sinceCallbackMs` is the time since the install's callback. */
  onWelcomed(sinceCallbackMs: number): void;
  onSlackCall(call: { method: string; result: (typeof slackResults)[number]; ms: number }): void;
  /**
   * A request to `/slack/events` was answered. `kind` is `unverified` if Slack had not signed the request, or if Foyer
   * could not read it.
   */
  onSlackRequest(request: {
    kind: 'event' | 'interaction' | 'unverified';
    type: string;
    status: number;
    ms: number;
  }): void;
  /** An attempt to send a message to the operators ended. `status` is `pending` if Foyer will try again. */
  onNotice(notice: { channel: string; status: string }): void;
  /** An HTTP request was answered, or its client hung up (status 0). `path` has no query. */
  onHttpRequest(request: { path: string; status: number }): void;
  /** A request or connection was refused. */
  onRefused(kind: RefusalKind): void;
  /**
   * A token refresh ended. `superseded`: newer tokens were stored first, or the old ones were erased. `dead`: the token
   * will never work again.
   */
  onTokenRefresh(result: 'renewed' | 'superseded' | 'failed' | 'dead'): void;
  /** Answers `GET /metrics` in the format that Prometheus reads. */
  handle(req: IncomingMessage, res: ServerResponse): Promise<void>;
}

/** Creates the metrics of one Foyer, with their own registry. `stepNames` lists the steps that get their own label. */
export function createMetrics(deps: {
  database: Database;
  clientId: string;
  stepNames: readonly string[];
  jobs: readonly Pick<Job, 'name' | 'everyMs'>[];
  /** The database engine: `sqlite` or `postgres`. */
  engine: string;
  /** The bearer token that `/metrics` requires; undefined if it requires none. */
  token: string | undefined;
  now: () => number;
  log: Logger;
}): Metrics {
  const registry = new Registry();
  let nodeMetrics: Promise<void> | undefined;
  const counters = createCounters(registry, deps);
  const readStateGauges = addStateGauges({ ...deps, registry });

  return {
    onInstallRequest: (outcome) => counters.installRequests.inc({ outcome }),
    onSignIn: (outcome) => counters.signIns.inc({ outcome }),
    onConnected: (via) => counters.connections.inc({ via }),
    onRunChanged({ status }) {
      if (status === 'succeeded' || status === 'failed') counters.runs.inc({ end: status });
    },
    onStepEnded({ step, status, ms }) {
      const name = labelOf(deps.stepNames, step);
      counters.steps.inc({ step: name, end: status });
      counters.stepSeconds.observe({ step: name }, ms / 1000);
    },
    onWelcomed: (sinceCallbackMs) => counters.welcomeSeconds.observe(sinceCallbackMs / 1000),
    onSlackCall({ method, result, ms }) {
      const name = labelOf(knownSlackMethods, method);
      counters.slackCalls.inc({ method: name, result });
      counters.slackCallSeconds.observe({ method: name }, ms / 1000);
      if (result === 'rate_limited') counters.rateLimits.inc({ method: name });
    },
    onSlackRequest({ kind, type, status, ms }) {
      const statuses = kind === 'unverified' ? unverifiedStatuses : eventStatuses;
      const name = kind === 'unverified' ? kind : labelOf(knownEventTypes, type);
      counters.events.inc({ type: name, status: labelOf(statuses, String(status)) });
      if (kind !== 'unverified') counters.acknowledgementSeconds.observe({ kind }, ms / 1000);
    },
    onNotice: ({ channel, status }) => counters.notices.inc({ channel, end: status }),
    onHttpRequest: ({ path, status }) =>
      counters.http.inc({
        route: routeOf(path),
        status: status === 0 ? '0' : `${Math.floor(status / 100)}xx`,
      }),
    onRefused: (kind) => counters.refused.inc({ kind }),
    onTokenRefresh: (result) => counters.refreshes.inc({ result }),

    async handle(req, res) {
      if (deps.token !== undefined && !isBearer(req.headers.authorization, deps.token)) {
        const headers = { 'WWW-Authenticate': 'Bearer', 'Cache-Control': 'no-store', 'Content-Length': 0 };
        res.writeHead(401, headers).end();
        return;
      }
      nodeMetrics ??= addNodeMetrics(registry);
      await nodeMetrics;
      await readStateGauges();
      const body = await registry.metrics();
      res.writeHead(200, { 'Content-Type': registry.contentType, 'Cache-Control': 'no-store' }).end(body);
    },
  };
}

/**
 * Adds Node's own metrics. Called on the first scrape: if no one scrapes Foyer, it need not watch its event loop and
 * garbage collection.
 */
async function addNodeMetrics(registry: Registry): Promise<void> {
  collectDefaultMetrics({ register: registry });
  // Waits for the first sample of the event loop (one every 10 ms): without a sample, the reported minimum delay is 292
  // years.
  await sleep(25);
}

function isBearer(header: string | undefined, token: string): boolean {
  const hash = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(hash(header ?? ''), hash(`Bearer ${token}`));
}

/** Returns the route of a path: `/installs` for `/installs/abc/status`. `path` has no query. */
function routeOf(path: string): (typeof routeNames)[number] {
  const exact = routeNames.find((name) => path === name || path === `${name}/`);
  if (exact) return exact;
  return (
    (['/slack/signin', '/installs', '/operator'] as const).find((name) => path.startsWith(`${name}/`)) ??
    'other'
  );
}

function labelOf(known: readonly string[], value: string): string {
  return known.includes(value) ? value : 'other';
}
