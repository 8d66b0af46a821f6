/**
 * Why one table: the flow takes its HTTP status from the same line that gives the page its words, so the two cannot
 * tell different stories. The contract: cancelled 200, a bad or used state 400, Slack unreachable 502, our database
 * down 503, nothing there 404.
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
  | 'not_found'
  | 'progress_expired'
  | 'method_not_allowed'
  | 'payload_too_large'
  | 'too_many_requests'
  | 'wrong_host'
  | 'internal';

/** What the sentences may mention. */
export interface FailureContext {
  appName: string;
  /**
   * Whether the tokens that Slack had issued were given back (invariant 1); undefined where it had issued none, or
   * nobody can say.
   */
  tokensRevoked?: boolean;
  /** Whether Slack may have let the app in without our hearing of it: then the page must not deny it. */
  mayHaveActed?: boolean;
  /** When to try again, for a limit. */
  retryAfterSeconds?: number;
  /** Why a rule of the app refuses, in the words of its author. */
  reason?: string;
}

/** One cause: its HTTP status and its words. */
export interface FailureText {
  status: number;
  heading: string;
  /** What the installer wants to know first: whether the app is in the workspace now; left out where nobody asks. */
  fact?: string | ((context: FailureContext) => string);
  /** What happened, then what to do: one short paragraph each. */
  sentences: (context: FailureContext) => readonly string[];
  /** again: to the page that was asked for. */
  button: { label: string; leadsTo: 'install' | 'again' | 'landing' };
}

const nothing = 'Nothing was installed';
const startAgain = { label: 'Start again', leadsTo: 'install' } as const;
const tryAgain = { label: 'Try again', leadsTo: 'install' } as const;
const startPage = { label: 'Go to the start page', leadsTo: 'landing' } as const;

/** Slack may have acted, and no token of it has reached us. */
function isInDoubt({ tokensRevoked, mayHaveActed }: FailureContext): boolean {
  return tokensRevoked === undefined && mayHaveActed === true;
}

function storedNothing(context: FailureContext): string {
  return context.tokensRevoked === false || isInDoubt(context) ? 'The install was not finished' : nothing;
}

/** What became of the access that Slack had issued, and what to do where it could not be given back. */
function aboutTokens(context: FailureContext): string[] {
  const { appName, tokensRevoked } = context;
  if (isInDoubt(context)) {
    return [`If Slack let ${appName} in all the same, installing again puts this right.`];
  }
  if (tokensRevoked === undefined) return [];
  return tokensRevoked
    ? ['Slack had already issued access to your workspace. We gave it back straight away.']
    : [
        `Slack had already issued access to your workspace, and we could not give it back yet. Installing again puts this right; so does removing ${appName} on Slack’s Manage apps page.`,
      ];
}

