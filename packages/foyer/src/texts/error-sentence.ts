import type { Words } from './create-texts.ts';
import type { TextKey } from './languages/en.ts';

/** The sentences for the most common errors, by error code. */
const keys = {
  missing_scope: 'error.missing_scope',
  rate_limited: 'error.rate_limited',
  ratelimited: 'error.rate_limited',
  timeout: 'error.timeout',
  connection_failed: 'error.connection_failed',
  malformed_answer: 'error.malformed_answer',
  account_inactive: 'error.token',
  invalid_auth: 'error.token',
  token_expired: 'error.token',
  token_revoked: 'error.token',
  user_not_found: 'error.user_not_found',
  messages_tab_disabled: 'error.messages_tab_disabled',
  not_enabled: 'error.not_enabled',
  internal_error: 'error.slack',
  service_unavailable: 'error.slack',
} as const satisfies Readonly<Record<string, TextKey>>;

/**
 * Says what went wrong, for an installer. Only the error code decides: developers write error messages for operators,
 * and installers never see them.
 */
export function errorSentence(words: Words, code: string | null, app: string): string {
  const known: Readonly<Record<string, (typeof keys)[keyof typeof keys]>> = keys;
  const key = code !== null && Object.hasOwn(known, code) ? known[code] : undefined;
  return key === undefined ? words.text('error.unknown', { app }) : words.text(key);
}
