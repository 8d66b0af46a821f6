import {
  InstallRefusedError,
  LinkUsedError,
  MoveUnconfirmedError,
} from '../connections/commit-connection.ts';
import { DatabaseUnavailableError } from '../database/database.ts';
import type { FailureKind } from '../http/pages/failure-texts.ts';
import { AppNotInstalledError } from '../installations/installation-store.ts';
import { slackFailure } from '../slack/slack-failure.ts';
import { GateFailedError } from './gate.ts';

/**
 * Slack's error codes, grouped by the page that explains them. They come from the callback's `?error=` or from the
 * answer to the exchange. Any other code may come from a rule of the workspace, so its page is `slack_refused`.
 * - unapproved_scope: an admin has not yet approved a scope.
 * - app_not_distributed: public distribution is off in the app's settings, so the app can be installed only in the
 *   workspace that owns it.
 * - app_misconfigured: the app's settings are wrong, and an installer cannot fix them.
 * - code_invalid: the installer can fix it by starting again.
 * - slack_trouble: a temporary problem at Slack.
 *
 * (docs.slack.dev/reference/methods/oauth.v2.access#errors, RFC 6749 section 4.1.2.1)
 */
const codesOf: Partial<Record<FailureKind, readonly string[]>> = {
  access_denied: ['access_denied'],
  unapproved_scope: ['unapproved_scope'],
  app_not_distributed: ['invalid_team_for_non_distributed_app'],
  scope_invalid: ['invalid_scope', 'scope_not_allowed'],
  app_misconfigured: [
    'bad_client_id',
    'bad_client_secret',
    'bad_redirect_uri',
    'deprecated_endpoint',
    'invalid_arguments',
    'invalid_client',
    'invalid_client_id',
    'invalid_grant_type',
    'invalid_request',
    'no_scopes',
    'oauth_authorization_url_mismatch',
    'unauthorized_client',
    'unsupported_response_type',
  ],
  code_invalid: ['code_already_used', 'code_expired', 'invalid_code', 'invalid_grant'],
  slack_trouble: [
    'fatal_error',
    'internal_error',
    'rate_limited',
    'ratelimited',
    'request_timeout',
    'server_error',
    'service_unavailable',
    'team_added_to_org',
    'temporarily_unavailable',
  ],
};
const causes: ReadonlyMap<string, FailureKind> = new Map(
  Object.entries(codesOf).flatMap(([kind, codes]) => codes.map((code) => [code, kind as FailureKind])),
);

/** Why an install did not happen: which page to show, and the name of the cause for the record and the log. */
export interface CallbackFailure {
  kind: FailureKind;
  /** Slack's error code, or ours. It is short, and contains no secret. */
  code: string;
  /** The HTTP status, if it is not the page's usual one. */
  status?: number;
  /** Whether Slack may have installed the app although Foyer got no answer. */
  mayHaveActed?: boolean;
  /** Set if a rule, such as the app's gate, refused the install. */
  outcome?: 'refused';
  /** The reason that the app's gate gave, which the page shows; undefined if the gate did not refuse. */
  reason?: string;
}

/**
 * Translates the `error=` parameter of Slack's redirect. Anyone can write this parameter into the address, so it never
 * counts as an error of our server. The status is 200 for a cancel, 502 for a problem at Slack, and otherwise 400.
 */
export function redirectFailure(error: string): CallbackFailure {
  const code = /^[a-z0-9_]{1,60}$/.test(error) ? error : 'unknown_error';
  const kind = causes.get(code) ?? 'slack_refused';
  if (kind === 'access_denied' || kind === 'slack_trouble') return { kind, code };
  return { kind, code, status: 400 };
}

/** Translates the error that ended an exchange. */
export function exchangeFailure(error: unknown): CallbackFailure {
  if (error instanceof InstallRefusedError) {
    const { code, reason } = error;
    return { kind: code, code, outcome: 'refused', reason };
  }
  if (error instanceof MoveUnconfirmedError)
    return { kind: 'already_connected', code: error.code, outcome: 'refused' };
  if (error instanceof LinkUsedError) return { kind: 'link_used', code: error.code };
  if (error instanceof AppNotInstalledError) return { kind: 'not_installed', code: error.code };
  if (error instanceof GateFailedError) return { kind: 'gate_failed', code: error.code };
  if (error instanceof DatabaseUnavailableError) return { kind: 'database_unavailable', code: error.code };
  const failure = slackFailure(error);
  if (!failure) return { kind: 'internal', code: 'internal_error' };
  const { code, mayHaveActed } = failure;
  if (failure.kind === 'unreachable' || failure.kind === 'rate-limited')
    return { kind: 'slack_unreachable', code, mayHaveActed };
  const kind = causes.get(code) ?? 'slack_refused';
  // The callback had a code, which means that the installer agreed. So the refusal is Slack's.
  return { kind: kind === 'access_denied' ? 'slack_refused' : kind, code };
}
