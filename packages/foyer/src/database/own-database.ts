import type { ColumnType, Kysely, KyselyPlugin, Transaction } from 'kysely';
import { boundedWrite } from './bounded-write.ts';
import type { Database, Tx } from './database.ts';
import { markAppQuery } from './prepared-query.ts';
import type { Tables } from './records.ts';

type ReadOnly<T> = { readonly [Column in keyof T]: ColumnType<T[Column], never, never> };
type Selected<T, Columns extends keyof T> = {
  [Column in Columns]: T[Column] extends ColumnType<infer Read, infer _Insert, infer _Update>
    ? Read
    : T[Column];
};
type Stable<Name extends keyof Tables, Columns extends keyof Tables[Name]> = ReadOnly<
  Selected<Tables[Name], Columns>
>;

/**
 * The Foyer tables that an app may read in addition to its own, with the columns that do not change between versions.
 * The app's queries can join and filter them, but only Foyer's functions may write them. A time is a whole number of
 * milliseconds since 1970, a flag is 0 or 1, and a list is JSON text.
 */
export interface FoyerTables {
  installations: Stable<
    'installations',
    | 'id'
    | 'team_id'
    | 'team_name'
    | 'enterprise_id'
    | 'enterprise_name'
    | 'is_enterprise_install'
    | 'status'
    | 'installer_user_id'
    | 'installed_at'
    | 'uninstalled_at'
    | 'bot_user_id'
    | 'bot_scopes'
  >;
  teams: Stable<'teams', 'team_id' | 'name' | 'domain' | 'icon_url' | 'enterprise_id' | 'first_seen_at'>;
  users: Stable<
    'users',
    | 'team_id'
    | 'user_id'
    | 'name'
    | 'real_name'
    | 'email'
    | 'timezone'
    | 'locale'
    | 'avatar_url'
    | 'first_seen_at'
  >;
  runs: Stable<
    'runs',
    'id' | 'pipeline' | 'installation_id' | 'user_id' | 'status' | 'created_at' | 'finished_at'
  >;
  steps: Stable<'steps', 'run_id' | 'name' | 'position' | 'status' | 'attempts' | 'error_code'>;
  history: Stable<'history', 'id' | 'installation_id' | 'at' | 'kind' | 'user_id' | 'detail'>;
}

/** The type of the app's own tables if the app has none. */
export type NoTables = Record<never, never>;

/** An app's tables, for Kysely. The compiler refuses a table that has the same name as one of Foyer's. */
type OwnTables<MyTables> = {
  [Name in keyof MyTables]: Name extends keyof Tables ? never : MyTables[Name];
};

/** Foyer's tables and the app's together, as queries see them. */
type JoinedTables<MyTables> = FoyerTables & OwnTables<MyTables>;

/**
 * The database as the app's own code uses it.
 * @example
 * interface MyTables { orders: { id: string; installation_id: string; total: number } }
 * await foyer.database.write((tx) => tx.insertInto('orders').values(order).execute());
 */
export interface OwnDatabase<MyTables = NoTables> {
  /** For reads. */
  readonly queries: Kysely<JoinedTables<MyTables>>;
  /**
   * Runs `work` in one transaction, and resolves once the transaction is safely on disk. If the database is busy or the
   * connection is lost, `work` runs again, so it must do nothing except run queries. If `work` sends no query for five
   * seconds, Foyer rolls the transaction back.
   * @throws DatabaseUnavailableError, WriteStuckError
   */
  write<T>(work: (tx: Transaction<JoinedTables<MyTables>>) => Promise<T>): Promise<T>;
}

/**
 * A Foyer transaction as the app's code sees it: Foyer's writes and the app's are committed together.
 *
 * Why the cast is safe: it changes only the type, not the object. The columns in `FoyerTables` come from `Tables`. If
 * one of these columns is renamed in `Tables`, this file no longer compiles.
 */
function ownTransaction<MyTables>(tx: Tx): Transaction<JoinedTables<MyTables>> {
  return tx as unknown as Transaction<JoinedTables<MyTables>>;
}

const marking: KyselyPlugin = {
  transformQuery: ({ node }) => markAppQuery(node),
  transformResult: async ({ result }) => result,
};

/** The open database as the app's code sees it. */
export function ownDatabase<MyTables>(database: Pick<Database, 'queries' | 'write'>): OwnDatabase<MyTables> {
  return {
    queries: database.queries.withPlugin(marking) as unknown as Kysely<JoinedTables<MyTables>>,
    write: (work) =>
      database.write((tx) => boundedWrite(tx, (bounded) => work(ownTransaction<MyTables>(bounded)))),
  };
}
