import type { Failure } from 'slack-sandbox';

/**
 * The fault matrix: what can go wrong with each call to Slack or the operators' webhook, and how the install must then
 * end. `fault-matrix.test.ts` runs one complete install for each cell.
 */

/** What goes wrong, by name. Any other name is a Slack error code: `ok: false` with that error. */
export const failures: Readonly<Record<string, Failure>> = {
  '429': { type: 'status', status: 429, retryAfterSeconds: 30 },
  '500': { type: 'status', status: 500 },
  '503': { type: 'status', status: 503 },
  'hangs, did not act': { type: 'hang', delayMs: 60_000, acts: false },
  'hangs, acted': { type: 'hang', delayMs: 60_000, acts: true },
  'reset, did not act': { type: 'reset-before-acting' },
  'reset, acted': { type: 'reset-after-acting' },
  'malformed, did not act': { type: 'malformed-json', acts: false },
  'malformed, acted': { type: 'malformed-json', acts: true },
};

/**
 * What a test expects if the install does not happen: the status and cause on the page, and what became of the tokens
 * that Slack had issued.
 */
export interface NotInstalled {
  page: number;
  cause: string;
  /**
   * - none: Slack issued no tokens.
   * - revoked: Foyer revoked the tokens before it sent the page.
   * - revoked later: the page says that the tokens are not revoked yet; a minute later, Foyer revokes them.
   * - never revoked: Slack never lets Foyer revoke the tokens; Foyer keeps them, and logs that it could not revoke
   *   them.
   * - unknown: Slack's answer never came, so Slack may have issued tokens. The page does not claim that nothing was
   *   installed, and says that installing again fixes the problem.
   */
  tokens: 'none' | 'revoked' | 'revoked later' | 'never revoked' | 'unknown';
}

/** What a test expects if the install happens: how its run ends. A step that is missing from `steps` must succeed. */
export interface Installed {
  run: 'succeeded' | 'failed' | 'waiting';
  /**
   * Maps the name of a step to its status, followed by its error code if there is one, as in `skipped: not_enabled`.
   */
  steps?: Readonly<Record<string, string>>;
  welcomes: 0 | 1;
  /** `active` if absent. */
  installation?: 'broken';
  /** 0 if the operators are not notified. By default, they are notified once. */
  operatorsTold?: 0;
}

export type End = NotInstalled | Installed;

export interface Cell {
  method: string;
  failure: string;
  how: 'once' | 'always';
  end: End;
  /** The call that has to fail before Foyer calls `method` at all, and how that call fails. */
  first?: { method: string; failure: string };
}

const later = ['500', '503', 'reset, did not act', 'malformed, did not act', 'internal_error'];
const laterActed = ['reset, acted', 'malformed, acted'];
const limited = ['429', 'ratelimited'];
const hangs = ['hangs, did not act', 'hangs, acted'];
const dead = ['invalid_auth', 'token_revoked', 'account_inactive'];

/** Returns the error code under which Foyer stores and shows a failure. */
export function codeOf(failure: string): string {
  if (failure === '429' || failure === 'ratelimited') return 'rate_limited';
  if (/^\d+$/.test(failure)) return `http_${failure}`;
  if (failure.startsWith('hangs')) return 'timeout';
  if (failure.startsWith('reset')) return 'connection_failed';
  if (failure.startsWith('malformed')) return 'malformed_answer';
  return failure;
}

function rows(
  method: string,
  names: readonly string[],
  hows: readonly Cell['how'][],
  end: End | ((failure: string) => End),
  first?: Cell['first'],
): Cell[] {
  return names.flatMap((failure) =>
    hows.map((how) => ({
      method,
      failure,
      how,
      end: typeof end === 'function' ? end(failure) : end,
      ...(first && { first }),
    })),
  );
}

const once = ['once'] as const;
const always = ['always'] as const;
const both = ['once', 'always'] as const;
const whole: Installed = { run: 'succeeded', welcomes: 1 };

