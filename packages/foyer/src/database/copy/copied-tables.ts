import type { Queries } from '../database.ts';
import { readTables } from '../read-tables.ts';
import type { Tables } from '../records.ts';
import { copyMarkTable } from './copy-mark.ts';

/** A table that is copied. */
export interface CopiedTable {
  name: string;
  /** The columns of its primary key: rows are read in their order. */
  key: readonly string[];
  columns: readonly string[];
}

/** THE list of what is copied: every table by its primary key, parents before those that refer to them. */
const primaryKeys: { readonly [Name in keyof Tables]: readonly (keyof Tables[Name] & string)[] } = {
  installations: ['id'],
  user_tokens: ['installation_id', 'user_id'],
  teams: ['client_id', 'team_id'],
  users: ['client_id', 'user_id'],
  memberships: ['client_id', 'team_id', 'user_id'],
  team_access: ['client_id', 'enterprise_id', 'team_id'],
  install_requests: ['id'],
  runs: ['id'],
  steps: ['run_id', 'name'],
  step_attempts: ['run_id', 'step_name', 'attempt'],
  welcomes: ['installation_id', 'life', 'user_id'],
  history: ['id'],
  home_views: ['installation_id', 'user_id'],
  encryption_keys: ['id'],
  operator_notices: ['cause_id', 'channel'],
  chores: ['name'],
  ended_sessions: ['id'],
};

/** The names of the tables that are copied. */
export const copiedTableNames: readonly string[] = Object.keys(primaryKeys);

/**
 * The tables of a database that is up to date, with the columns that they have there. Throws where a table is not in
 * the list above: it would be forgotten.
 */
export async function copiedTables(queries: Queries): Promise<CopiedTable[]> {
  const found = new Map((await readTables(queries)).map(({ name, columns }) => [name, columns]));
  found.delete(copyMarkTable);
  const forgotten = [...found.keys()].filter((name) => !copiedTableNames.includes(name));
  if (forgotten.length > 0) throw new Error(`copied-tables.ts does not list ${forgotten.join(', ')}`);
  return Object.entries(primaryKeys).map(([name, key]) => {
    const columns = found.get(name);
    if (!columns) throw new Error(`the table ${name} is missing`);
    return { name, key, columns: columns.toSorted() };
  });
}
