import type { Words } from '../../texts/create-texts.ts';

/**
 * Why one table: the HTTP status and the content of the page come from the same line, so they cannot contradict each
 * other. The contract: cancelled 200, a bad or used state 400, a refusal by the gate 403, Slack unreachable 502, our
 * database down 503, not found 404. The texts are `failure.<kind>.…`.
 */

/** The facts that the texts of a failure page may mention. */
export interface FailureContext {
  app: string;
  /**
   * Whether Foyer revoked the tokens that Slack had issued (invariant 1). Undefined if there were no tokens to revoke,
   * or if Foyer does not know.
   */
  tokensRevoked?: boolean;
  /**
   * Whether Slack may have installed the app although Foyer got no confirmation. If so, the page does not say that
   * nothing was installed.
   */
  mayHaveActed?: boolean;
  /** Why the app's gate refused the install, in the app's words. */
  reason?: string;
  /** How many seconds to wait before trying again. */
  retryAfterSeconds?: number;
  /** Set if the request was for something other than an install. */
  isElsewhere?: true;
}

/** What the reader wants to know first: whether the app is now in the workspace, or whether they are signed in. */
type Fact =
  | 'notSignedIn'
  | 'nothing'
  | 'nothingYet'
  | 'stored'
  | 'noChange'
  | 'mayFinish'
  | 'mayBeUnfinished'
  | 'unknown';

/** The buttons: the text of each, and whether it leads to the install, to the requested page or to the start page. */
export const failureButtons = {
  startAgain: { label: 'failure.startAgain', leadsTo: 'install' },
  tryAgain: { label: 'failure.tryAgain', leadsTo: 'install' },
  continue: { label: 'failure.continue', leadsTo: 'install' },
  addToSlack: { label: 'landing.button', leadsTo: 'install' },
  again: { label: 'failure.tryAgain', leadsTo: 'page' },
  reload: { label: 'failure.tryAgain', leadsTo: 'page' },
  lookAgain: { label: 'failure.lookAgain', leadsTo: 'page' },
  thatAddress: { label: 'failure.thatAddress', leadsTo: 'page' },
  startPage: { label: 'failure.startPage', leadsTo: 'start' },
} as const;

interface FailurePage {
  status: number;
  /** Omitted if Foyer cannot know whether the reader asked for an install or a sign-in. */
  fact?: Fact;
  /** `none` if no button can help until another person has fixed the problem. */
  button: keyof typeof failureButtons | 'none';
}

const pages = {
  // The page says “Nothing was installed”, not “The app is not installed”: if the reader canceled a change of
  // permissions, the app is still installed.
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
  // The form may be on the progress page of an install that finished, or on the page of a member's own data.
  form_expired: { status: 400, fact: 'noChange', button: 'startPage' },
  gate_refused: { status: 403, fact: 'stored', button: 'startPage' },
  gate_failed: { status: 503, fact: 'stored', button: 'tryAgain' },
  already_connected: { status: 403, fact: 'noChange', button: 'startPage' },
  other_workspace: { status: 403, fact: 'stored', button: 'startPage' },
  not_installed: { status: 403, fact: 'nothing', button: 'startAgain' },
  database_unavailable: { status: 503, fact: 'stored', button: 'tryAgain' },
  outcome_unknown: { status: 503, fact: 'unknown', button: 'lookAgain' },
  // Do not say that nothing was installed: the reader may be looking at an install that finished long ago.
  temporarily_unavailable: { status: 503, button: 'again' },
  took_too_long: { status: 504, fact: 'mayFinish', button: 'tryAgain' },
  not_found: { status: 404, button: 'startPage' },
  progress_expired: { status: 404, button: 'startPage' },
  method_not_allowed: { status: 405, button: 'startPage' },
  payload_too_large: { status: 413, button: 'startPage' },
  too_many_requests: { status: 429, fact: 'nothing', button: 'reload' },
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
  signin_limited: { status: 429, fact: 'notSignedIn', button: 'reload' },
  erase_unreachable: { status: 502, fact: 'noChange', button: 'startPage' },
  signout_refused: { status: 403, fact: 'noChange', button: 'startPage' },
  internal: { status: 500, fact: 'mayBeUnfinished', button: 'tryAgain' },
} satisfies Readonly<Record<string, FailurePage>>;

/** The names of the causes of a failure page. */
export type FailureKind = keyof typeof pages;

/** For each cause of a failure page: its HTTP status, what the reader wants to know first (`Fact`), and its button. */
export const failurePages: Readonly<Record<FailureKind, FailurePage>> = pages;

interface FailureWords {
  heading: string;
  fact: string | undefined;
  /** What happened, what it means for the workspace, and what to do: one short paragraph each. */
  sentences: readonly string[];
}

/** Returns whether Slack may have installed the app although Foyer received no token. */
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
    case 'noChange':
      return context.tokensRevoked === false ? notFinished : 'failure.noChange';
    default:
      return `failure.${fact}` as const;
  }
}

/** Says what happened to the tokens that Slack had issued, and what to do if they could not be revoked. */
function aboutTokens(words: Words, context: FailureContext): string[] {
  const { app, tokensRevoked } = context;
  if (isInDoubt(context)) return [words.text('failure.tokens.doubt', { app })];
  if (tokensRevoked === undefined) return [];
  return [tokensRevoked ? words.text('failure.tokens.revoked') : words.text('failure.tokens.kept', { app })];
}

/**
 * Returns a waiting time in the unit that people would use: seconds if it is less than 100 seconds, otherwise minutes,
 * rounded up.
 */
function wait(seconds: number): { count: number; unit: 'seconds' | 'minutes' } {
  return seconds < 100
    ? { count: seconds, unit: 'seconds' }
    : { count: Math.ceil(seconds / 60), unit: 'minutes' };
}

/**
 * Returns whether the page omits the sentence that says what to do, because the sentence is wrong or superfluous:
 * - For `took_too_long`, the sentence tells the reader to look for the app in Slack. It is wrong if Foyer knows what
 *   happened to the tokens, because then the install has failed.
 * - For other causes, the sentence tells the reader to try again. It is superfluous if some tokens could not be
 *   revoked, because the text about these tokens already tells the reader to install again.
 */
function needsNoMore(kind: FailureKind, { tokensRevoked }: FailureContext): boolean {
  if (kind === 'took_too_long') return tokensRevoked !== undefined;
  return tokensRevoked === false && failurePages[kind].button === 'tryAgain' && kind !== 'slack_refused';
}

export function failureWords(words: Words, kind: FailureKind, context: FailureContext): FailureWords {
  const fact = context.isElsewhere ? undefined : failurePages[kind].fact;
  // Each text receives all values, and uses those that it needs.
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
      ...(needsNoMore(kind, context)
        ? []
        : [words.text(context.isElsewhere ? 'failure.internal.do' : `failure.${kind}.do`, values)]),
    ],
  };
}
