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
  /** Leaves out the locks of rows: where one transaction writes after another they have nothing to say. */
  protected override visitSelectModifier(node: SelectModifierNode): void {
    if (node.modifier === 'Distinct') super.visitSelectModifier(node);
  }

  /**
   * Hides values from the planner, which may else plan anew each time another value is bound: a read that sorts or joins
   * takes 4 µs in the place of 17. An index of only some rows then needs its condition spelled out (`sql.lit`).
   * (sqlite.org/c3ref/prepare.html: SQLITE_PREPARE and the values that influence a plan)
   */
  protected override getCurrentParameterPlaceholder(): string {
    return '+?';
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
