import { type SqlBool, sql } from 'kysely';
import type { Queries } from '../database.ts';
import { registeredTeamId } from '../install-record.ts';
import { type Page, type PageCursor, toPage } from '../page.ts';
import { type Host, type MemberRecord, toExternal, toMember } from './members.ts';
import { selectPeople, toUserRecord } from './people.ts';

interface MemberSearch {
  /** Part of a name or an email address, or a user id. */
  text?: string;
  limit: number;
  cursor?: PageCursor;
}

/**
 * Lists the members of an installation's team, and the people of other workspaces whom the app saw in a Slack Connect
 * channel. The list is sorted by the time when the app first saw each person, latest first. The id in a cursor consists
 * of a person's user id and their team's id, so no two people have the same position in the list.
 */
export async function listMembersPage(
  queries: Queries,
  host: Host,
  { text, limit, cursor }: MemberSearch,
): Promise<Page<MemberRecord>> {
  const { id: installationId, clientId } = host;
  const teamId = registeredTeamId(host);
  const upwards = cursor?.towards === 'newer';
  const direction = upwards ? 'asc' : 'desc';
  const { at = 0, id = '' } = cursor ?? {};
  const [userId = '', homeTeamId = ''] = id.split('-');
  const beyond = sql.raw(upwards ? '>' : '<');
  const locals = selectPeople(queries, { clientId, teamId, installationId })
    .where('users.user_id', 'is not', null)
    .$if(text !== undefined, (query) => query.where(matches('users', text ?? '')))
    .$if(cursor !== undefined, (query) =>
      query.where(
        sql<SqlBool>`(memberships.first_seen_at, memberships.user_id, memberships.team_id) ${beyond} (${at}, ${userId}, ${homeTeamId})`,
      ),
    )
    .orderBy('memberships.first_seen_at', direction)
    .orderBy('memberships.user_id', direction)
    .limit(limit + 1)
    .execute();
  const externals = queries
    .selectFrom('external_members')
    .selectAll()
    .where('client_id', '=', clientId)
    .where('team_id', '=', teamId)
    .$if(text !== undefined, (query) => query.where(matches('external_members', text ?? '')))
    .$if(cursor !== undefined, (query) =>
      query.where(
        sql<SqlBool>`(first_seen_at, user_id, home_team_id) ${beyond} (${at}, ${userId}, ${homeTeamId})`,
      ),
    )
    .orderBy('first_seen_at', direction)
    .orderBy('user_id', direction)
    .orderBy('home_team_id', direction)
    .limit(limit + 1)
    .execute();
  const found = [
    ...(await locals).map((row) => toMember(toUserRecord({ ...row, user_id: row.user_id ?? '' }))),
    ...(await externals).map(toExternal),
  ];
  const sign = upwards ? 1 : -1;
  found.sort((one, other) => sign * compare(one, other));
  return toPage(found, { limit, cursor, positionOf });
}

const positionOf = ({ firstSeenAt, userId, teamId }: MemberRecord) => ({
  at: firstSeenAt,
  id: `${userId}-${teamId}`,
});

function compare(one: MemberRecord, other: MemberRecord): number {
  if (one.firstSeenAt !== other.firstSeenAt) return one.firstSeenAt - other.firstSeenAt;
  const [key, otherKey] = [`${one.userId} ${one.teamId}`, `${other.userId} ${other.teamId}`];
  return key < otherKey ? -1 : key > otherKey ? 1 : 0;
}

function matches(table: 'users' | 'external_members', text: string) {
  const pattern = namePattern(text);
  const columns = ['name', 'real_name', 'email'].map(
    (column) => sql<SqlBool>`lower(${sql.ref(`${table}.${column}`)}) like ${pattern} escape '\\'`,
  );
  const isId = sql<SqlBool>`${sql.ref(`${table}.user_id`)} = ${text.toUpperCase()}`;
  return sql<SqlBool>`(${sql.join([isId, ...columns], sql` or `)})`;
}

/**
 * A pattern for `lower(…) like`. SQLite's `lower` changes only ASCII letters. So in the pattern, each non-ASCII letter
 * that has an uppercase form becomes `_`, which matches any one character.
 */
export function namePattern(text: string): string {
  const parts = [...text.toLowerCase()].map((character) => {
    if (/[\\%_]/.test(character)) return `\\${character}`;
    return character > '\u007f' && character !== character.toUpperCase() ? '_' : character;
  });
  return `%${parts.join('')}%`;
}

/** Counts the members of an installation's team and the people of other workspaces whom the installation met. */
export async function countMembers(queries: Queries, host: Host): Promise<number> {
  const count = async (table: 'memberships' | 'external_members'): Promise<number> => {
    const { rows } = await queries
      .selectFrom(table)
      .select(({ fn }) => fn.countAll<number>().as('rows'))
      .where('client_id', '=', host.clientId)
      .where('team_id', '=', registeredTeamId(host))
      .executeTakeFirstOrThrow();
    return rows;
  };
  return (await count('memberships')) + (await count('external_members'));
}