const refusal = (page: number, cause: string, tokens: NotInstalled['tokens']) => (): End => ({
  page,
  cause,
  tokens,
});

/**
 * Returns what a test expects if `step` fails. `welcomes` is 1 if the person gets the welcome despite the failure. If
 * `notify-operators` fails, the run still succeeds.
 */
const failed =
  (step: string, welcomes: 0 | 1, installation?: 'broken') =>
  (failure: string): End => ({
    run: step === 'notify-operators' ? 'succeeded' : 'failed',
    steps: { [step]: `failed: ${codeOf(failure)}` },
    welcomes,
    ...(installation && { installation }),
    ...(step === 'notify-operators' && { operatorsTold: 0 as const }),
  });

/** What a test expects if Slack answers every call with a request to wait: the run keeps waiting, and shows why. */
function waits(step: string, names: readonly string[], welcomes: 0 | 1): End {
  const after = names.slice(names.indexOf(step) + 1).map((name) => [name, 'pending'] as const);
  return {
    run: 'waiting',
    steps: { [step]: 'retrying: rate_limited', ...Object.fromEntries(after) },
    welcomes,
    operatorsTold: 0,
  };
}

const stepNames = [
  'register-team',
  'register-user',
  'fetch-profile',
  'send-welcome',
  'publish-home',
  'notify-operators',
];

/** `oauth.v2.access` and `auth.test`: called once, while the installer waits for the page. */
const exchange: Cell[] = [
  ...rows('oauth.v2.access', limited, once, refusal(502, 'slack_unreachable', 'none')),
  ...rows(
    'oauth.v2.access',
    [...later, ...laterActed, ...hangs],
    once,
    refusal(502, 'slack_unreachable', 'unknown'),
  ),
  ...rows(
    'oauth.v2.access',
    ['missing_scope', 'org_login_required', 'app_not_installable', ...dead],
    once,
    refusal(502, 'slack_refused', 'none'),
  ),
  ...rows(
    'oauth.v2.access',
    ['invalid_code', 'code_already_used', 'code_expired'],
    once,
    refusal(400, 'code_invalid', 'none'),
  ),
  ...rows(
    'oauth.v2.access',
    ['bad_client_secret', 'invalid_client_id', 'bad_redirect_uri'],
    once,
    refusal(500, 'app_misconfigured', 'none'),
  ),
  ...rows(
    'auth.test',
    [...later, ...laterActed, ...limited, ...hangs],
    once,
    refusal(502, 'slack_unreachable', 'revoked'),
  ),
  ...rows(
    'auth.test',
    ['missing_scope', 'org_login_required', ...dead],
    once,
    refusal(502, 'slack_refused', 'revoked'),
  ),
];

const afterExchange = { method: 'auth.test', failure: '500' };
/** `auth.revoke`: called only if the exchange fails after Slack has issued tokens. */
const revocation: Cell[] = [
  ...rows(
    'auth.revoke',
    [...later, ...laterActed, ...limited, ...hangs, 'missing_scope'],
    once,
    refusal(502, 'slack_unreachable', 'revoked later'),
    afterExchange,
  ),
  ...rows(
    'auth.revoke',
    ['500', 'reset, did not act', '429', 'missing_scope'],
    always,
    refusal(502, 'slack_unreachable', 'never revoked'),
    afterExchange,
  ),
];

/**
 * `users.info` and `team.info`: Foyer sends the welcome even if a call always fails, but not while Slack asks it to
 * wait.
 */
const profile: Cell[] = ['users.info', 'team.info'].flatMap((method) => [
  ...rows(method, [...later, ...laterActed, ...limited, ...hangs], once, whole),
  ...rows(method, [...later, ...laterActed], always, failed('fetch-profile', 1)),
  ...rows(method, ['hangs, did not act'], always, failed('fetch-profile', 1)),
  ...rows(method, limited, always, () => waits('fetch-profile', stepNames, 0)),
  // A refused `team.info` does no harm: Foyer has the team's name from the install. Only `users.info` describes the
  // person.
  ...rows(
    method,
    ['missing_scope', 'user_not_found', 'team_not_found', 'method_not_supported'],
    both,
    method === 'team.info' ? whole : failed('fetch-profile', 1),
  ),
  ...rows(method, dead, both, failed('fetch-profile', 1, 'broken')),
]);

