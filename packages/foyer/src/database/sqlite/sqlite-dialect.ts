import {
  CompiledQuery,
  type SelectModifierNode,
  SqliteAdapter,
  type SqliteDatabase,
  SqliteDialect,
  SqliteDriver,
  SqliteQueryCompiler,
} from 'kysely';

/** What Kysely writes for SQLite, as Foyer wants it. */
class FoyerCompiler extends SqliteQueryCompiler {
  /** Drops `FOR UPDATE` and its like: SQLite runs write transactions one at a time. */
  protected override visitSelectModifier(node: SelectModifierNode): void {
    if (node.modifier === 'Distinct') super.visitSelectModifier(node);
  }
}

/**
 * Kysely's SQLite dialect, but a transaction takes the write lock at once: taking it later can fail half-way. And the
 * migrations run in one, which Kysely's own adapter denies them: two processes that start at once would both make the
 * tables, and a crash would leave half of them.
 */
export function foyerSqliteDialect(database: SqliteDatabase & { isInTransaction(): boolean }): SqliteDialect {
  const createDriver = () =>
    Object.assign(new SqliteDriver({ database }), {
      async beginTransaction(connection: { executeQuery(query: CompiledQuery): Promise<unknown> }) {
        await connection.executeQuery(CompiledQuery.raw('begin immediate'));
      },
      async rollbackTransaction(connection: { executeQuery(query: CompiledQuery): Promise<unknown> }) {
        // A full disk makes SQLite roll back by itself, and what led here is what has to be told.
        if (database.isInTransaction()) await connection.executeQuery(CompiledQuery.raw('rollback'));
      },
    });
  const createAdapter = () =>
    Object.defineProperty(new SqliteAdapter(), 'supportsTransactionalDdl', { value: true });
  const createQueryCompiler = () => new FoyerCompiler();
  return Object.assign(new SqliteDialect({ database }), { createDriver, createAdapter, createQueryCompiler });
}
