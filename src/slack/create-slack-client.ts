import { WebClient, type WebClientOptions } from '@slack/web-api';
import type { Config } from '../config.ts';
import { type Logger, slackLogger } from '../log.ts';

/** How one call or a group of calls is bounded. */
export interface SlackCallLimits {
  /** For each call, in milliseconds. */
  timeoutMs?: number;
  /** Ends calls under way, such as those of a step whose run was cancelled. */
  signal?: AbortSignal;
}

/** One call to Slack that has ended: what was asked, what came of it, and how long that took. */
export interface SlackCall {
  method: string;
  /** error: Slack understood and said no. unreachable: there was no whole answer in time. */
  result: 'ok' | 'error' | 'rate_limited' | 'http_error' | 'unreachable';
  ms: number;
}

/** To be told of each call to Slack. Must not throw. */
export type OnSlackCall = (call: SlackCall) => void;

/** Makes a WebClient for one token (none for `oauth.v2.access`). Make it when you call: tokens rotate. */
export type SlackClientFactory = (token: string | undefined, limits?: SlackCallLimits) => WebClient;

/** A call to Slack never takes longer than this unless its caller says so. */
export const defaultTimeoutMs = 8000;

/**
 * The WebClient options that Foyer always uses.
 *
 * Why no retries and no waiting: whoever calls knows whether asking again is safe and who is waiting for the answer;
 * the SDK's default is ten retries over thirty minutes without a time limit. Why no `headers`: web-api 8.2 writes the
 * token into that object and hands it to the next client.
 */
export function slackClientOptions(
  config: Pick<Config, 'slack'>,
  log: Logger,
  limits: SlackCallLimits = {},
  onCall?: OnSlackCall,
): WebClientOptions & { fetch: typeof fetch } {
  const timeoutMs = limits.timeoutMs ?? defaultTimeoutMs;
  return {
    slackApiUrl: config.slack.apiUrl,
    allowAbsoluteUrls: false,
    retryConfig: { retries: 0 },
    rejectRateLimitedCalls: true,
    logger: slackLogger(log, 'slack'),
    fetch: createLoggedFetch(log, { timeoutMs, signal: limits.signal, onCall }),
  };
}

/** Statuses with which no body may come. */
const nullBodied = new Set([101, 204, 205, 304]);

/**
 * `fetch` with the call's own time limit, no redirects (Slack's API makes none, and a token must not follow one), and
 * a debug line without any content. It reads the body too: the SDK does that outside of what it reports as a failed
 * request, so an answer that stops half-way would look like a fault of ours.
 */
function createLoggedFetch(
  log: Logger,
  options: { timeoutMs: number; signal: AbortSignal | undefined; onCall: OnSlackCall | undefined },
): typeof fetch {
  const { timeoutMs, signal, onCall } = options;
  return async (input, init) => {
    const url = input instanceof Request ? input.url : String(input);
    const limits = [AbortSignal.timeout(timeoutMs), signal, init?.signal].filter((limit) => limit != null);
    const startedAt = performance.now();
    const method = url.slice(url.lastIndexOf('/') + 1);
    try {
      const response = await fetch(input, { ...init, redirect: 'error', signal: AbortSignal.any(limits) });
      const { status, statusText, headers } = response;
      const body = await response.arrayBuffer();
      const ms = performance.now() - startedAt;
      log.debug({ method, status, ms: Math.round(ms) }, 'called Slack');
      onCall?.({ method, result: resultOf(status, body), ms });
      return new Response(nullBodied.has(status) ? null : body, { status, statusText, headers });
    } catch (error) {
      const ms = performance.now() - startedAt;
      log.debug({ method, ms: Math.round(ms) }, 'a call to Slack failed');
      onCall?.({ method, result: 'unreachable', ms });
      throw error;
    }
  };
}

/** Slack tells most refusals with 200 and `ok: false`. */
function resultOf(status: number, body: ArrayBuffer): SlackCall['result'] {
  if (status === 429) return 'rate_limited';
  if (status >= 300) return 'http_error';
  try {
    const answer: unknown = JSON.parse(Buffer.from(body).toString('utf8'));
    const isOk = typeof answer === 'object' && answer !== null && 'ok' in answer && answer.ok === true;
    return isOk ? 'ok' : 'error';
  } catch {
    // No JSON: whoever called is told so by the SDK.
    return 'http_error';
  }
}

/** Makes the factory of Slack clients. */
export function createSlackClientFactory(deps: {
  config: Pick<Config, 'slack'>;
  log: Logger;
  onCall?: OnSlackCall;
}): SlackClientFactory {
  return (token, limits) =>
    new WebClient(token, slackClientOptions(deps.config, deps.log, limits, deps.onCall));
}
