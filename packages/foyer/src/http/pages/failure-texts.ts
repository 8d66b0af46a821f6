import type { Words } from '../../texts/create-texts.ts';

/**
 * Why one table: the flow takes its HTTP status from the same line that gives the page its form, so the two cannot
 * tell different stories. The contract: cancelled 200, a bad or used state 400, a refusal by the gate 403, Slack
 * unreachable 502, our database down 503, nothing there 404. The words are `failure.<kind>.…` of the texts.
 */

/** Every way in which a visit can end without what the visitor came for, by the name of its cause. */
export type FailureKind =
  | 'access_denied'
  | 'state_missing'
  | 'state_invalid'
  | 'state_wrong_browser'
  | 'state_expired'
  | 'state_used'
  | 'code_missing'
  | 'code_invalid'
  | 'app_misconfigured'
  | 'scope_invalid'
  | 'slack_unreachable'
  | 'slack_refused'
  | 'database_unavailable'
  | 'outcome_unknown'
  | 'temporarily_unavailable'
  | 'took_too_long'
  | 'link_invalid'
  | 'link_expired'
  | 'link_used'
  | 'form_expired'
  | 'gate_refused'
  | 'gate_failed'
  | 'already_connected'
  | 'other_workspace'
  | 'not_installed'
  | 'not_found'
  | 'progress_expired'
  | 'method_not_allowed'
  | 'payload_too_large'
  | 'internal'
  | 'unapproved_scope'
  | 'app_not_distributed'
  | 'slack_trouble'
  | 'too_many_requests'
  | 'wrong_host'
  | 'maintenance'
  | 'signin_cancelled'
  | 'signin_state'
  | 'signin_return'
  | 'signin_refused'
  | 'signin_untrusted'
  | 'signin_unreachable'
  | 'signin_misconfigured'
  | 'signin_not_installed'
  | 'signin_not_operator'
  | 'signin_limited'
  | 'signout_refused';

/** What the sentences may mention. */
export interface FailureContext {
  app: string;
  /**
   * Whether the tokens that Slack had issued were revoked (invariant 1); undefined if it had issued none, or if that is
   * not known.
   */
  tokensRevoked?: boolean;
  /** Whether Slack may have let the app in although we did not hear of it: then the page must not deny it. */
  mayHaveActed?: boolean;
  /** Why a rule of the app refuses, in the words of its author. */
  reason?: string;
  /** When to try again, for a limit. */
  retryAfterSeconds?: number;
}

/** The one line that the reader wants to know first: whether the app is in the workspace now, or they are signed in. */
type Fact =
  | 'notSignedIn'
  | 'nothing'
  | 'nothingYet'
  | 'stored'
  | 'noChange'
  | 'mayFinish'
  | 'mayBeUnfinished'
  | 'unknown';

/** The button, by where it leads; none if no press of it could help before somebody else has acted. */
type FailureButton =
  | 'startAgain'
  | 'tryAgain'
  | 'continue'
  | 'again'
  | 'reload'
  | 'lookAgain'
  | 'thatAddress'
  | 'addToSlack'
  | 'startPage'
  | 'none';

interface FailurePage {
  status: number;
  /** Left out if the reader did not ask for an install. */
  fact?: Fact;
  button: FailureButton;
}

