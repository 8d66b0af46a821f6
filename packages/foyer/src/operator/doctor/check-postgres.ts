import { inspectPostgres, type PostgresInspection } from '../../database/postgres/inspect-postgres.ts';
import { serverName } from '../../database/postgres/postgres-pool.ts';
import { type DatabaseCheck, schemaFinding, sizeText } from './database-findings.ts';
import { type Finding, fault, ok, warning } from './finding.ts';
import { postgresFault } from './postgres-fault.ts';

/** How many connections a Foyer takes if `pool_max` is not in the URL. */
const defaultPoolMax = 10;
const longTransactionSeconds = 3600;

/** Checks that a Postgres database can be reached and written safely, is up to date, and has connections to spare. */
export async function checkPostgres(url: string): Promise<DatabaseCheck> {
  try {
    const inspection = await inspectPostgres(url);
    return { ...judgePostgres(url, inspection), absent: inspection.isEmpty };
  } catch (error) {
    return { findings: [postgresFault(url, error)], usable: false, absent: false };
  }
}

/** Judges what an inspection found. */
export function judgePostgres(
  url: string,
  inspection: PostgresInspection,
): { findings: Finding[]; usable: boolean } {
  const first = reached(serverName(url), inspection);
  const schema = inspection.isEmpty && !inspection.isUnfinishedCopy ? noTables() : schemaFinding(inspection);
  const findings = [
    first,
    encrypted(url, inspection),
    schema,
    connections(url, inspection),
    cleaned(inspection),
  ];
  return { findings, usable: first.status === 'ok' && schema.status === 'ok' && !inspection.isEmpty };
}

/** Whether Foyer can work there at all; if not, the first obstacle. */
function reached(name: string, found: PostgresInspection): Finding {
  const check = 'database';
  if (found.majorVersion < 14) {
    const detail = `${name} runs Postgres ${found.version}; Foyer needs 14 or newer.`;
    return fault(
      check,
      detail,
      'Upgrade the server (pg_upgrade, or its provider’s way), or name another one.',
    );
  }
  if (found.isStandby) {
    const detail = `${name} is a standby, which takes no writes.`;
    return fault(check, detail, 'Name the primary in DATABASE_URL, or the address that follows it.');
  }
  if (found.isReadOnly) {
    const detail = `${name} lets this role only read (default_transaction_read_only).`;
    return fault(check, detail, 'Set it to off for the role and the database, or name another role.');
  }
  if (found.encoding !== 'UTF8') {
    const detail = `${name} has the encoding ${found.encoding}, in which names of teams and people cannot be stored.`;
    return fault(check, detail, 'Make a database with ENCODING UTF8 TEMPLATE template0, and name that.');
  }
  if (found.schema === null || !found.mayCreateTables) {
    const detail = `This role may not create tables in ${found.schema ?? 'any schema of its search_path'} of ${name}.`;
    const fix = `As its owner: GRANT USAGE, CREATE ON SCHEMA ${found.schema ?? 'public'} TO the role, or make the role the database’s owner.`;
    return fault(check, detail, fix);
  }
  if (!found.mayWrite) {
    const detail = `This role may not read and write all tables of ${name}.`;
    return fault(
      check,
      detail,
      'Name the role that made them, or GRANT ALL ON ALL TABLES IN SCHEMA to this one.',
    );
  }
  return ok(check, `${name} can be written (Postgres ${found.version}, ${sizeText(found.bytes)}).`);
}

function encrypted(url: string, { isEncrypted }: PostgresInspection): Finding {
  const check = 'database-encryption';
  const fix =
    'Add ?sslmode=verify-full to DATABASE_URL (and &sslrootcert=FILE where its certificate is of a CA of your own).';
  if (isEncrypted && new URL(url).searchParams.get('sslmode') === 'no-verify') {
    return warning(check, 'The connection is encrypted, but the server is not asked who it is.', fix);
  }
  if (isEncrypted) return ok(check, 'The connection to the server is encrypted.');
  if (isLocal(url)) return ok(check, 'The server is on this machine.');
  return warning(check, 'The connection crosses the network unencrypted, the password’s proof with it.', fix);
}

/** Whether the connection never leaves this machine: loopback, or a socket in the file system. */
function isLocal(url: string): boolean {
  const { hostname, searchParams } = new URL(url);
  const host = searchParams.get('host') ?? decodeURIComponent(hostname);
  return /^(?:localhost|127\.\d+\.\d+\.\d+|\[?::1\]?|\/.*|)$/.test(host);
}

function noTables(): Finding {
  return warning(
    'database-schema',
    'There are no tables of Foyer yet.',
    'Start Foyer once (npm start) to make them; if there were some, DATABASE_URL names the wrong database.',
  );
}

function connections(url: string, { mostConnections: most, connections: used }: PostgresInspection): Finding {
  const check = 'database-connections';
  const poolMax = Number(new URL(url).searchParams.get('pool_max')) || defaultPoolMax;
  const detail = `${used} of the server’s ${most} connections are in use, and each Foyer takes up to ${poolMax}.`;
  if (used + poolMax <= most) return ok(check, detail);
  const fix =
    'Raise max_connections, give each Foyer fewer (?pool_max=5 in DATABASE_URL), or put PgBouncer in front.';
  return warning(check, `${detail} One more Foyer may find none.`, fix);
}

/** Looks for what keeps the server from clearing dead rows away, which in the end fills its disk. */
function cleaned({ oldestTransactionSeconds: seconds, idleSlots }: PostgresInspection): Finding {
  const check = 'database-vacuum';
  if (idleSlots.length > 0) {
    const detail = `Nobody reads the replication slot ${idleSlots.join(', ')}: the server keeps everything for it.`;
    return warning(check, detail, 'Start what reads it, or drop it: SELECT pg_drop_replication_slot(…).');
  }
  if (seconds !== null && seconds > longTransactionSeconds) {
    const detail = `A transaction has been open for ${Math.round(seconds / 60)} min: dead rows stay until it ends.`;
    return warning(
      check,
      detail,
      'Look in pg_stat_activity for whose it is (state, xact_start), and end it.',
    );
  }
  return ok(check, 'Nothing keeps the server from clearing dead rows away.');
}
