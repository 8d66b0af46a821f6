import pg from 'pg';
import { DatabaseUnavailableError } from '../database.ts';

/**
 * Failures of a Postgres server, by SQLSTATE (https://www.postgresql.org/docs/current/errcodes-appendix.html). A `pg`
 * error without a SQLSTATE concerns the connection itself: refused, reset, timed out, or an invalid certificate.
 */

/** Two transactions conflicted, or one waited too long for a lock. The same work may succeed a moment later. */
const conflict = /^(40001|40P01|55P03)$/;

/**
 * The connection broke or timed out, or the server is starting, stopping, out of connections or now a standby. Foyer
 * discards this connection, because another one may work.
 */
const lostConnection = /^(08|57P0[1-5]|25006|25P0[34]|53300)/;

/**
 * Failures that the statement did not cause, such as conflicts, refused logins, missing rights, full disks or
 * time-outs.
 */
const unavailable = /^(08|25006|25P0|28|3D|3F|40|42501|53|54|55|57|58|F0|XX)/;

/** data_corrupted and index_corrupted: a page of a table or an index has the wrong content. */
const damage = /^XX00[12]/;

function stateOf(error: unknown): string | undefined {
  return error instanceof pg.DatabaseError ? error.code : undefined;
}

const isOfConnection = (error: unknown): boolean =>
  error instanceof Error &&
  !(
    error instanceof TypeError ||
    error instanceof pg.DatabaseError ||
    error instanceof DatabaseUnavailableError
  );

/** Whether the same work may succeed if Foyer simply repeats it. */
export function isConflict(error: unknown): boolean {
  return conflict.test(stateOf(error) ?? '');
}

/** Whether the server reports a damaged page. */
export function isDamage(error: unknown): boolean {
  return damage.test(stateOf(error) ?? '');
}

/** Whether the connection that reported this error must not be used again. A new connection may work. */
export function isLostConnection(error: unknown): boolean {
  return isOfConnection(error) || lostConnection.test(stateOf(error) ?? '');
}

/** Whether a retry may reach the server. It cannot if a certificate, a certificate file or the password is bad. */
export function mayComeBack(error: unknown): boolean {
  if (!isLostConnection(error)) return false;
  const { message, code, syscall } = error as NodeJS.ErrnoException;
  // If the system call `connect` failed with one of these codes, the server's Unix socket is missing. A retry may work,
  // because the socket may still appear. If any other system call failed, Foyer could not read a certificate file that
  // the URL names, and a retry does not help.
  if (/^(ENOENT|EACCES|EISDIR)$/.test(code ?? '') && syscall !== 'connect') return false;
  return !/CERT|SELF_SIGNED|ALTNAME|SSL|TLS|SASL/i.test(`${message} ${String(code)}`);
}

/** Whether a statement was refused only because an earlier statement of the same transaction had failed. */
export function isOfAborted(error: unknown): boolean {
  return stateOf(error) === '25P02';
}

/** The error to report: a DatabaseUnavailableError if the database is unavailable, otherwise the error itself. */
export function asTold(error: unknown, server: string): unknown {
  return isOfConnection(error) || unavailable.test(stateOf(error) ?? '')
    ? asUnavailable(error, server)
    : error;
}

/** Wraps an error in a DatabaseUnavailableError, unless it already is one. */
export function asUnavailable(error: unknown, server: string): DatabaseUnavailableError {
  if (error instanceof DatabaseUnavailableError) return error;
  const message = `The database ${server} cannot be used: ${reasonOf(error)}`;
  return new DatabaseUnavailableError(message, { cause: error });
}

/** The reason as text. A host with several addresses fails with an AggregateError, which has no message of its own. */
function reasonOf(error: unknown): string {
  if (error instanceof AggregateError) return error.errors.map(reasonOf).join('; ');
  if (!(error instanceof Error)) return String(error);
  return 'code' in error && typeof error.code === 'string'
    ? `${error.message} (${error.code})`
    : error.message;
}
