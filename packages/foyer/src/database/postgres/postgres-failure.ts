import pg from 'pg';
import { DatabaseUnavailableError } from '../database.ts';

/**
 * What goes wrong with a Postgres server, by SQLSTATE (https://www.postgresql.org/docs/current/errcodes-appendix.html).
 * An error of `pg` without one is of the connection itself: refused, reset, timed out, a certificate that does not hold.
 */

/** Two transactions met, or one waited too long for another's lock: the same work may pass a moment later. */
const conflict = /^(40001|40P01|55P03)$/;

/** The server starts, stops, is full, or has become a standby: this connection is of no more use, another may be. */
const lostConnection = /^(08|57P0[1-5]|25006|25P0[34]|53300)/;

/** What no statement is to blame for: conflicts, login, rights, resources, time limits, operators, the system, damage. */
const unavailable = /^(08|25006|25P0|28|3D|3F|40|42501|53|54|55|57|58|F0|XX)/;

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

/** Whether the same work may pass if it is simply done again. */
export function isConflict(error: unknown): boolean {
  return conflict.test(stateOf(error) ?? '');
}

/** Whether the connection on which this happened must not be used again, while a new one may work. */
export function isLostConnection(error: unknown): boolean {
  return isOfConnection(error) || lostConnection.test(stateOf(error) ?? '');
}

/** Whether another try may reach the server: what is wrong with a certificate, its file or a password stays wrong. */
export function mayComeBack(error: unknown): boolean {
  if (!isLostConnection(error)) return false;
  const { message, code, syscall } = error as NodeJS.ErrnoException;
  // Of a certificate's file, which the URL names; a server's socket may come.
  if (/^(ENOENT|EACCES|EISDIR)$/.test(code ?? '') && syscall !== 'connect') return false;
  return !/CERT|SELF_SIGNED|ALTNAME|SSL|TLS|SASL/i.test(`${message} ${String(code)}`);
}

/** Whether a statement was refused only because one before it, in the same transaction, had failed. */
export function isOfAborted(error: unknown): boolean {
  return stateOf(error) === '25P02';
}

/** The error as the port tells it: an unavailable database by that name, and any other fault as it is. */
export function asTold(error: unknown, server: string): unknown {
  return isOfConnection(error) || unavailable.test(stateOf(error) ?? '')
    ? asUnavailable(error, server)
    : error;
}

/** Whatever it is, the database cannot be used for it. */
export function asUnavailable(error: unknown, server: string): DatabaseUnavailableError {
  if (error instanceof DatabaseUnavailableError) return error;
  const message = `The database ${server} cannot be used: ${reasonOf(error)}`;
  return new DatabaseUnavailableError(message, { cause: error });
}

/** A host with several addresses fails with several errors, and the one that holds them says nothing. */
function reasonOf(error: unknown): string {
  if (error instanceof AggregateError) return error.errors.map(reasonOf).join('; ');
  if (!(error instanceof Error)) return String(error);
  return 'code' in error && typeof error.code === 'string'
    ? `${error.message} (${error.code})`
    : error.message;
}
