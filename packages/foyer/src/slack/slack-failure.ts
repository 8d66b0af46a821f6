import type { ErrorCode } from '@slack/web-api';

/**
 * Why one place: the install flow, the pipeline, the token refresh and App Home must all interpret a failed call in the
 * same way. The sets below and `slackFailure` are the whole rule.
 */

/** What a failed call to Slack means to its caller. */
export interface SlackFailure {
  /**
   * rate-limited: retry after `retryAfterMs`. unreachable: Slack or the network failed, retry later.
   * token-dead: this token will never work again. refused: Slack refused, and a retry will not change that.
   */
  kind: 'rate-limited' | 'unreachable' | 'token-dead' | 'refused';
  /** Slack's error code, or one of Foyer's: `rate_limited`, `timeout`, `connection_failed`, `http_503`,
   * `malformed_answer`, `answer_too_large`. */
  code: string;
  /** One sentence for a log or an operator; never contains a token. */
  message: string;
  /** Whether Slack may have carried out the request anyway: check before you repeat it. */
  mayHaveActed: boolean;
  retryAfterMs?: number;
}

/**
 * Thrown for an answer that cannot be read, or that lacks what Foyer needs. Slack may have carried out the call anyway.
 */
export class UnreadableAnswerError extends Error {
  override readonly name = 'UnreadableAnswerError';
  readonly code = 'malformed_answer';
  constructor(method: string, options?: ErrorOptions) {
    super(`Slack’s answer to ${method} could not be read`, options);
  }
}

/** Slack's errors for a token that no longer works. (docs.slack.dev/reference/methods/auth.test#errors) */
const tokenDead = new Set([
  'account_inactive',
  'invalid_auth',
  'not_authed',
  'token_expired',
  'token_revoked',
]);

/** Slack's temporary errors. With some, such as `internal_error`, Slack may have carried out the call nevertheless. */
const passing = new Set([
  'internal_error',
  'fatal_error',
  'service_unavailable',
  'request_timeout',
  'team_added_to_org',
]);

/** The default time limit of a call to Slack. */
export const defaultTimeoutMs = 8000;

/**
 * The codes of the SDK's errors; the compiler checks them against the SDK's types. Why not imported: the steps import
 * this file, and every command loads the steps. Importing `ErrorCode` as a value would load the SDK too.
 */
const sdkCode = {
  rateLimited: 'slack_webapi_rate_limited_error' satisfies `${ErrorCode.RateLimitedError}`,
  platform: 'slack_webapi_platform_error' satisfies `${ErrorCode.PlatformError}`,
  http: 'slack_webapi_http_error' satisfies `${ErrorCode.HTTPError}`,
  request: 'slack_webapi_request_error' satisfies `${ErrorCode.RequestError}`,
};

/** Failures to connect: the request never left this machine. */
const neverSent = /ECONNREFUSED|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|UND_ERR_CONNECT_TIMEOUT/;

function fieldOf(error: unknown, name: string): unknown {
  return typeof error === 'object' && error !== null ? (error as Record<string, unknown>)[name] : undefined;
}

/** Collects the names and `code`s of an error and its causes: the reason of a `fetch` error is two causes down. */
function reasonsOf(error: unknown): string {
  const reasons: string[] = [];
  for (let at = error, depth = 0; at instanceof Error && depth < 5; at = at.cause, depth += 1) {
    const code = fieldOf(at, 'code');
    reasons.push(at.name, typeof code === 'string' ? code : '');
  }
  return reasons.join(' ');
}

/** Returns whether a failed request certainly never left this machine. */
export function neverLeft(error: unknown): boolean {
  return neverSent.test(reasonsOf(error));
}

function fromAnswer(error: unknown): SlackFailure {
  const given = fieldOf(fieldOf(error, 'data'), 'error');
  // The SDK puts an unreadable body where Slack's error code belongs.
  if (typeof given !== 'string' || !/^[a-z0-9_]{1,80}$/.test(given)) {
    return unreachable('malformed_answer', 'Slack’s answer could not be read', true);
  }
  if (given === 'ratelimited' || given === 'rate_limited') return rateLimited(30);
  if (passing.has(given)) return unreachable(given, `Slack answered ${given}`, true);
  const needed = fieldOf(fieldOf(error, 'data'), 'needed');
  const detail = typeof needed === 'string' && /^[a-z0-9_:.,-]+$/.test(needed) ? ` (needs ${needed})` : '';
  const kind = tokenDead.has(given) ? 'token-dead' : 'refused';
  return { kind, code: given, message: `Slack answered ${given}${detail}`, mayHaveActed: false };
}

/**
 * In seconds: the shortest and the longest wait that Foyer accepts from Slack, and its wait if `Retry-After` is
 * unreadable.
 */
const waits = { least: 1, most: 3600, usual: 30 };

const boundedWait = (seconds: number): number =>
  Number.isFinite(seconds) ? Math.min(Math.max(Math.ceil(seconds), waits.least), waits.most) : waits.usual;

/**
 * Returns how many seconds a 429 asks to wait: a whole number from one second to an hour. If `Retry-After` is
 * unreadable, the SDK throws an error without a known code. So Foyer replaces the header with this number before the
 * SDK sees it.
 */
export function waitSeconds(headers: Headers): number {
  const given = headers.get('retry-after')?.trim();
  return boundedWait(given ? Number(given) : Number.NaN);
}

function rateLimited(retryAfterSeconds: number): SlackFailure {
  const seconds = boundedWait(retryAfterSeconds);
  const message = `Slack asked us to wait ${seconds} s`;
  return {
    kind: 'rate-limited',
    code: 'rate_limited',
    message,
    mayHaveActed: false,
    retryAfterMs: seconds * 1000,
  };
}

function unreachable(code: string, message: string, mayHaveActed: boolean): SlackFailure {
  return { kind: 'unreachable', code, message, mayHaveActed };
}

/**
 * Returns what an error of a WebClient call means, or undefined if the error is not from such a call.
 */
export function slackFailure(error: unknown): SlackFailure | undefined {
  if (error instanceof UnreadableAnswerError) return unreachable(error.code, error.message, true);
  switch (fieldOf(error, 'code')) {
    case sdkCode.rateLimited:
      return rateLimited(Number(fieldOf(error, 'retryAfter')));
    case sdkCode.platform:
      return fromAnswer(error);
    case sdkCode.http: {
      const status = Number(fieldOf(error, 'statusCode'));
      return unreachable(`http_${status}`, `Slack answered with HTTP ${status}`, true);
    }
    case sdkCode.request: {
      const reasons = reasonsOf(error);
      if (reasons.includes('answer_too_large')) {
        return unreachable('answer_too_large', 'Slack’s answer was too long to be read', true);
      }
      if (/TimeoutError|AbortError|TIMEOUT|ETIMEDOUT/.test(reasons) && !neverSent.test(reasons)) {
        return unreachable('timeout', 'Slack did not answer in time', true);
      }
      return unreachable('connection_failed', 'The connection to Slack failed', !neverSent.test(reasons));
    }
    default:
      return undefined;
  }
}
