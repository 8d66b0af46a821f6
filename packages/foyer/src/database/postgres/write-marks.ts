import { randomUUID } from 'node:crypto';
import { type Kysely, sql } from 'kysely';
import type { Tx } from '../database.ts';
import type { InTurn } from '../migrate.ts';
import type { Tables } from '../records.ts';

/**
 * Why marks: where the connection is lost between a commit and its answer, something has to tell what became of it.
 * The server's own `pg_xact_status` does not outlive a crash or a failover: the number of a transaction that was lost is
 * given to the next one, and "committed" is then told of that. So each transaction leaves a row that is there if the
 * transaction is, under an id that nobody else has; the next one clears it away, and the table stays as small as what is
 * under way.
 */
export const writeMarksTable = 'write_marks';

const makeTable = `create table if not exists write_marks (
  id uuid primary key,
  made_by text not null default 'write',
  made_at timestamptz not null default now()
)`;

/** What one transaction does about marks. */
export interface WriteMark {
  id: string;
  /** To be executed as the transaction begins. */
  statements: readonly string[];
  /** Once it is known how the transaction ended. */
  settle(end: 'committed' | 'not committed'): void;
}

/** Makes what hands out the marks of one process. */
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

/** Whether the transaction that made the mark was committed. Run it in a transaction; it waits for one still at its end. */
export async function isMarkKept(transaction: Tx, id: string): Promise<boolean> {
  // Nobody else makes this mark: where it can be made anew, the transaction is gone, and cannot come back.
  await sql`insert into write_marks (id, made_by) values (${id}, 'doubt') on conflict (id) do nothing`.execute(
    transaction,
  );
  const found = await sql<{ made_by: string }>`select made_by from write_marks where id = ${id}`.execute(
    transaction,
  );
  return found.rows[0]?.made_by === 'write';
}

/** Makes the table where it is missing, in its turn, and clears away what processes left behind that died. */
export async function prepareWriteMarks(queries: Kysely<Tables>, inTurn: InTurn): Promise<void> {
  const found = await sql<{ name: string | null }>`select to_regclass('write_marks')::text as name`.execute(
    queries,
  );
  if (found.rows[0]?.name == null)
    return inTurn(async (transaction) => void (await sql.raw(makeTable).execute(transaction)));
  const standby = await sql<{ is: boolean }>`select pg_is_in_recovery() as is`.execute(queries);
  if (standby.rows[0]?.is) return;
  await sql`delete from write_marks where made_at < now() - interval '1 day'`.execute(queries);
}
