import type { Database } from '../database.ts';

/** A person in a team. */
export interface UserRegistration {
  clientId: string;
  teamId: string;
  userId: string;
  /** When the app first met them, if they are new. */
  seenAt: number;
  now: number;
}

/**
 * Gets or creates a person and their membership in one transaction, and returns when the app first met the person.
 * @throws DatabaseUnavailableError
 */
export async function registerUser(
  database: Database,
  user: UserRegistration,
): Promise<{ firstSeenAt: number }> {
  const ids = { client_id: user.clientId, user_id: user.userId };
  const times = { first_seen_at: user.seenAt, updated_at: user.now };
  const unknown = { name: null, real_name: null, email: null, timezone: null, locale: null };
  return database.write(async (transaction) => {
    const row = await transaction
      .insertInto('users')
      .values({ ...ids, ...unknown, avatar_url: null, ...times })
      .onConflict((conflict) =>
        conflict.columns(['client_id', 'user_id']).doUpdateSet({ updated_at: user.now }),
      )
      .returning('first_seen_at')
      .executeTakeFirstOrThrow();
    await transaction
      .insertInto('memberships')
      .values({ ...ids, team_id: user.teamId, is_admin: 0, is_owner: 0, ...times })
      .onConflict((conflict) => conflict.columns(['client_id', 'team_id', 'user_id']).doNothing())
      .execute();
    return { firstSeenAt: row.first_seen_at };
  });
}