const open: Cell[] = [
  ...rows('conversations.open', [...later, ...laterActed, ...limited, ...hangs], once, whole),
  ...rows('conversations.open', [...later, ...laterActed, 'hangs, acted'], always, failed('send-welcome', 0)),
  ...rows('conversations.open', limited, always, () => waits('send-welcome', stepNames, 0)),
  // Without the scope, Foyer sends the message to the person's id instead.
  ...rows('conversations.open', ['missing_scope'], both, whole),
  ...rows(
    'conversations.open',
    ['user_not_found', 'user_disabled', 'cannot_dm_bot'],
    both,
    failed('send-welcome', 0),
  ),
  ...rows('conversations.open', dead, both, failed('send-welcome', 0, 'broken')),
];

const welcome: Cell[] = [
  ...rows('chat.postMessage', [...later, ...laterActed, ...limited, ...hangs], once, whole),
  // Foyer finds a welcome that arrived, even if Slack's answer is lost every time.
  ...rows('chat.postMessage', [...laterActed, 'hangs, acted'], always, whole),
  ...rows('chat.postMessage', [...later, 'hangs, did not act'], always, failed('send-welcome', 0)),
  ...rows('chat.postMessage', limited, always, () => waits('send-welcome', stepNames, 0)),
  ...rows(
    'chat.postMessage',
    ['missing_scope', 'channel_not_found', 'restricted_action', 'messages_tab_disabled', 'invalid_blocks'],
    both,
    failed('send-welcome', 0),
  ),
  ...rows('chat.postMessage', dead, both, failed('send-welcome', 0, 'broken')),
];

const inDoubt = { method: 'chat.postMessage', failure: 'reset, acted' };
/**
 * Failures of `conversations.history`. Foyer calls that method only if it does not know whether the welcome arrived.
 * Here the welcome did arrive, so Foyer must not send it again.
 */
const search: Cell[] = [
  ...rows('conversations.history', [...later, ...laterActed, ...limited, ...hangs], once, whole, inDoubt),
  ...rows('conversations.history', [...later, ...laterActed], always, failed('send-welcome', 1), inDoubt),
  ...rows('conversations.history', limited, always, () => waits('send-welcome', stepNames, 1), inDoubt),
  ...rows(
    'conversations.history',
    ['missing_scope', 'channel_not_found', 'method_not_supported'],
    always,
    (failure) => ({ ...whole, steps: { 'send-welcome': `unconfirmed: ${failure}` } }),
    inDoubt,
  ),
  // After an error, Foyer searches the history once more: the `chat.postMessage` call that was cut off may still take
  // effect.
  ...rows('conversations.history', ['missing_scope', 'channel_not_found'], once, whole, inDoubt),
  ...rows('conversations.history', dead, both, failed('send-welcome', 1, 'broken'), inDoubt),
];

const home: Cell[] = [
  ...rows('views.publish', [...later, ...laterActed, ...limited, ...hangs], once, whole),
  ...rows('views.publish', [...later, ...laterActed, 'hangs, acted'], always, failed('publish-home', 1)),
  ...rows('views.publish', limited, always, () => waits('publish-home', stepNames, 1)),
  ...rows('views.publish', ['not_enabled'], both, {
    ...whole,
    steps: { 'publish-home': 'skipped: not_enabled' },
  }),
  // If Slack refuses a view, Foyer draws it again with less content, and sends that.
  ...rows('views.publish', ['invalid_arguments', 'view_too_large'], once, whole),
  ...rows('views.publish', ['invalid_arguments', 'view_too_large'], always, failed('publish-home', 1)),
  ...rows(
    'views.publish',
    ['missing_scope', 'hash_conflict', 'user_not_found'],
    both,
    failed('publish-home', 1),
  ),
  ...rows('views.publish', dead, both, failed('publish-home', 1, 'broken')),
];

