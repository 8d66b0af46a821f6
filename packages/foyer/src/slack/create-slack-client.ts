import { type WebAPICallResult, WebClient, type WebClientOptions } from '@slack/web-api';
import type { Config } from '../config/config.ts';
import { type Logger, slackLogger } from '../config/log.ts';
import type { TraceSpan } from '../config/tracing.ts';
import { defaultTimeoutMs, UnreadableAnswerError, waitSeconds } from './slack-failure.ts';
import {
  createSlackTransport,
  readBounded,
  type SlackAnswer,
  type SlackTransport,
} from './slack-transport.ts';

/** The limits of one call or a group of calls. */
export interface SlackCallLimits {
  /** How long each call may take, in milliseconds; 8,000 by default. */
  timeoutMs?: number;
  /** Ends calls in progress, such as those of a step whose run was cancelled. */
  signal?: AbortSignal;
  /** The longest answer that Foyer reads, in bytes; 1 MiB by default. */
  mostBytes?: number;
  /** Receives the answer's headers and body as they arrive, even if the answer then breaks off or cannot be read. */
  onArrived?(bytes: Buffer): void;
}

/** One finished call to Slack: what was called, the result, and how long it took. */
export interface SlackCall {
  method: string;
  /**
   * error: Slack refused the call. http_error: an error status, or an answer that is not JSON. unreachable: no complete
   * answer arrived, or the answer was too long.
   */
  result: 'ok' | 'error' | 'rate_limited' | 'http_error' | 'unreachable';
  ms: number;
}

/** What all calls of Foyer to Slack share. */
export interface SlackCalls {
  config: Pick<Config, 'slack'>;
  log: Logger;
  transport: SlackTransport;
  /** Receives each finished call to Slack. Must not throw. */
  onCall?(call: SlackCall): void;
  /** Traces each call; without it, no span is created. */
  span?: TraceSpan;
}

/**
 * Creates a WebClient for one token. Pass undefined for `oauth.v2.access`, or if each call passes its own token. Tokens
 * rotate, so create a client with a token right before you call.
 */
export type SlackClientFactory = (token: string | undefined, limits?: SlackCallLimits) => WebClient;

/**
 * The longest answer that the app's own code reads: a page of `users.list` or `conversations.history` may hold a
 * thousand entries of a few kilobytes.
 */
export const mostBytesOfListeners = 16 * 1024 * 1024;

/**
 * The WebClient options that Foyer always uses.
 *
 * Why no retries and no waiting: the caller knows whether repeating the call is safe and who is waiting for the answer;
 * the SDK's default is ten retries over thirty minutes without a time limit. Why no `headers`: web-api 8.2 writes the
 * token into that object and passes it to the next client.
 */
export function slackClientOptions(
  calls: SlackCalls,
  limits: SlackCallLimits = {},
  logger = slackLogger(calls.log, 'slack'),
): WebClientOptions & { fetch: typeof fetch } {
  return {
    slackApiUrl: calls.config.slack.apiUrl,
    allowAbsoluteUrls: false,
    retryConfig: { retries: 0 },
    rejectRateLimitedCalls: true,
    // The SDK does not limit concurrent calls, because Foyer's transport does. The time that a call waits in the
    // transport counts toward the call's time limit.
    maxRequestConcurrency: Number.POSITIVE_INFINITY,
    logger,
    fetch: createSlackFetch(calls, limits),
  };
}

/**
 * The `fetch` that the SDK uses: it applies the call's own time limit and logs a debug line without any content. It
 * also reads the whole body: the SDK would read the body outside the code that reports failed requests, and an answer
 * that stops halfway would then look like a bug in Foyer.
 */
function createSlackFetch(calls: SlackCalls, limits: SlackCallLimits): typeof fetch {
  const { span } = calls;
  return (input, init = {}) => {
    const url = input instanceof Request ? input.url : String(input);
    const method = url.slice(url.lastIndexOf('/') + 1);
    if (!span) return callSlack(calls, limits, { url, method, init });
    return span(`slack ${method}`, { kind: 'client' }, () => callSlack(calls, limits, { url, method, init }));
  };
}

async function callSlack(
  { log, transport, onCall }: SlackCalls,
  limits: SlackCallLimits,
  { url, method, init }: { url: string; method: string; init: RequestInit },
): Promise<Response> {
  const { timeoutMs = defaultTimeoutMs, mostBytes, onArrived } = limits;
  const bounds = boundCall(timeoutMs, [limits.signal, init.signal]);
  const { signal } = bounds;
  const startedAt = performance.now();
  try {
    const answer =
      typeof init.body === 'string'
        ? await transport(url, { ...asSent(init), body: init.body, signal, mostBytes, onArrived })
        : await fetchFile(url, { ...init, signal }, mostBytes);
    if (answer.status === 429) answer.headers.set('retry-after', String(waitSeconds(answer.headers)));
    const ms = performance.now() - startedAt;
    log.debug({ method, status: answer.status, ms: Math.round(ms) }, 'called Slack');
    onCall?.({ method, result: resultOf(answer.status, answer.body), ms });
    return toResponse(answer);
  } catch (error) {
    const ms = performance.now() - startedAt;
    log.debug({ method, ms: Math.round(ms) }, 'a call to Slack failed');
    onCall?.({ method, result: 'unreachable', ms });
    throw error;
  } finally {
    bounds.release();
  }
}

