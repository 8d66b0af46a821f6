import { type SqlBool, sql } from 'kysely';
import type { Queries } from '../database/database.ts';

/** A person of a team, or of an enterprise in an org-wide install. */
interface Person {
  teamId: string | null;
  userId: string | null;
}

/** A row with its person's name. The name is undefined if Foyer has not stored one. */
export type Named<Row> = Row & { personName: string | undefined };

/**
 * The most people in one query. Each person adds two values, and both SQLite and Postgres limit the values of a
 * statement.
 */
const namesAtOnce = 5000;

/** Adds to each row its person's name. Needs one query for every 5,000 people, and none if no row has a person. */
export async function withNames<Row>(
  queries: Queries,
  clientId: string,
  rows: readonly Row[],
  personOf: (row: Row) => Person,
): Promise<Named<Row>[]> {
  const people = rows.map(personOf);
  const known = people.filter(({ teamId, userId }) => teamId !== null && userId !== null);
  const names = new Map<string, string | undefined>();
  for (let at = 0; at < known.length; at += namesAtOnce) {
    // Looks up pairs of team and user: with one list of teams and one of users, the query would look up each user in
    // each team.
    const pairs = known.slice(at, at + namesAtOnce).map(({ teamId, userId }) => sql`(${teamId}, ${userId})`);
    const found = await queries
      .selectFrom('users')
      .select(['team_id', 'user_id', 'name', 'real_name'])
      .where('client_id', '=', clientId)
      .where(sql<SqlBool>`(team_id, user_id) in (values ${sql.join(pairs)})`)
      .execute();
    for (const row of found)
      names.set(`${row.team_id} ${row.user_id}`, row.real_name || row.name || undefined);
  }
  return rows.map((row, at) => ({
    ...row,
    personName: names.get(`${people[at]?.teamId} ${people[at]?.userId}`),
  }));
}