const unconfirmedTold: End = { ...whole, steps: { 'notify-operators': 'unconfirmed: no_answer' } };
/** The operators' webhook: it answers in plain text, so there is no JSON to be malformed and no `ok: false`. */
const operators: Cell[] = [
  ...rows('webhook', ['429', '500', '503'], once, whole),
  ...rows('webhook', ['500', '503', '403', '404', '410'], always, failed('notify-operators', 1)),
  ...rows('webhook', ['403', '404', '410'], once, failed('notify-operators', 1)),
  ...rows('webhook', ['429'], always, () => waits('notify-operators', stepNames, 1)),
  // A webhook has no history to search, so Foyer does not repeat a message that may have arrived.
  ...rows('webhook', ['reset, acted', 'hangs, acted'], both, unconfirmedTold),
  ...rows('webhook', ['reset, did not act', 'hangs, did not act'], both, {
    ...unconfirmedTold,
    operatorsTold: 0,
  }),
];

export const cells: readonly Cell[] = [
  ...exchange,
  ...revocation,
  ...profile,
  ...open,
  ...welcome,
  ...search,
  ...home,
  ...operators,
];

/**
 * Returns a text that is the same for all cells of a kind: the method, how often it fails, whether Slack hangs, whether
 * Slack acts before the failure, whether Slack asks to wait, and the expected end without its error codes.
 */
function kindOf({ method, failure, how, end }: Cell): string {
  const marks = [failure.startsWith('hangs'), failure.endsWith(', acted'), limited.includes(failure)];
  return JSON.stringify([method, how, marks, end]).replaceAll(/: \w+"/g, '"');
}

/**
 * One cell of each kind, as `kindOf` defines it. The tests on the second engine use only these cells, because the
 * database stores the same kind of outcome for all cells of one kind.
 */
export const cellOfEachEnd: readonly Cell[] = cells.filter(
  (cell, index) => cells.findIndex((other) => kindOf(other) === kindOf(cell)) === index,
);

const quick: ReadonlySet<string> = new Set([
  'oauth.v2.access 503 once',
  'oauth.v2.access reset, acted once',
  'oauth.v2.access invalid_code once',
  'oauth.v2.access bad_client_secret once',
  'auth.test 429 once',
  'auth.test account_inactive once',
  'auth.revoke reset, acted once',
  'auth.revoke 500 always',
  'users.info 429 once',
  'users.info token_revoked once',
  'team.info 500 always',
  'team.info missing_scope always',
  'conversations.open 429 always',
  'conversations.open missing_scope always',
  'chat.postMessage 429 once',
  'chat.postMessage reset, acted always',
  'chat.postMessage malformed, did not act once',
  'chat.postMessage channel_not_found always',
  'chat.postMessage account_inactive once',
  'conversations.history 503 once',
  'conversations.history missing_scope always',
  'views.publish 503 once',
  'views.publish not_enabled once',
  'views.publish invalid_auth always',
  'webhook reset, acted once',
  'webhook 404 once',
]);

/** The sample of cells that `npm test` runs on SQLite. None of these cells waits for a time limit. */
export const quickCells: readonly Cell[] = cells.filter(({ method, failure, how }) =>
  quick.has(`${method} ${failure} ${how}`),
);

const few: ReadonlySet<string> = new Set([
  'oauth.v2.access reset, acted once',
  'auth.test account_inactive once',
  'auth.revoke 500 always',
  'users.info token_revoked once',
  'conversations.open 429 always',
  'chat.postMessage reset, acted always',
  'webhook reset, acted once',
]);

/** The cells that `npm test` runs on Postgres. */
export const fewCells: readonly Cell[] = cells.filter(({ method, failure, how }) =>
  few.has(`${method} ${failure} ${how}`),
);
