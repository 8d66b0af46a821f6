import { type CompiledQuery, sql } from 'kysely';
import type { Database } from '../../../src/database/database.ts';

/** How a query finds its rows in one table. */
export interface TableAccess {
  table: string;
  /** scan: reads the whole table. index: reads a whole index. search: looks rows up in an index. */
  how: 'scan' | 'index' | 'search';
}

interface PlanNode {
  'Node Type': string;
  'Relation Name'?: string;
  'Index Cond'?: string;
  'Recheck Cond'?: string;
  Plans?: PlanNode[];
}

/** Asks Postgres for the plan of a query with sequential scans off: the plan that a larger database would get. */
export async function readPostgresPlan({ queries }: Database, query: CompiledQuery): Promise<TableAccess[]> {
  const { rows } = await queries.transaction().execute(async (transaction) => {
    await sql`set local enable_seqscan = off`.execute(transaction);
    return transaction.executeQuery<{ 'QUERY PLAN': { Plan: PlanNode }[] }>({
      ...query,
      sql: `explain (format json) ${query.sql}`,
    });
  });
  const found: TableAccess[] = [];
  const visit = (node: PlanNode): void => {
    const table = node['Relation Name'];
    if (table && node['Node Type'].includes('Scan')) {
      const isSearch = node['Index Cond'] !== undefined || node['Recheck Cond'] !== undefined;
      const how = node['Node Type'] === 'Seq Scan' ? 'scan' : isSearch ? 'search' : 'index';
      found.push({ table, how });
    }
    for (const child of node.Plans ?? []) visit(child);
  };
  for (const { Plan } of rows[0]?.['QUERY PLAN'] ?? []) visit(Plan);
  return found;
}

/** Asks SQLite for the plan of a query. */
export async function readSqlitePlan({ queries }: Database, query: CompiledQuery): Promise<TableAccess[]> {
  const { rows } = await queries.executeQuery<{ detail: string }>({
    ...query,
    sql: `explain query plan ${query.sql}`,
  });
  return rows.flatMap(({ detail }): TableAccess[] => {
    const [, verb, table = ''] = /^(SCAN|SEARCH) (\S+)/.exec(detail) ?? [];
    // A scan of values in the query itself, such as `SCAN 50-ROW VALUES CLAUSE`, reads no table.
    if (verb === undefined || /^SCAN (CONSTANT ROW|\d+ CONSTANT ROWS|\d+-ROW VALUES)/.test(detail)) return [];
    if (verb === 'SEARCH') return [{ table, how: 'search' }];
    return [{ table, how: / USING (COVERING )?INDEX /.test(detail) ? 'index' : 'scan' }];
  });
}
