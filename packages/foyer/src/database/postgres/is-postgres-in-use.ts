import { sql } from 'kysely';
import { peekPostgres } from './peek-postgres.ts';

/** A Foyer that runs asks every two seconds; a connection that PgBouncer keeps after its end asks nothing. */
const busyWithin = '10 seconds';

/**
 * Whether a Foyer or one of its commands works on the database, on whichever machine: by the name that its connections
 * have (`foyer`, unless the URL gives another). Sees those of the same role, or all with `pg_read_all_stats`.
 * @throws DatabaseUnavailableError
 */
export function isPostgresInUse(url: string): Promise<boolean> {
  const name = new URL(url).searchParams.get('application_name') ?? 'foyer';
  return peekPostgres(underCopyName(url), async (queries) => {
    const { rows } = await sql<{ others: number }>`
      select count(*) as others from pg_stat_activity
       where datname = current_database() and application_name = ${name}
         and (state <> 'idle' or state_change > now() - ${sql.lit(busyWithin)}::interval)`.execute(queries);
    return (rows[0]?.others ?? 0) > 0;
  });
}

/** The URL, with a name for its connections by which they are told from those of a Foyer. */
export function underCopyName(url: string): string {
  const named = new URL(url);
  named.searchParams.set('application_name', 'foyer-copy');
  return named.href;
}