/** Every cause, with its HTTP status and its words. */
export const failurePages: Readonly<Record<FailureKind, FailureText>> = {
  access_denied: {
    status: 200,
    heading: 'You cancelled, and that’s fine',
    fact: nothing,
    // The app may be there from before: who cancels a change of its permissions has removed nothing.
    sentences: () => [
      'You said no on Slack’s page, so nothing has changed in your workspace.',
      'If you changed your mind, start again. If your workspace needs an admin’s approval first, Slack’s page lets you ask for it.',
    ],
    button: startAgain,
  },
  state_missing: {
    status: 400,
    heading: 'One more step to finish safely',
    fact: 'Nothing was installed yet',
    sentences: ({ appName }) => [
      `You came straight from Slack’s own pages. ${appName} only accepts installs that begin here, so that nobody can connect a workspace on your behalf.`,
      'Continue, and Slack asks you to confirm once more.',
    ],
    button: { label: 'Continue to Slack', leadsTo: 'install' },
  },
  state_invalid: {
    status: 400,
    heading: 'This link is broken',
    fact: nothing,
    sentences: () => [
      'The link that brought you back from Slack was incomplete or had been changed, so we did not trust it.',
      'Start again, and you get a fresh one.',
    ],
    button: startAgain,
  },
  state_wrong_browser: {
    status: 400,
    heading: 'Please finish in the browser you began in',
    fact: nothing,
    sentences: () => [
      'This install was not started in this browser, or this browser blocks our cookie.',
      'Allow cookies for this site if you block them, then start again here.',
    ],
    button: startAgain,
  },
  state_expired: {
    status: 400,
    heading: 'The ten minutes are over',
    fact: nothing,
    sentences: () => [
      'To keep your workspace safe, an install has to be finished within ten minutes of its start.',
      'Start again, and you have ten more.',
    ],
    button: startAgain,
  },
  state_used: {
    status: 400,
    heading: 'This link was already used',
    fact: 'This visit changed nothing',
    sentences: ({ appName }) => [
      `Each install link works once. If you finished the install the first time, you will find ${appName} in Slack, and nothing is left to do.`,
      'If not, start again.',
    ],
    button: startAgain,
  },
  code_missing: {
    status: 400,
    heading: 'Slack sent you back too early',
    fact: nothing,
    sentences: () => [
      'You came back from Slack without its approval, so there was nothing to finish.',
      'Start again, and press Allow on Slack’s page.',
    ],
    button: startAgain,
  },
  code_invalid: {
    status: 400,
    heading: 'Slack no longer accepts this approval',
    fact: nothing,
    sentences: () => [
      'An approval works once and only for a few minutes. This one was already used or had run out.',
      'Start again to get a new one.',
    ],
    button: startAgain,
  },
  app_misconfigured: {
    status: 500,
    heading: 'This app is not set up correctly',
    fact: nothing,
    sentences: ({ appName }) => [
      `It is not your fault: Slack does not accept the settings that ${appName} runs with.`,
      'Whoever runs it has to mend that; trying again helps only afterwards. The reference below tells them where to look.',
    ],
    button: tryAgain,
  },
  scope_invalid: {
    status: 500,
    heading: 'This app asks for something Slack does not allow',
    fact: nothing,
    sentences: ({ appName }) => [
      `It is not your fault: Slack refuses one of the permissions that ${appName} asks for.`,
      'Whoever runs it has to mend that; trying again helps only afterwards.',
    ],
    button: tryAgain,
  },
  slack_unreachable: {
    status: 502,
    heading: 'We could not reach Slack',
    fact: storedNothing,
    sentences: (context) => [
      'Slack did not answer, or not as it should. That usually passes within minutes.',
      ...aboutTokens(context),
    ],
    button: tryAgain,
  },
  slack_refused: {
    status: 502,
    heading: 'Slack said no',
    fact: storedNothing,
    sentences: (context) => [
      'Slack refused this install. An admin of your workspace may have restricted which apps can be added.',
      ...aboutTokens(context),
    ],
    button: tryAgain,
  },
  database_unavailable: {
    status: 503,
    heading: 'We could not save your install',
    fact: storedNothing,
    sentences: (context) => [
      'Our database is not available right now, so we stopped rather than leave things half done.',
      ...aboutTokens(context),
      ...(context.tokensRevoked === false ? [] : ['Try again in a few minutes.']),
    ],
    button: tryAgain,
  },
  outcome_unknown: {
    status: 503,
    heading: 'We are checking your install',
    fact: 'We do not know yet whether it was saved',
    sentences: ({ appName }) => [
      'Our database failed while it saved your install. It restarts now, and then we look at what was saved.',
      `Within a few minutes either ${appName} is installed and its setup continues, or we have given back the access that Slack issued and you can start again.`,
    ],
    button: { label: 'Look again', leadsTo: 'again' },
  },
  // Whoever only looks, at an install that may long be done, must not be told that nothing was installed.
  temporarily_unavailable: {
    status: 503,
    heading: 'We cannot look this up right now',
    sentences: () => [
      'Our database is not available at the moment. That usually passes within minutes, and what was installed before is not lost.',
    ],
    button: { label: 'Try again', leadsTo: 'again' },
  },
  took_too_long: {
    status: 504,
    heading: 'This takes longer than it should',
    fact: (context) =>
      context.tokensRevoked === undefined ? 'The install may still finish' : storedNothing(context),
    sentences: (context) => [
      'We did not get an answer in time, and did not want to keep you waiting.',
      ...(context.tokensRevoked === undefined
        ? [
            `Look for ${context.appName} in Slack in a minute. If it is not there, try again: installing twice does no harm.`,
          ]
        : aboutTokens(context)),
    ],
    button: tryAgain,
  },
  link_invalid: {
    status: 400,
    heading: 'We do not trust this link',
    fact: nothing,
    sentences: () => [
      'The link that brought you here is incomplete or was changed.',
      'Ask the person or the page that gave it to you for a new one.',
    ],
    button: startPage,
  },
  link_expired: {
    status: 400,
    heading: 'This link has expired',
    fact: nothing,
    sentences: () => [
      'Links that connect a workspace work for a limited time.',
      'Ask the person or the page that gave it to you for a new one.',
    ],
    button: startPage,
  },
  link_used: {
    status: 400,
    heading: 'This link has connected a workspace',
    fact: 'This visit changed nothing',
    sentences: () => [
      'Each link connects one workspace, and this one was already used.',
      'If you want to connect another workspace, ask for a new link.',
    ],
    button: startPage,
  },
  form_expired: {
    status: 400,
    heading: 'Please open the link again',
    fact: nothing,
    sentences: () => [
      'This page was open for too long, was opened in another browser, or this browser blocks our cookie.',
      'Open the link again and press the button within half an hour.',
    ],
    button: startPage,
  },
  gate_refused: {
    status: 403,
    heading: 'This app cannot be installed here',
    fact: storedNothing,
    sentences: (context) => [
      context.reason ?? `${context.appName} does not accept installs from this workspace.`,
      ...aboutTokens(context),
    ],
    button: startPage,
  },
  gate_failed: {
    status: 503,
    heading: 'We could not check this install',
    fact: storedNothing,
    sentences: (context) => [
      `${context.appName} checks each install before it is stored, and that check failed or took too long.`,
      ...aboutTokens(context),
      ...(context.tokensRevoked === false ? [] : ['Try again in a few minutes.']),
    ],
    button: tryAgain,
  },
  already_connected: {
    status: 403,
    heading: 'This workspace is already connected',
    fact: 'This visit changed nothing',
    sentences: ({ appName }) => [
      `The workspace is connected with another account of ${appName}, so we did not connect it with this one.`,
      'If both accounts are yours, disconnect it in the other one first. Otherwise ask an admin of the workspace.',
    ],
    button: startPage,
  },
  other_workspace: {
    status: 403,
    heading: 'You chose another workspace',
    fact: storedNothing,
    sentences: (context) => [
      'This link is for one particular workspace, and you chose a different one at Slack.',
      'Open the link again, and choose the right one in the upper right corner of Slack’s page.',
      ...aboutTokens(context),
    ],
    button: startPage,
  },
  not_found: {
    status: 404,
    heading: 'There is nothing at this address',
    sentences: () => ['The link may be old, or a part of it may be missing.'],
    button: startPage,
  },
  progress_expired: {
    status: 404,
    heading: 'This page is no longer available',
    sentences: ({ appName }) => [
      `The progress of an install can be watched here for a limited time. If it finished, ${appName} is in Slack: its Home tab shows the whole record.`,
    ],
    button: startPage,
  },
  method_not_allowed: {
    status: 405,
    heading: 'That does not work here',
    sentences: () => ['This address does not answer the kind of request that your browser sent.'],
    button: startPage,
  },
  payload_too_large: {
    status: 413,
    heading: 'That was too much at once',
    sentences: () => ['The request was larger than we accept, so we did not read it.'],
    button: startPage,
  },
  too_many_requests: {
    status: 429,
    heading: 'Too many attempts',
    sentences: ({ retryAfterSeconds = 60 }) => [
      'We received more install attempts than we accept at once, so we did not start this one. Nothing has changed in your workspace.',
      `Please try again in ${waitText(retryAfterSeconds)}.`,
    ],
    button: tryAgain,
  },
  wrong_host: {
    status: 421,
    heading: 'Please use this page’s own address',
    sentences: ({ appName }) => [
      `You reached ${appName} under another host name. To keep your session safe, this page opens at its own address only.`,
    ],
    button: { label: 'Go to that address', leadsTo: 'again' },
  },
  internal: {
    status: 500,
    heading: 'Something went wrong on our side',
    fact: (context) =>
      context.tokensRevoked === undefined ? 'The install may not be finished' : storedNothing(context),
    sentences: (context) => [
      'It is not your fault. We have noted it, and whoever runs this app can look it up.',
      ...aboutTokens(context),
    ],
    button: tryAgain,
  },
};

function waitText(seconds: number): string {
  if (seconds < 100) return seconds === 1 ? '1 second' : `${seconds} seconds`;
  return `${Math.ceil(seconds / 60)} minutes`;
}