/**
 * Creates the signal that ends a call: after `timeoutMs`, or when another signal aborts.
 *
 * Why not AbortSignal.timeout and AbortSignal.any: their timer keeps running after the call has ended, and creates an
 * exception with a stack trace when it fires. With them, a call costs a tenth more.
 */
function boundCall(timeoutMs: number, others: readonly (AbortSignal | null | undefined)[]) {
  const controller = new AbortController();
  const tooLate = (): void => controller.abort(new DOMException('The call took too long', 'TimeoutError'));
  // `setImmediate`: if an answer arrived while the event loop was blocked, Foyer reads it before the time limit
  // applies.
  const timer = setTimeout(() => setImmediate(tooLate), timeoutMs);
  const follow = (event: Event): void => end(event.target as AbortSignal);
  const end = (other: AbortSignal): void => controller.abort(other.reason);
  for (const other of others) {
    if (other?.aborted) end(other);
    else other?.addEventListener('abort', follow);
  }
  return {
    signal: controller.signal,
    release() {
      clearTimeout(timer);
      for (const other of others) other?.removeEventListener('abort', follow);
    },
  };
}

function asSent(init: RequestInit): { method: string; headers: Record<string, string> } {
  return { method: init.method ?? 'GET', headers: Object.fromEntries(new Headers(init.headers)) };
}

/** Sends a body that is not text, such as a file upload, with the global `fetch`. Such bodies are rare. */
async function fetchFile(
  url: string,
  init: RequestInit,
  mostBytes: number | undefined,
): Promise<SlackAnswer> {
  const response = await fetch(url, { ...init, redirect: 'error' });
  const { status, body } = response;
  return { status, headers: new Headers(response.headers), body: await readBounded(body ?? [], mostBytes) };
}

/** A `Response` with one of these statuses must have no body. */
const withoutBody: readonly number[] = [204, 205, 304];

function toResponse({ status, headers, body }: SlackAnswer): Response {
  return new Response(withoutBody.includes(status) ? null : new Uint8Array(body), { status, headers });
}

/** Slack reports most refusals with status 200 and `ok: false`. */
function resultOf(status: number, body: Buffer): SlackCall['result'] {
  if (status === 429) return 'rate_limited';
  if (status >= 300) return 'http_error';
  // Slack's successful answers start with `{"ok":true`. Foyer does not parse them: many repeat the view or message that
  // was sent, and parsing one takes 18 µs.
  if (body.subarray(0, 10).toString('latin1') === '{"ok":true') return 'ok';
  try {
    const answer: unknown = JSON.parse(body.toString('utf8'));
    const isOk = typeof answer === 'object' && answer !== null && 'ok' in answer && answer.ok === true;
    return isOk ? 'ok' : 'error';
  } catch {
    // The answer is not JSON; the SDK reports this to the caller.
    return 'http_error';
  }
}

/**
 * Slack's WebClient, which can also send a text with a lone surrogate: for such a text, the SDK's form encoding throws
 * “URI malformed”. Foyer replaces the surrogate with U+FFFD, as UTF-8 encoders do.
 *
 * If an answer cannot be read, this client throws UnreadableAnswerError. The SDK alone would throw as if the caller had
 * made a mistake: a TypeError for an answer such as `null`, a RangeError for one that is nested too deeply.
 */
export class SlackClient extends WebClient {
  override async apiCall(method: string, options: Record<string, unknown> = {}): Promise<WebAPICallResult> {
    const given = Object.fromEntries(
      Object.entries(options).map(([name, value]) => [
        name,
        typeof value === 'string' ? value.toWellFormed() : value,
      ]),
    );
    try {
      return await super.apiCall(method, given);
    } catch (error) {
      throw isOfTheAnswer(error, given) ? new UnreadableAnswerError(method, { cause: error }) : error;
    }
  }
}

/**
 * Whether the SDK failed because it could not read Slack's answer. The SDK throws the same types of errors if it cannot
 * write `options` as JSON; in that case, returns false.
 */
function isOfTheAnswer(error: unknown, options: Record<string, unknown>): boolean {
  if (!(error instanceof TypeError || error instanceof RangeError) || 'code' in error) return false;
  try {
    JSON.stringify(options);
    return true;
  } catch {
    return false;
  }
}

/** Creates the factory of Slack clients. Without a given transport, it opens its own connections. */
export function createSlackClientFactory(
  calls: Omit<SlackCalls, 'transport'> & { transport?: SlackTransport },
): SlackClientFactory {
  const { transport = createSlackTransport(calls.config.slack) } = calls;
  const given = { ...calls, transport };
  // One logger for all clients: creating a logger takes a third as long as creating a client.
  const logger = slackLogger(calls.log, 'slack');
  return (token, limits) => new SlackClient(token, slackClientOptions(given, limits, logger));
}
