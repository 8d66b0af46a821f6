import type { CompiledQuery, KyselyPlugin, QueryId, RootOperationNode, Transaction } from 'kysely';
import type { Database, Queries } from '../../../src/database/database.ts';
import { prepareQuery } from '../../../src/database/prepared-query.ts';
import type { Tables } from '../../../src/database/records.ts';

/** A query, and the activity during which Foyer made the query. */
export interface RecordedQuery {
  query: CompiledQuery;
  during: string;
}

/** Wraps a database and records each distinct query. */
export function recordQueries(database: Database) {
  const recorded = new Map<string, RecordedQuery>();
  const built = new WeakMap<QueryId, RootOperationNode>();
  let during = 'the start';

  function note(query: CompiledQuery): void {
    // Queries that differ only in the length of a list count as the same.
    const key = query.sql.replace(/\((?:(?:\$\d+|\+?\?)(?:, )?)+\)/g, '(…)').replace(/\$\d+/g, '$');
    if (!recorded.has(key)) recorded.set(key, { query, during });
  }

  function withRecord(queries: Queries): Queries {
    const plugin: KyselyPlugin = {
      transformQuery({ node, queryId }) {
        built.set(queryId, node);
        return node;
      },
      // Records a query here and not in `transformQuery`: Kysely transforms subqueries too, but only an executed query
      // has a result.
      async transformResult({ result, queryId }) {
        const node = built.get(queryId);
        if (node) note(queries.getExecutor().compileQuery(node, queryId));
        return result;
      },
    };
    const recording = queries.withPlugin(plugin);
    const execute = recording.executeQuery.bind(recording);
    return Object.assign(recording, {
      // Records prepared queries here: they are already compiled, and contain their values.
      executeQuery: ((query, options) => {
        if ('sql' in query) note(query);
        return execute(query, options);
      }) as typeof execute,
    });
  }

  const recording = withRecord(database.queries);

  return {
    database: {
      ...database,
      queries: recording,
      prepare(build) {
        const run = prepareQuery(build);
        return async (values) => (await run(recording, values)).rows[0];
      },
      prepareList(build) {
        const run = prepareQuery(build);
        return async (values) => (await run(recording, values)).rows;
      },
      write: <T>(work: (transaction: Transaction<Tables>) => Promise<T>, patienceMs?: number) =>
        database.write((transaction) => work(withRecord(transaction) as Transaction<Tables>), patienceMs),
    } satisfies Database,
    /** Sets the activity that the next queries are recorded under. */
    now(activity: string): void {
      during = activity;
    },
    recorded: () => [...recorded.values()],
  };
}
