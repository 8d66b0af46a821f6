import { randomUUID } from 'node:crypto';
import { type Kysely, sql } from 'kysely';
import type { Tx } from '../database.ts';
import type { InTurn } from '../migrate.ts';
import type { Tables } from '../records.ts';

/**
 * Each transaction writes a mark: a row with a unique id, which exists only if the transaction was committed. Later
 * transactions delete the row, so the table stays small. If the connection is lost between a commit and its answer, the
 * mark shows the outcome. The server's own `pg_xact_status` can be wrong after a crash or a failover, because the
 * server can use the number of a lost transaction again. If the new transaction with this number is committed, the
 * server reports "committed" for the lost transaction too.
 */
export const writeMarksTable = 'write_marks';

const makeTable = `create table if not exists write_marks (
  id uuid primary key,
  made_by text not null default 'write',
  made_at timestamptz not null default now()
)`;

/** The mark of one transaction. */
export interface WriteMark {
  id: string;
  /** Execute these when the transaction begins. */
  statements: readonly string[];
  /** Call `settle` when the outcome of the transaction is known. */
  settle(end: 'committed' | 'not committed'): void;
}

/** Creates the marks that one process writes. Each call of `next` returns a new mark. */
export function createWriteMarks(): { next(): WriteMark } {
  const spent: string[] = [];
  return {
    next() {
      const id = randomUUID();
      const cleared = spent.splice(0, 50);
      const list = cleared.map((each) => `'${each}'`).join(', ');
      const clear = list === '' ? [] : [`delete from write_marks where id in (${list})`];
      return {
        id,
        statements: [...clear, `insert into write_marks (id) values ('${id}')`],
        settle: (end) => void spent.push(...(end === 'committed' ? [id] : cleared)),
      };
    },
  };
}

/**
 * Whether the mark's transaction was committed. Waits until that transaction has ended, so call it in another
 * transaction.
 */
export async function isMarkKept(transaction: Tx, id: string): Promise<boolean> {
  // Only one other statement inserts this id: the statement of the transaction in doubt. So if the insert here
  // succeeds, the transaction in doubt was not committed and never will be.
  await sql`insert into write_marks (id, made_by) values (${id}, 'doubt') on conflict (id) do nothing`.execute(
    transaction,
  );
  const found = await sql<{ made_by: string }>`select made_by from write_marks where id = ${id}`.execute(
    transaction,
  );
  return found.rows[0]?.made_by === 'write';
}

/**
 * Creates the table of write marks if it is missing; `inTurn` lets one process after the other do so. If the table
 * exists, deletes marks that are older than a day, which processes left behind when they died. Deletes nothing on a
 * standby.
 */
export async function prepareWriteMarks(queries: Kysely<Tables>, inTurn: InTurn): Promise<void> {
  // Another schema on the search path may have the table of another Foyer.
  const found = await sql<{ name: string | null }>`
    select to_regclass(quote_ident(current_schema()) || '.write_marks')::text as name`.execute(queries);
  if (found.rows[0]?.name == null)
    return inTurn(async (transaction) => void (await sql.raw(makeTable).execute(transaction)));
  const standby = await sql<{ is: boolean }>`select pg_is_in_recovery() as is`.execute(queries);
  if (standby.rows[0]?.is) return;
  await sql`delete from write_marks where made_at < now() - interval '1 day'`.execute(queries);
}
