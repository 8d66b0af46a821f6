import { serverName } from '../../config/database-target.ts';
import {
  inspectPostgres,
  type PostgresInspection,
  readPostgres,
} from '../../database/postgres/inspect-postgres.ts';
import { type DatabaseCheck, schemaFinding, sizeText } from './database-findings.ts';
import { type Finding, findingsOf } from './finding.ts';
import { postgresFault } from './postgres-fault.ts';

/** The most connections that one Foyer process opens if the URL has no `pool_max`. */
const defaultPoolMax = 10;
const longTransactionSeconds = 3600;

/**
 * Checks that a Postgres database can be reached and written, that the connection is encrypted, that the schema is up
 * to date, and that the server has spare connections and can remove dead rows.
 */
export async function checkPostgres(url: string, own: readonly string[]): Promise<DatabaseCheck> {
  try {
    const inspection = await inspectPostgres(url, own);
    const { findings, usable } = judgePostgres(url, inspection);
    const open = usable ? () => readPostgres(url) : undefined;
    return { findings, open, absent: inspection.isEmpty };
  } catch (error) {
    return { findings: [postgresFault(url, error)], open: undefined, absent: false };
  }
}

/** Turns the result of an inspection into findings. `usable` is true if the other checks can read the records. */
export function judgePostgres(
  url: string,
  inspection: PostgresInspection,
): { findings: Finding[]; usable: boolean } {
  const first = reached(serverName(url), inspection);
  const schema = schemaFinding(inspection);
  const findings = [
    first,
    encrypted(url, inspection),
    schema,
    connections(url, inspection),
    cleaned(inspection),
  ];
  return { findings, usable: first.status === 'ok' && schema.status === 'ok' };
}

/** Reports that Foyer can use this server, or the first reason why it cannot. */
function reached(name: string, found: PostgresInspection): Finding {
  const { ok, fault } = findingsOf('database');
  if (found.majorVersion < 14) {
    const detail = `${name} runs Postgres ${found.version}; Foyer needs 14 or newer.`;
    return fault(
      detail,
      'Upgrade the server (with pg_upgrade, or as its provider describes), or use another one.',
    );
  }
  if (found.isStandby) {
    const detail = `${name} is a standby, which takes no writes.`;
    return fault(detail, 'Name the primary in DATABASE_URL, or an address that always leads to it.');
  }
  if (found.isReadOnly) {
    const detail = `${name} lets this role only read (default_transaction_read_only).`;
    return fault(
      detail,
      'Set default_transaction_read_only to off for the role and the database, or use another role.',
    );
  }
  if (found.encoding !== 'UTF8') {
    const detail = `${name} has the encoding ${found.encoding}, which cannot store every name of a team or person.`;
    return fault(
      detail,
      'Create a database with ENCODING UTF8 TEMPLATE template0, and name it in DATABASE_URL.',
    );
  }
  if (found.schema === null || !found.mayCreateTables) {
    const detail = `This role is not allowed to create tables in ${found.schema ?? 'any schema of its search_path'} of ${name}.`;
    const fix = `As the database’s owner, run GRANT USAGE, CREATE ON SCHEMA ${found.schema ?? 'public'} TO the role; or make the role the owner.`;
    return fault(detail, fix);
  }
  if (!found.mayWrite) {
    const detail = `This role is not allowed to read and write all tables of ${name}.`;
    return fault(
      detail,
      'Use the role that owns the tables, or GRANT ALL ON ALL TABLES IN SCHEMA … TO this role.',
    );
  }
  return ok(`${name} can be written (Postgres ${found.version}, ${sizeText(found.bytes)}).`);
}

function encrypted(url: string, { isEncrypted }: PostgresInspection): Finding {
  const { ok, warning } = findingsOf('database-encryption');
  const fix =
    'Add ?sslmode=verify-full to DATABASE_URL (and &sslrootcert=FILE if the server’s certificate is from a CA of your own).';
  if (isEncrypted && new URL(url).searchParams.get('sslmode') === 'no-verify') {
    return warning('The connection is encrypted, but the server’s certificate is not verified.', fix);
  }
  if (isEncrypted) return ok('The connection to the server is encrypted.');
  if (isLocal(url)) return ok('The server is on this machine.');
  return warning('The connection crosses the network unencrypted, and so does the login.', fix);
}

/** Returns whether the connection stays on this machine: loopback, or a socket in the file system. */
function isLocal(url: string): boolean {
  const { hostname, searchParams } = new URL(url);
  const host = searchParams.get('host') ?? decodeURIComponent(hostname);
  return /^(?:localhost|127\.\d+\.\d+\.\d+|\[?::1\]?|\/.*|)$/.test(host);
}

function connections(url: string, { mostConnections: most, connections: used }: PostgresInspection): Finding {
  const { ok, warning } = findingsOf('database-connections');
  const poolMax = Number(new URL(url).searchParams.get('pool_max')) || defaultPoolMax;
  const detail = `${used} of the server’s ${most} connections are in use, and each Foyer takes up to ${poolMax}.`;
  if (used + poolMax <= most) return ok(detail);
  const fix =
    'Raise max_connections, give each Foyer fewer (?pool_max=5 in DATABASE_URL), or put PgBouncer in front.';
  return warning(`${detail} There may be no connections left for one more Foyer.`, fix);
}

/**
 * Reports what keeps the server from removing dead rows or old files of its write-ahead log. If they are not removed,
 * they eventually fill the server's disk.
 */
function cleaned({ oldestTransactionSeconds: seconds, idleSlots }: PostgresInspection): Finding {
  const { ok, warning } = findingsOf('database-vacuum');
  if (idleSlots.length > 0) {
    const detail = `Nothing reads the replication slot ${idleSlots.join(', ')}, so the server keeps the whole write-ahead log since the slot was last read.`;
    return warning(
      detail,
      'Start the replica that reads the slot, or drop the slot: SELECT pg_drop_replication_slot(…).',
    );
  }
  if (seconds !== null && seconds > longTransactionSeconds) {
    const detail = `A transaction has been open for ${Math.round(seconds / 60)} min: dead rows stay until it ends.`;
    return warning(detail, 'Find the transaction in pg_stat_activity (state, xact_start), and end it.');
  }
  return ok('The server can remove dead rows.');
}
