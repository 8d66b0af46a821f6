import { DatabaseUnavailableError } from '../database/database.ts';
import { InstallationNotFoundError } from '../installations/installation-store.ts';
import { KeyMissingError, SealBrokenError } from '../installations/sealer.ts';
import { slackFailure } from '../slack/slack-failure.ts';
import { StepError } from './step.ts';

/**
 * What an error that a step threw means for its run.
 * wait: Slack asked us to wait, which is not a failure. retry: the problem may pass. final: the problem will not pass;
 * `tokenDead` is true if Slack said that the token will never work again. database: Foyer's database failed, not the
 * step.
 */
export interface StepFailure {
  kind: 'wait' | 'retry' | 'final' | 'database';
  /** The name of the error, Slack's or ours. */
  code: string;
  /** One sentence. The message of an unknown error must be scrubbed, and then cut, before it is stored. */
  message: string;
  tokenDead: boolean;
  /** Only with `wait`: how long Slack asked Foyer to wait. */
  delayMs?: number;
}

/** Judges what a step threw: any value, even one that throws when it is read. */
export function stepFailure(error: unknown): StepFailure {
  try {
    return judge(error);
  } catch {
    const message = 'The step threw something that cannot be read';
    return { kind: 'retry', code: 'unexpected_error', message, tokenDead: false };
  }
}

function judge(error: unknown): StepFailure {
  const causes = causesOf(error);
  if (causes.some((cause) => cause instanceof DatabaseUnavailableError)) {
    const message = 'The database could not be used';
    return { kind: 'database', code: 'database_unavailable', message, tokenDead: false };
  }
  const failure = causes.map(slackFailure).find((found) => found !== undefined);
  if (!failure) return { kind: isFinal(error) ? 'final' : 'retry', ...describe(error), tokenDead: false };
  const { code, message } = failure;
  switch (failure.kind) {
    case 'rate-limited':
      return { kind: 'wait', code, message, tokenDead: false, delayMs: failure.retryAfterMs ?? 30_000 };
    case 'unreachable':
      return { kind: 'retry', code, message, tokenDead: false };
    case 'token-dead':
      return { kind: 'final', code, message, tokenDead: true };
    case 'refused':
      return { kind: 'final', code, message, tokenDead: false };
  }
}

/** An error and its causes: Slack's refusal of a token refresh may be wrapped in another error. */
export function causesOf(error: unknown): unknown[] {
  const causes = [error];
  for (let at = error; at instanceof Error && causes.length < 6; at = at.cause) causes.push(at.cause);
  return causes;
}

/** Whether a retry cannot help: the step itself says so, or the bot's token is missing or cannot be decrypted. */
function isFinal(error: unknown): boolean {
  if (error instanceof StepError) return error.final;
  return (
    error instanceof InstallationNotFoundError ||
    error instanceof KeyMissingError ||
    error instanceof SealBrokenError
  );
}

/** Describes an error that a step threw. Uses the error's `code` property if it looks like a name. */
function describe(error: unknown): { code: string; message: string } {
  return { code: namedCode(error) ?? 'unexpected_error', message: messageOf(error) };
}

/** Returns an error's `code` in lower case; undefined if the error has no `code` that looks like a name. */
export function namedCode(error: unknown): string | undefined {
  const given = error instanceof Error ? (error as Error & { code?: unknown }).code : undefined;
  const isNamed = typeof given === 'string' && /^[A-Za-z][A-Za-z0-9_]{0,63}$/.test(given);
  return isNamed ? given.toLowerCase() : undefined;
}

/**
 * A step may throw an error with megabytes of text, so Foyer cuts an error's message to this many characters. The cut
 * may split a secret, and the scrubber does not recognize half a secret. But Foyer never stores the text near the cut:
 * it stores only the first part of the message, which is far shorter.
 */
const mostCharacters = 500_000;
/**
 * How many errors of an `AggregateError` the message contains. Node throws an `AggregateError` if a connection fails at
 * every address of a host.
 */
const mostOfOne = 3;

/**
 * Returns the message of an error and of its causes: the reason of `fetch failed` is in its cause. For example
 * `fetch failed: connect ECONNREFUSED 127.0.0.1:3298`.
 */
function messageOf(error: unknown, depth = 0): string {
  const own = (error instanceof Error ? error.message : String(error)).slice(0, mostCharacters);
  if (!(error instanceof Error) || depth === 4) return own;
  const several: unknown[] = error instanceof AggregateError ? error.errors.slice(0, mostOfOne) : [];
  const reasons = [...several, error.cause]
    .filter((cause) => cause instanceof Error || typeof cause === 'string')
    .map((cause) => messageOf(cause, depth + 1))
    // Many errors quote their cause already.
    .filter((reason) => !own.includes(reason));
  return [own, [...new Set(reasons)].join('; ')]
    .filter((part) => part !== '')
    .join(': ')
    .slice(0, mostCharacters);
}
