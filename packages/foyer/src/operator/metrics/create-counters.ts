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

/** Slack waits three seconds, so the buckets around that are close together. */
const acknowledgementBuckets = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 2.5, 3, 5];
const callBuckets = [0.05, 0.1, 0.25, 0.5, 1, 2, 4, 8];
const stepBuckets = [0.01, 0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 30];
/** The objective is 30 seconds: `operations/alerts.yml` reads that bucket. */
const welcomeBuckets = [1, 2, 5, 10, 20, 30, 60, 120, 300, 900, 3600];

/**
 * Adds all counters to the registry.
 *
 * Why each combination of labels starts at zero: Prometheus sees no increase in a counter that first appears with the
 * value 1, and one that never appears makes an empty vector. An alert on either stays silent: once, 61 installs failed
 * in a row and no one was alerted.
 */
export function createCounters(registry: Registry, known: { stepNames: readonly string[]; engine: string }) {
  const registers = [registry];
  const counter = <Label extends string>(name: string, help: string, labelNames: Label[]) =>
    new Counter({ name, help, labelNames, registers });
  const histogram = <Label extends string>(
    name: string,
    help: string,
    labelNames: Label[],
    buckets: number[],
  ) => new Histogram({ name, help, labelNames, buckets, registers });

  const counters = {
    installRequests: counter(
      'foyer_install_requests_total',
      'OAuth attempts that came back from Slack, by outcome',
      ['outcome'],
    ),
    signIns: counter('foyer_sign_ins_total', 'Sign-ins with Slack that ended, by outcome', ['outcome']),
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
    welcomeSeconds: histogram(
      'foyer_welcome_seconds',
      'Time from the callback of an install to its welcome; org-wide installs, which wait for access, are left out',
      [],
      welcomeBuckets,
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
      'Events and interactions from Slack, by type and by the status of our response; unverified: not from Slack',
      ['type', 'status'],
    ),
    acknowledgementSeconds: histogram(
      'foyer_acknowledgement_duration_seconds',
      'How long Slack waited for our response; it gives up after three seconds',
      ['kind'],
      acknowledgementBuckets,
    ),
    http: counter('foyer_http_requests_total', 'Answered HTTP requests, by route and class of status', [
      'route',
      'status',
    ]),
    notices: counter(
      'foyer_notices_total',
      'Attempts to notify the operators of an event, by outcome; pending: it is tried again',
      ['channel', 'end'],
    ),
    refused: counter('foyer_refused_requests_total', 'Refused requests and connections, by reason', ['kind']),
    refreshes: counter('foyer_token_refreshes_total', 'Refreshes of expiring tokens, by result', ['result']),
  };

  for (const outcome of installOutcomes) counters.installRequests.inc({ outcome }, 0);
  for (const outcome of signInOutcomes) counters.signIns.inc({ outcome }, 0);
  for (const via of ['link', 'claim']) counters.connections.inc({ via }, 0);
  for (const end of ['succeeded', 'failed']) counters.runs.inc({ end }, 0);
  for (const step of known.stepNames) {
    for (const end of stepEnds) counters.steps.inc({ step, end }, 0);
    counters.stepSeconds.zero({ step });
  }
  for (const method of [...knownSlackMethods, 'other']) {
    for (const result of slackResults) counters.slackCalls.inc({ method, result }, 0);
    counters.slackCallSeconds.zero({ method });
    counters.rateLimits.inc({ method }, 0);
  }
  for (const type of [...knownEventTypes, 'other']) {
    const statuses = type === 'unverified' ? unverifiedStatuses : eventStatuses;
    for (const status of statuses) counters.events.inc({ type, status }, 0);
  }
  for (const kind of ['event', 'interaction']) counters.acknowledgementSeconds.zero({ kind });
  for (const route of routeNames) for (const status of httpStatuses) counters.http.inc({ route, status }, 0);
  for (const channel of noticeChannels)
    for (const end of noticeEnds) counters.notices.inc({ channel, end }, 0);
  for (const kind of refusalKinds) counters.refused.inc({ kind }, 0);
  for (const result of ['renewed', 'superseded', 'failed', 'dead']) counters.refreshes.inc({ result }, 0);
  new Gauge({
    name: 'foyer_build_info',
    help: 'Always 1: the version of slack-foyer, the Node that runs it, and the engine of its database',
    labelNames: ['version', 'node', 'engine'],
    registers,
  }).set({ version: foyerVersion, node: process.version, engine: known.engine }, 1);
  return counters;
}
