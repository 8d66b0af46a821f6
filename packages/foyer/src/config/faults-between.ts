import type { ConfigFault } from './config-error.ts';
import type { Environment } from './environment-schema.ts';

/**
 * Faults that lie between variables, where each alone looks fine. `right` holds those that do: what is wrong with others
 * keeps no fault between these from being told.
 */
export function faultsBetween(
  given: Readonly<Record<string, string>>,
  right: Partial<Environment>,
): ConfigFault[] {
  const faults: ConfigFault[] = [];
  const production = right.NODE_ENV === 'production';
  if (production && !given.TOKEN_ENCRYPTION_KEYS) {
    faults.push({
      name: 'TOKEN_ENCRYPTION_KEYS',
      problem: 'is missing, and production does not make a key by itself',
      mend: 'set it to main:KEY, where KEY is what `openssl rand -base64 32` prints, and keep a copy in a safe place',
    });
  }
  const { protocol, hostname = '' } = right.PUBLIC_URL ?? {};
  if (production && protocol === 'http:' && !/^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(hostname)) {
    faults.push({
      name: 'PUBLIC_URL',
      problem: 'is http, and Slack sends people back to https addresses alone',
      mend: 'put a TLS proxy in front of Foyer and give its https address',
    });
  }
  if (right.DATABASE_URL?.kind === 'postgres' && !production && !given.TOKEN_ENCRYPTION_KEYS) {
    faults.push({
      name: 'TOKEN_ENCRYPTION_KEYS',
      problem: 'is missing, and a Postgres database has no place beside it for a key file',
      mend: 'set it to main:KEY, where KEY is what `openssl rand -base64 32` prints, the same on every machine',
    });
  }
  const mail = [given.NOTIFY_SMTP_URL, given.NOTIFY_EMAIL_FROM, given.NOTIFY_EMAIL_TO];
  if (mail.some(Boolean) && !mail.every(Boolean)) {
    faults.push({
      name: 'NOTIFY_SMTP_URL, NOTIFY_EMAIL_FROM, NOTIFY_EMAIL_TO',
      problem: 'are set in part',
      mend: 'set all three to report by mail, or none',
    });
  }
  return faults;
}
