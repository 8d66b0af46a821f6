import Sqlite from 'better-sqlite3';
import type { BenchStore } from './bench-store.ts';
import { fetchSql, keyOf, newRow, openRow, removeSql, type TokenRow } from './plain-statements.ts';

/** Creates a store that does the least work that SQLite allows: it prepares each better-sqlite3 statement only once. */
export function preparedSqliteStore(file: string): BenchStore {
  const sqlite = new Sqlite(file, { timeout: 5000 });
  sqlite.pragma('journal_mode = WAL');
  sqlite.pragma('synchronous = FULL');
  sqlite.pragma('foreign_keys = ON');
  const fetch = sqlite.prepare<[string, string], TokenRow>(fetchSql);
  const remove = sqlite.prepare(removeSql);
  let insert: Sqlite.Statement | undefined;
  return {
    store(installation) {
      const { columns, values } = newRow(installation.team.id);
      insert ??= sqlite.prepare(`insert into installations (${columns}) values (${columns.map(() => '?')})`);
      insert.run(values);
    },
    fetch: (teamId) => openRow(fetch.get(...keyOf(teamId)), teamId),
    remove: (teamId) => remove.run(...keyOf(teamId)),
    close: () => sqlite.close(),
  };
}
