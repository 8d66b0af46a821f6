import {
  InstallRefusedError,
  LinkUsedError,
  MoveUnconfirmedError,
} from '../connections/commit-connection.ts';
import { DatabaseUnavailableError } from '../database/database.ts';
import type { FailureKind } from '../http/pages/failure-texts.ts';
import { slackFailure } from '../slack/slack-failure.ts';
import { GateFailedError } from './gate.ts';

/** Slack's refusals of an exchange that say our settings are wrong: no installer can mend them. */
const misconfigured = new Set([
  'bad_client_secret',
  'bad_redirect_uri',
  'invalid_client',
  'invalid_client_id',
  'invalid_grant_type',
  'oauth_authorization_url_mismatch',
]);

/** Slack's refusals that say: this code is no good any more. A fresh start mends them. */
const codeSpent = new Set(['code_already_used', 'code_expired', 'invalid_code', 'invalid_grant']);

/** What Slack may put into `?error=` of the callback instead of a code. */
const scopeRefused = new Set(['invalid_scope', 'scope_not_allowed', 'unapproved_scope']);

/** Why an install did not happen: the page to show, and the cause by name for the record and the log. */
export interface CallbackFailure {
  kind: FailureKind;
  /** Slack's error, or ours; short, and no secret. */
  code: string;
  /** The HTTP status, where it is not the page's usual one. */
  status?: number;
  /** Whether Slack may have let the app in without our hearing of it. */
  mayHaveActed?: boolean;
  /** failed unless a rule refused it. */
  outcome?: 'refused';
  /** Why the app's gate refuses, for the page. */
  reason?: string;
}

/**
 * Translates an `error=` parameter of Slack's redirect. Anybody can write one into the address, so it is the request's
 * fault (400) and never ours.
 */
export function redirectFailure(error: string): CallbackFailure {
  const code = /^[a-z0-9_]{1,60}$/.test(error) ? error : 'unknown_error';
  if (code === 'access_denied') return { kind: 'access_denied', code };
  return { kind: scopeRefused.has(code) ? 'scope_invalid' : 'slack_refused', code, status: 400 };
}

/** Translates whatever ended an exchange. */
export function exchangeFailure(error: unknown): CallbackFailure {
  if (error instanceof InstallRefusedError) {
    const { code, reason } = error;
    return { kind: code, code, outcome: 'refused', reason };
  }
  if (error instanceof MoveUnconfirmedError)
    return { kind: 'already_connected', code: error.code, outcome: 'refused' };
  if (error instanceof LinkUsedError) return { kind: 'link_used', code: error.code };
  if (error instanceof GateFailedError) return { kind: 'gate_failed', code: error.code };
  if (error instanceof DatabaseUnavailableError) return { kind: 'database_unavailable', code: error.code };
  const failure = slackFailure(error);
  if (!failure) return { kind: 'internal', code: 'internal_error' };
  const { code, mayHaveActed } = failure;
  if (failure.kind === 'unreachable' || failure.kind === 'rate-limited')
    return { kind: 'slack_unreachable', code, mayHaveActed };
  if (codeSpent.has(code)) return { kind: 'code_invalid', code };
  if (misconfigured.has(code)) return { kind: 'app_misconfigured', code };
  return { kind: 'slack_refused', code };
}
