import { serverName } from '../../config/database-target.ts';
import { type Finding, findingsOf } from './finding.ts';
import { networkReason } from './network-reason.ts';

/**
 * A cause of failure. `detail` is the end of a sentence that begins with the server's name. If `detail` is empty, the
 * sentence ends with the error's own message or with `networkReason`.
 */
interface Reason {
  is: (failure: { code: string; message: string }) => boolean;
  detail: string;
  fix: string;
}

const tls = 'add ?sslmode=verify-full to DATABASE_URL (and &sslrootcert=FILE if the server’s CA is your own)';

/** The first reason that matches is used. SQLSTATEs: https://www.postgresql.org/docs/current/errcodes-appendix.html */
const reasons: readonly Reason[] = [
  {
    is: ({ code }) => code === '3D000',
    detail: 'does not exist on its server',
    fix: 'Create it (createdb, or CREATE DATABASE), or correct the name at the end of DATABASE_URL.',
  },
  {
    is: ({ code }) => code === '28P01',
    detail: 'refuses the user’s password',
    fix: 'Correct the password in DATABASE_URL; write # / ? @ : % in it as %23 %2F %3F %40 %3A %25.',
  },
  {
    is: ({ code, message }) => code === '' && /password must be a (?:non-empty )?string/.test(message),
    detail: 'asks for a password, and Foyer has none',
    fix: 'Put the password into DATABASE_URL (postgres://user:password@host/database), or into PGPASSWORD.',
  },
  {
    is: ({ code, message }) => code === '28000' && /no encryption|SSL off/.test(message),
    detail: 'accepts no unencrypted connection from here',
    fix: `${tls.charAt(0).toUpperCase()}${tls.slice(1)}.`,
  },
  {
    is: ({ code }) => code === '28000',
    detail: 'refuses this user: there is no such role, or pg_hba.conf has no line for it',
    fix: 'Create the role (CREATE ROLE … LOGIN), or add a line for it to pg_hba.conf and reload the server.',
  },
  {
    is: ({ message }) => /does not support SSL/.test(message),
    detail: 'offers no TLS',
    fix: 'Turn on TLS at the server (ssl = on), or remove sslmode from DATABASE_URL if no one else is on that network.',
  },
  {
    is: ({ code }) => code === '53300',
    detail: 'has no free connection',
    fix: 'Raise max_connections, give each Foyer fewer (?pool_max=5 in DATABASE_URL), or put PgBouncer in front.',
  },
  {
    is: ({ code }) => code.startsWith('57P'),
    detail: 'is starting, stopping or recovering',
    fix: 'Wait until it is up, and run doctor again.',
  },
  {
    is: ({ code, message }) => /^(?:ENOENT|EACCES)$/.test(code) && /, open '/.test(message),
    detail: 'cannot be reached: a file that DATABASE_URL names (sslrootcert, sslcert, sslkey) cannot be read',
    fix: 'Give the full path of a file that this user may read.',
  },
  {
    is: ({ code }) => /CERT|ALTNAME|ISSUER|SIGNATURE/.test(code),
    detail: '',
    fix: 'Give the CA’s certificate (&sslrootcert=FILE in DATABASE_URL), and use the host name that is in the server’s certificate.',
  },
];

/** Says why `doctor` could not inspect a Postgres database, and how to fix that. */
export function postgresFault(url: string, error: unknown): Finding {
  const failure = failureOf(error);
  const name = serverName(url);
  const reason = reasons.find(({ is }) => is(failure));
  const detail =
    reason?.detail || (failure.isOfServer ? `refuses: ${failure.message}` : networkReason(failure.cause));
  const fix =
    reason?.fix ??
    'Make sure that the server runs, that DATABASE_URL names its host and port, and that no firewall blocks the way.';
  return findingsOf('database').fault(`${name} ${detail}.`, fix);
}

/** Reads the code and the message: from the error's cause if it has one, else from the error itself. */
function failureOf(error: unknown): { code: string; message: string; cause: unknown; isOfServer: boolean } {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  const message = cause instanceof Error ? cause.message : String(cause);
  const code = cause instanceof Error && 'code' in cause && typeof cause.code === 'string' ? cause.code : '';
  return { code, message, cause, isOfServer: /^[0-9A-Z]{5}$/.test(code) };
}
