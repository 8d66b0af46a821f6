import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import { foyerVersion } from '../../config/version.ts';
import { noticeChannels } from '../../database/notices.ts';
import { refusalKinds } from '../../http/count-refusals.ts';
import {
  eventStatuses,
  httpStatuses,
  installOutcomes,
  knownEventTypes,
  knownSlackMethods,
  noticeEnds,
  routeNames,
  signInOutcomes,
  slackResults,
  stepEnds,
  unverifiedStatuses,
} from './known-labels.ts';

/** Slack waits three seconds for an answer, so the buckets near three seconds are close together. */
const acknowledgementBuckets = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 2.5, 3, 5];
const callBuckets = [0.05, 0.1, 0.25, 0.5, 1, 2, 4, 8];
const stepBuckets = [0.01, 0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 30];
/** The objective is 30 seconds: `operations/alerts.yml` uses that bucket. */
const welcomeBuckets = [1, 2, 5, 10, 20, 30, 60, 120, 300, 900, 3600];

type LabelValues<Label extends string> = Readonly<Record<Label, readonly string[]>>;

/**
 * Adds all counters and histograms to the registry.
 *
 * Why each combination of labels starts at zero: if a counter first appears with the value 1, Prometheus sees no
 * increase, and a query for a counter that never appears returns an empty vector. In both cases an alert stays silent:
 * once, 61 installs failed in a row and no one was alerted.
 */
export function createCounters(registry: Registry, known: { stepNames: readonly string[]; engine: string }) {
  const registers = [registry];
  function counter<Label extends string>(name: string, help: string, values: LabelValues<Label>) {
    const made = new Counter({ name, help, labelNames: labelsOf(values), registers });
    for (const labels of combinations(values)) made.inc(labels, 0);
    return made;
  }
  function histogram<Label extends string>(
    name: string,
    help: string,
    values: LabelValues<Label>,
    buckets: number[],
  ) {
    const made = new Histogram({ name, help, labelNames: labelsOf(values), buckets, registers });
    for (const labels of combinations(values)) made.zero(labels);
    return made;
  }
  const step = known.stepNames;
  const method = [...knownSlackMethods, 'other'];

  const counters = {
    installRequests: counter(
      'foyer_install_requests_total',
      'OAuth attempts that came back from Slack, by outcome',
      { outcome: installOutcomes },
    ),
    signIns: counter('foyer_sign_ins_total', 'Sign-ins with Slack that ended, by outcome', {
      outcome: signInOutcomes,
    }),
    connections: counter('foyer_connections_total', 'Workspaces connected to an account of the host', {
      via: ['link', 'claim'],
    }),
    runs: counter('foyer_runs_total', 'Runs that ended, by outcome', { end: ['succeeded', 'failed'] }),
    steps: counter('foyer_step_attempts_total', 'Step attempts, by outcome', { step, end: stepEnds }),
    stepSeconds: histogram(
      'foyer_step_duration_seconds',
      'Duration of one step attempt',
      { step },
      stepBuckets,
    ),
    welcomeSeconds: histogram(
      'foyer_welcome_seconds',
      'Time from an install’s OAuth callback to its welcome message. Omits org-wide installs, which wait for access',
      {},
      welcomeBuckets,
    ),
    slackCalls: counter('foyer_slack_calls_total', 'Calls to Slack, by method and result', {
      method,
      result: slackResults,
    }),
    slackCallSeconds: histogram(
      'foyer_slack_call_duration_seconds',
      'Duration of a call to Slack, until the whole response has arrived',
      { method },
      callBuckets,
    ),
    rateLimits: counter('foyer_slack_rate_limits_total', 'Calls to Slack that were rate limited', { method }),
    events: counter(
      'foyer_slack_requests_total',
      'Events and interactions, by type (unverified if Foyer could not verify the sender) and response status',
      { type: [...knownEventTypes, 'other'], status: eventStatuses },
    ),
    acknowledgementSeconds: histogram(
      'foyer_acknowledgement_duration_seconds',
      'How long Slack waited for our response; it gives up after three seconds',
      { kind: ['event', 'interaction'] },
      acknowledgementBuckets,
    ),
    http: counter('foyer_http_requests_total', 'HTTP requests, by route and status class', {
      route: routeNames,
      status: httpStatuses,
    }),
    notices: counter(
      'foyer_notices_total',
      'Attempts to notify the operators of an event, by outcome (pending if Foyer will try again)',
      { channel: noticeChannels, end: noticeEnds },
    ),
    refused: counter('foyer_refused_requests_total', 'Refused requests and connections, by reason', {
      kind: refusalKinds,
    }),
    refreshes: counter('foyer_token_refreshes_total', 'Refreshes of expiring tokens, by result', {
      result: ['renewed', 'superseded', 'failed', 'dead'],
    }),
  };
  for (const status of unverifiedStatuses) counters.events.inc({ type: 'unverified', status }, 0);
  new Gauge({
    name: 'foyer_build_info',
    help: 'Always 1; the labels are the version of slack-foyer, the version of Node.js and the database engine',
    labelNames: ['version', 'node', 'engine'],
    registers,
  }).set({ version: foyerVersion, node: process.version, engine: known.engine }, 1);
  return counters;
}

// The cast is needed: TypeScript cannot express that an object has no other keys.
const labelsOf = <Label extends string>(values: LabelValues<Label>) => Object.keys(values) as Label[];

function combinations<Label extends string>(values: LabelValues<Label>): Partial<Record<Label, string>>[] {
  return labelsOf(values).reduce<Partial<Record<Label, string>>[]>(
    (found, label) =>
      found.flatMap((labels) => values[label].map((value) => ({ ...labels, [label]: value }))),
    [{}],
  );
}
