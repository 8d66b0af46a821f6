import type { ConfigProblem } from './config-error.ts';
import { encryptionKeysFix } from './encryption-keys.ts';
import { type Environment, isLoopback } from './environment-schema.ts';
import { weakness } from './weak-secret.ts';

/**
 * Lists the problems of variables that are valid alone, but not together. `right` contains only the valid variables, so
 * that an invalid variable does not hide problems between the valid ones.
 */
export function problemsBetween(
  given: Readonly<Record<string, string>>,
  right: Partial<Environment>,
): ConfigProblem[] {
  const problems: ConfigProblem[] = [];
  const production = right.NODE_ENV === 'production';
  if (production && !given.TOKEN_ENCRYPTION_KEYS) {
    problems.push({
      name: 'TOKEN_ENCRYPTION_KEYS',
      problem: 'is missing, and in production Foyer does not make a key automatically',
      fix: `${encryptionKeysFix}, and keep a copy in a safe place`,
    });
  }
  const { protocol, hostname = '' } = right.PUBLIC_URL ?? {};
  if (production && protocol === 'http:' && !isLoopback(hostname)) {
    problems.push({
      name: 'PUBLIC_URL',
      problem: 'is http, but Slack redirects only to https addresses',
      fix: 'put a TLS proxy in front of Foyer and give its https address',
    });
  }
  // Anyone who guesses CONNECT_SECRET can connect any workspace to any account. The schema checks only its length, and
  // 32 times `x` is long but easy to guess.
  const weak = production && right.CONNECT_SECRET ? weakness(right.CONNECT_SECRET, 0) : undefined;
  if (weak) {
    problems.push({
      name: 'CONNECT_SECRET',
      problem: weak,
      fix: 'use what `openssl rand -base64 32` prints, the same in Foyer and in your backend',
    });
  }
  if (right.DATABASE_URL?.kind === 'postgres' && !production && !given.TOKEN_ENCRYPTION_KEYS) {
    problems.push({
      name: 'TOKEN_ENCRYPTION_KEYS',
      problem: 'is missing, and with Postgres there is no folder for a key file',
      fix: `${encryptionKeysFix}. Use the same value on every machine`,
    });
  }
  const mail = [given.NOTIFY_SMTP_URL, given.NOTIFY_EMAIL_FROM, given.NOTIFY_EMAIL_TO];
  if (mail.some(Boolean) && !mail.every(Boolean)) {
    problems.push({
      name: 'NOTIFY_SMTP_URL, NOTIFY_EMAIL_FROM, NOTIFY_EMAIL_TO',
      problem: 'are only partly set',
      fix: 'set all three to send notifications by email, or none',
    });
  }
  const signsIn = right.SIGN_IN === 'on';
  // Sign in with Slack also uses CONNECT_RETURN_ORIGINS, and does not need CONNECT_SECRET.
  const connects = [...(signsIn ? [] : ['CONNECT_RETURN_ORIGINS']), 'CONNECT_CLAIM_URL'].filter(
    (name) => given[name],
  );
  if (connects.length > 0 && !given.CONNECT_SECRET) {
    problems.push({
      name: connects.join(', '),
      problem: 'is set, but connecting is off without CONNECT_SECRET',
      fix: 'set CONNECT_SECRET to what `openssl rand -base64 32` prints, or leave this out',
    });
  }
  if (given.OPERATOR_SLACK_USERS && !signsIn) {
    problems.push({
      name: 'OPERATOR_SLACK_USERS',
      problem: 'is set, but Sign in with Slack is off',
      fix: 'set SIGN_IN=on, or leave OPERATOR_SLACK_USERS out',
    });
  }
  return problems;
}
