import { ErrorCode } from '@slack/web-api';

/**
 * Why one place: Slack's answer decides what a failure means, and the flow, the pipeline, the refresh and the Home must
 * not each decide it anew. The table is the whole rule.
 */

/** What a failed call to Slack means to whoever made it. */
export interface SlackFailure {
  /**
   * rate-limited: ask again after `retryAfterMs`. unreachable: Slack or the network failed, ask again later.
   * token-dead: this token will never work again. refused: Slack understood, and said no for good.
   */
  kind: 'rate-limited' | 'unreachable' | 'token-dead' | 'refused';
  /** Slack's error by name, or ours: `rate_limited`, `timeout`, `connection_failed`, `http_503`,
   * `malformed_answer`, `answer_too_large`. */
  code: string;
  /** One sentence for a log or an operator; never holds a token. */
  message: string;
  /** Whether Slack may have done what was asked all the same: then look before you ask again. */
  mayHaveActed: boolean;
  retryAfterMs?: number;
}

/** Slack's errors that say: this token is dead. (docs.slack.dev/reference/methods/auth.test#errors) */
const tokenDead = new Set([
  'account_inactive',
  'invalid_auth',
  'not_authed',
  'token_expired',
  'token_revoked',
]);

/** Slack's errors that pass by themselves. `internal_error` and `fatal_error` may have acted before they failed. */
const passing = new Set([
  'internal_error',
  'fatal_error',
  'service_unavailable',
  'request_timeout',
  'team_added_to_org',
]);

/** Failures to connect: nothing has left this machine. */
const neverSent = /ECONNREFUSED|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|UND_ERR_CONNECT_TIMEOUT/;

function fieldOf(error: unknown, name: string): unknown {
  return typeof error === 'object' && error !== null ? (error as Record<string, unknown>)[name] : undefined;
}

/** The `code`s and names along an error's causes: a fetch failure hides its reason two levels down. */
function reasonsOf(error: unknown): string {
  const reasons: string[] = [];
  for (let at = error, depth = 0; at instanceof Error && depth < 5; at = at.cause, depth += 1) {
    const code = fieldOf(at, 'code');
    reasons.push(at.name, typeof code === 'string' ? code : '');
  }
  return reasons.join(' ');
}

/** Whether a failed request surely never left this machine. */
export function neverLeft(error: unknown): boolean {
  return neverSent.test(reasonsOf(error));
}

function fromAnswer(error: unknown): SlackFailure {
  const given = fieldOf(fieldOf(error, 'data'), 'error');
  // The SDK puts an unreadable body in the place of Slack's error code.
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

/** The shortest and the longest time that Slack is taken at its word for, and what an unreadable time counts as. */
const waits = { least: 1, most: 3600, usual: 30 };

const boundedWait = (seconds: number): number =>
  Number.isFinite(seconds) ? Math.min(Math.max(Math.ceil(seconds), waits.least), waits.most) : waits.usual;

/**
 * How many seconds a 429 asks to wait: a whole number between one second and an hour. The SDK reports a `Retry-After`
 * that it cannot read as an error of no kind, so the header is replaced with this before the SDK sees it.
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
 * Says what an error of a WebClient call means, or undefined where it is no such error.
 */
export function slackFailure(error: unknown): SlackFailure | undefined {
  switch (fieldOf(error, 'code')) {
    case ErrorCode.RateLimitedError:
      return rateLimited(Number(fieldOf(error, 'retryAfter')));
    case ErrorCode.PlatformError:
      return fromAnswer(error);
    case ErrorCode.HTTPError: {
      const status = Number(fieldOf(error, 'statusCode'));
      return unreachable(`http_${status}`, `Slack answered with HTTP ${status}`, true);
    }
    case ErrorCode.RequestError: {
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
