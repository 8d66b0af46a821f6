import type { Queries } from '../database.ts';
import { type Given, prepareQuery } from '../prepared-query.ts';

/** A person in a team. */
export interface UserRegistration {
  clientId: string;
  teamId: string;
  userId: string;
  /** When the app first met them, if they are new. */
  seenAt: number;
  now: number;
}

const upsertUser = prepareQuery((queries, given: Given<Omit<UserRegistration, 'teamId'>>) =>
  queries
    .insertInto('users')
    .values({
      client_id: given.clientId,
      user_id: given.userId,
      name: null,
      real_name: null,
      email: null,
      timezone: null,
      locale: null,
      avatar_url: null,
      first_seen_at: given.seenAt,
      updated_at: given.now,
    })
    .onConflict((conflict) =>
      conflict
        .columns(['client_id', 'user_id'])
        .doUpdateSet((expression) => ({ updated_at: expression.ref('excluded.updated_at') })),
    )
    .returning('first_seen_at'),
);

const insertMembership = prepareQuery((queries, given: Given<UserRegistration>) =>
  queries
    .insertInto('memberships')
    .values({
      client_id: given.clientId,
      team_id: given.teamId,
      user_id: given.userId,
      is_admin: 0,
      is_owner: 0,
      first_seen_at: given.seenAt,
      updated_at: given.now,
    })
    .onConflict((conflict) => conflict.columns(['client_id', 'team_id', 'user_id']).doNothing()),
);

/** Gets or creates a person and their membership, and returns when the app first met the person. */
export async function registerUser(
  transaction: Queries,
  user: UserRegistration,
): Promise<{ firstSeenAt: number }> {
  const { rows } = await upsertUser(transaction, user);
  await insertMembership(transaction, user);
  return { firstSeenAt: rows[0]?.first_seen_at ?? user.seenAt };
}
