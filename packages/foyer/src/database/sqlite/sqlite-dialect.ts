import {
  CompiledQuery,
  type SelectModifierNode,
  SqliteAdapter,
  type SqliteDatabase,
  SqliteDialect,
  SqliteDriver,
  SqliteQueryCompiler,
} from 'kysely';

/** Kysely's SQL for SQLite, as Foyer needs it. */
class FoyerCompiler extends SqliteQueryCompiler {
  /** Drops `FOR UPDATE` and its like: SQLite runs write transactions one at a time. */
  protected override visitSelectModifier(node: SelectModifierNode): void {
    if (node.modifier === 'Distinct') super.visitSelectModifier(node);
  }
}

/**
 * Kysely's SQLite dialect, but a transaction takes the write lock at once: taking it later can fail halfway. And
 * migrations run in one transaction, which Kysely's own adapter does not allow: otherwise two processes that start at
 * once would both create the tables, and a crash would leave half of them.
 */
export function foyerSqliteDialect(database: SqliteDatabase & { isInTransaction(): boolean }): SqliteDialect {
  const createDriver = () =>
    Object.assign(new SqliteDriver({ database }), {
      async beginTransaction(connection: { executeQuery(query: CompiledQuery): Promise<unknown> }) {
        await connection.executeQuery(CompiledQuery.raw('begin immediate'));
      },
      async rollbackTransaction(connection: { executeQuery(query: CompiledQuery): Promise<unknown> }) {
        // A full disk makes SQLite roll back automatically; report the error that led here.
        if (database.isInTransaction()) await connection.executeQuery(CompiledQuery.raw('rollback'));
      },
    });
  const createAdapter = () =>
    Object.defineProperty(new SqliteAdapter(), 'supportsTransactionalDdl', { value: true });
  const createQueryCompiler = () => new FoyerCompiler();
  return Object.assign(new SqliteDialect({ database }), { createDriver, createAdapter, createQueryCompiler });
}