/** Every cause: its HTTP status, its fact and its button. */
export const failurePages: Readonly<Record<FailureKind, FailurePage>> = {
  // Nothing is said of an app that was there before: a person who cancels a change of its permissions removed nothing.
  access_denied: { status: 200, fact: 'nothing', button: 'startAgain' },
  state_missing: { status: 400, fact: 'nothingYet', button: 'continue' },
  state_invalid: { status: 400, fact: 'nothing', button: 'startAgain' },
  state_wrong_browser: { status: 400, fact: 'nothing', button: 'startAgain' },
  state_expired: { status: 400, fact: 'nothing', button: 'startAgain' },
  state_used: { status: 400, fact: 'noChange', button: 'startAgain' },
  code_missing: { status: 400, fact: 'nothing', button: 'startAgain' },
  code_invalid: { status: 400, fact: 'nothing', button: 'startAgain' },
  app_misconfigured: { status: 500, fact: 'nothing', button: 'none' },
  scope_invalid: { status: 500, fact: 'nothing', button: 'none' },
  unapproved_scope: { status: 400, fact: 'nothing', button: 'startAgain' },
  app_not_distributed: { status: 500, fact: 'nothing', button: 'none' },
  slack_trouble: { status: 502, fact: 'stored', button: 'tryAgain' },
  slack_unreachable: { status: 502, fact: 'stored', button: 'tryAgain' },
  slack_refused: { status: 502, fact: 'stored', button: 'tryAgain' },
  link_invalid: { status: 400, fact: 'nothing', button: 'startPage' },
  link_expired: { status: 400, fact: 'nothing', button: 'startPage' },
  link_used: { status: 400, fact: 'noChange', button: 'startPage' },
  form_expired: { status: 400, fact: 'nothing', button: 'startPage' },
  gate_refused: { status: 403, fact: 'stored', button: 'startPage' },
  gate_failed: { status: 503, fact: 'stored', button: 'tryAgain' },
  already_connected: { status: 403, fact: 'noChange', button: 'startPage' },
  other_workspace: { status: 403, fact: 'stored', button: 'startPage' },
  not_installed: { status: 403, fact: 'nothing', button: 'startAgain' },
  database_unavailable: { status: 503, fact: 'stored', button: 'tryAgain' },
  outcome_unknown: { status: 503, fact: 'unknown', button: 'lookAgain' },
  // A reader who only looks, at an install that may long be done, is not told that nothing was installed.
  temporarily_unavailable: { status: 503, button: 'again' },
  took_too_long: { status: 504, fact: 'mayFinish', button: 'tryAgain' },
  not_found: { status: 404, button: 'startPage' },
  progress_expired: { status: 404, button: 'startPage' },
  method_not_allowed: { status: 405, button: 'startPage' },
  payload_too_large: { status: 413, button: 'startPage' },
  too_many_requests: { status: 429, fact: 'nothing', button: 'tryAgain' },
  wrong_host: { status: 421, button: 'thatAddress' },
  maintenance: { status: 503, fact: 'nothingYet', button: 'reload' },
  signin_cancelled: { status: 200, fact: 'notSignedIn', button: 'again' },
  signin_state: { status: 400, fact: 'notSignedIn', button: 'again' },
  signin_return: { status: 400, fact: 'notSignedIn', button: 'startPage' },
  signin_refused: { status: 400, fact: 'notSignedIn', button: 'again' },
  signin_untrusted: { status: 502, fact: 'notSignedIn', button: 'again' },
  signin_unreachable: { status: 502, fact: 'notSignedIn', button: 'again' },
  signin_misconfigured: { status: 500, fact: 'notSignedIn', button: 'none' },
  signin_not_installed: { status: 403, fact: 'notSignedIn', button: 'addToSlack' },
  signin_not_operator: { status: 403, fact: 'notSignedIn', button: 'again' },
  signin_limited: { status: 429, fact: 'notSignedIn', button: 'again' },
  signout_refused: { status: 403, fact: 'noChange', button: 'startPage' },
  internal: { status: 500, fact: 'mayBeUnfinished', button: 'tryAgain' },
};

/** A failure in words. */
export interface FailureWords {
  heading: string;
  fact: string | undefined;
  /** What happened, what it means for the workspace, and what to do: one short paragraph each. */
  sentences: readonly string[];
}

/** Slack may have acted, and no token of it has reached us. */
function isInDoubt({ tokensRevoked, mayHaveActed }: FailureContext): boolean {
  return tokensRevoked === undefined && mayHaveActed === true;
}

const nothing = 'failure.nothing';
const notFinished = 'failure.notFinished';

function factKey(fact: Fact, context: FailureContext) {
  const isStored = context.tokensRevoked === false || isInDoubt(context);
  switch (fact) {
    case 'stored':
      return isStored ? notFinished : nothing;
    case 'mayFinish':
    case 'mayBeUnfinished':
      if (context.tokensRevoked === undefined) return `failure.${fact}` as const;
      return context.tokensRevoked ? nothing : notFinished;
    default:
      return `failure.${fact}` as const;
  }
}

/** What became of the access that Slack had issued, and what to do if it could not be revoked. */
function aboutTokens(words: Words, context: FailureContext): string[] {
  const { app, tokensRevoked } = context;
  if (isInDoubt(context)) return [words.text('failure.tokens.doubt', { app })];
  if (tokensRevoked === undefined) return [];
  return [tokensRevoked ? words.text('failure.tokens.revoked') : words.text('failure.tokens.kept', { app })];
}

/** A time to wait as people say it: seconds up to a minute and a half, then minutes. */
function wait(seconds: number): { count: number; unit: 'seconds' | 'minutes' } {
  return seconds < 100
    ? { count: seconds, unit: 'seconds' }
    : { count: Math.ceil(seconds / 60), unit: 'minutes' };
}

/** Whether what became of the tokens says already what to do: "in a few minutes" would contradict it. */
function needsNoMore(kind: FailureKind, { tokensRevoked }: FailureContext): boolean {
  if (kind === 'took_too_long') return tokensRevoked !== undefined;
  return tokensRevoked === false && failurePages[kind].button === 'tryAgain' && kind !== 'slack_refused';
}

/** The words of a failure. */
export function failureWords(words: Words, kind: FailureKind, context: FailureContext): FailureWords {
  const { fact } = failurePages[kind];
  // Every message is given every value; which ones it uses is its own affair.
  const values = {
    app: context.app,
    reason: context.reason ?? 'none',
    ...wait(context.retryAfterSeconds ?? 60),
  };
  const tokens = aboutTokens(words, context);
  return {
    heading: words.text(`failure.${kind}.title`, values),
    fact: fact && words.text(factKey(fact, context)),
    sentences: [
      words.text(`failure.${kind}.what`, values),
      ...tokens,
      ...(needsNoMore(kind, context) ? [] : [words.text(`failure.${kind}.do`, values)]),
    ],
  };
}
