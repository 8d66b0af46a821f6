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
): WebClientOptions & { fetch: typeof fetch } {
  const timeoutMs = limits.timeoutMs ?? defaultTimeoutMs;
  return {
    slackApiUrl: config.slack.apiUrl,
    allowAbsoluteUrls: false,
    retryConfig: { retries: 0 },
    rejectRateLimitedCalls: true,
    logger: slackLogger(log, 'slack'),
    fetch: createLoggedFetch(log, timeoutMs, limits.signal),
  };
}

/** Statuses with which no body may come. */
const nullBodied = new Set([101, 204, 205, 304]);

/**
 * `fetch` with the call's own time limit, no redirects (Slack's API makes none, and a token must not follow one), and
 * a debug line without any content. It reads the body too: the SDK does that outside of what it reports as a failed
 * request, so an answer that stops half-way would look like a fault of ours.
 */
function createLoggedFetch(log: Logger, timeoutMs: number, signal: AbortSignal | undefined): typeof fetch {
  return async (input, init) => {
    const url = input instanceof Request ? input.url : String(input);
    const limits = [AbortSignal.timeout(timeoutMs), signal, init?.signal].filter((limit) => limit != null);
    const startedAt = performance.now();
    const method = url.slice(url.lastIndexOf('/') + 1);
    try {
      const response = await fetch(input, { ...init, redirect: 'error', signal: AbortSignal.any(limits) });
      const { status, statusText, headers } = response;
      const body = await response.arrayBuffer();
      log.debug({ method, status, ms: Math.round(performance.now() - startedAt) }, 'called Slack');
      return new Response(nullBodied.has(status) ? null : body, { status, statusText, headers });
    } catch (error) {
      log.debug({ method, ms: Math.round(performance.now() - startedAt) }, 'a call to Slack failed');
      throw error;
    }
  };
}

/** Makes the factory of Slack clients. */
export function createSlackClientFactory(deps: {
  config: Pick<Config, 'slack'>;
  log: Logger;
}): SlackClientFactory {
  return (token, limits) => new WebClient(token, slackClientOptions(deps.config, deps.log, limits));
}
