import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { Counter, collectDefaultMetrics, Histogram, Registry } from 'prom-client';
import type { Logger } from '../../config/log.ts';
import type { Database } from '../../database/database.ts';
import { type RefusalKind, refusalKinds } from '../../http/count-refusals.ts';
import { knownEventTypes, knownSlackMethods, labelOf } from './known-labels.ts';
import { addStateGauges } from './state-gauges.ts';

/**
 * Why narrow functions and no event bus: each folder declares what it can report as an optional function among its own
 * dependencies, knows nothing of metrics, and costs nothing if no one listens; `create-foyer.ts` connects the two.
 *
 * Every label has few values: a method or event that is not in the lists of `known-labels.ts` counts as `other`, so
 * nothing from outside can make the registry grow.
 */

/** What is counted. Durations are in milliseconds here and in seconds in the metrics, as Prometheus wants them. */
export interface Metrics {
  /** An OAuth attempt ended; refused: its callback was not accepted; interrupted: it was later found cut off. */
  onInstallRequest(outcome: 'installed' | 'cancelled' | 'failed' | 'refused' | 'interrupted'): void;
  /** A workspace was connected with an account of the host, by a link or a claim. */
  onConnected(via: 'link' | 'claim'): void;
  /** A run began to wait or ended. */
  onRunChanged(change: { status: string }): void;
  /** An attempt of a step ended, and left the step in this status. */
  onStepEnded(attempt: { step: string; status: string; ms: number }): void;
  onSlackCall(call: {
    method: string;
    result: 'ok' | 'error' | 'rate_limited' | 'http_error' | 'unreachable';
    ms: number;
  }): void;
  /** A request from Slack was answered; unverified: it was not from Slack, or could not be read. */
  onSlackRequest(request: {
    kind: 'event' | 'interaction' | 'unverified';
    type: string;
    status: number;
    ms: number;
  }): void;
  /** A request or connection was refused before it could cost anything. */
  onRefused(kind: RefusalKind): void;
  /** A token's renewal ended; superseded: a newer install came first; dead: it will never work again. */
  onTokenRefresh(result: 'renewed' | 'superseded' | 'failed' | 'dead'): void;
  /** `GET /metrics`, as Prometheus reads it. */
  handle(req: IncomingMessage, res: ServerResponse): Promise<void>;
}

/** Slack waits three seconds, so the buckets around that are close together. */
const acknowledgementBuckets = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 2.5, 3, 5];
const callBuckets = [0.05, 0.1, 0.25, 0.5, 1, 2, 4, 8];
const stepBuckets = [0.01, 0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 30];

/** Makes the metrics of one Foyer, with a registry of their own. `stepNames` are those of the pipeline. */
export function createMetrics(deps: {
  database: Database;
  clientId: string;
  stepNames: readonly string[];
  /** The bearer token that `/metrics` requires; undefined if it requires none. */
  token: string | undefined;
  now: () => number;
  log: Logger;
}): Metrics {
  const registry = new Registry();
  let nodeMetrics: Promise<void> | undefined;
  const counters = createCounters(registry);
  // Without an initial zero a counter is an empty vector, and an alert on it never fires.
  for (const kind of refusalKinds) counters.refused.inc({ kind }, 0);
  const readStateGauges = addStateGauges({ ...deps, registry });

  return {
    onInstallRequest: (outcome) => counters.installRequests.inc({ outcome }),
    onConnected: (via) => counters.connections.inc({ via }),
    onRunChanged({ status }) {
      if (status === 'succeeded' || status === 'failed') counters.runs.inc({ end: status });
    },
    onStepEnded({ step, status, ms }) {
      const name = labelOf(deps.stepNames, step);
      counters.steps.inc({ step: name, end: status });
      counters.stepSeconds.observe({ step: name }, ms / 1000);
    },
    onSlackCall({ method, result, ms }) {
      const name = labelOf(knownSlackMethods, method);
      counters.slackCalls.inc({ method: name, result });
      counters.slackCallSeconds.observe({ method: name }, ms / 1000);
      if (result === 'rate_limited') counters.rateLimits.inc({ method: name });
    },
    onSlackRequest({ kind, type, status, ms }) {
      counters.events.inc({ type: labelOf(knownEventTypes, type), status: String(status) });
      if (kind !== 'unverified') counters.acknowledgementSeconds.observe({ kind }, ms / 1000);
    },
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

/** Adds Node's own metrics at the first scrape: without one, nothing watches the event loop and garbage collection. */
async function addNodeMetrics(registry: Registry): Promise<void> {
  collectDefaultMetrics({ register: registry });
  // Waits for one sample of the event loop (every 10 ms): without any, the least delay is reported as 292 years.
  await sleep(25);
}

function createCounters(registry: Registry) {
  const registers = [registry];
  const counter = <Label extends string>(name: string, help: string, labelNames: Label[]) =>
    new Counter({ name, help, labelNames, registers });
  const histogram = <Label extends string>(
    name: string,
    help: string,
    labelNames: Label[],
    buckets: number[],
  ) => new Histogram({ name, help, labelNames, buckets, registers });
  return {
    installRequests: counter(
      'foyer_install_requests_total',
      'OAuth attempts that came back from Slack, by outcome',
      ['outcome'],
    ),
    connections: counter('foyer_connections_total', 'Workspaces connected to an account of the host', [
      'via',
    ]),
    runs: counter('foyer_runs_total', 'Runs that ended, by outcome', ['end']),
    steps: counter('foyer_step_attempts_total', 'Step attempts, by outcome', ['step', 'end']),
    stepSeconds: histogram(
      'foyer_step_duration_seconds',
      'Duration of one step attempt',
      ['step'],
      stepBuckets,
    ),
    slackCalls: counter('foyer_slack_calls_total', 'Calls to Slack, by method and result', [
      'method',
      'result',
    ]),
    slackCallSeconds: histogram(
      'foyer_slack_call_duration_seconds',
      'Duration of a call to Slack, including its body',
      ['method'],
      callBuckets,
    ),
    rateLimits: counter('foyer_slack_rate_limits_total', 'Calls to Slack that were rate limited', ['method']),
    events: counter(
      'foyer_slack_requests_total',
      'Events and interactions from Slack, by type and by the status of our response',
      ['type', 'status'],
    ),
    acknowledgementSeconds: histogram(
      'foyer_acknowledgement_duration_seconds',
      'How long Slack waited for our response; it gives up after three seconds',
      ['kind'],
      acknowledgementBuckets,
    ),
    refused: counter('foyer_refused_requests_total', 'Refused requests and connections, by reason', ['kind']),
    refreshes: counter('foyer_token_refreshes_total', 'Refreshes of expiring tokens, by result', ['result']),
  };
}

function isBearer(header: string | undefined, token: string): boolean {
  const hash = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(hash(header ?? ''), hash(`Bearer ${token}`));
}
