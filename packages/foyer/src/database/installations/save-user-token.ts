import { randomInt } from 'node:crypto';
import type { Queries } from '../database.ts';

/** A person's tokens, sealed. `expiresAt` is in milliseconds, null for those that do not lapse. */
export interface NewUserToken {
  installationId: string;
  userId: string;
  sealedUser: string;
  expiresAt: number | null;
  now: number;
}

/** Writes a person's tokens over what was there. */
export async function saveUserToken(transaction: Queries, token: NewUserToken): Promise<void> {
  const state = {
    sealed_user: token.sealedUser,
    expires_at: token.expiresAt,
    updated_at: token.now,
    refresh_owner: null,
    refresh_until: null,
  };
  await transaction
    .insertInto('user_tokens')
    .values({
      installation_id: token.installationId,
      user_id: token.userId,
      // Not 1: a row that was erased and made anew must not take the tokens of a refresh that began before.
      version: randomInt(1, 2 ** 30),
      ...state,
    })
    .onConflict((conflict) =>
      conflict
        .columns(['installation_id', 'user_id'])
        .doUpdateSet((eb) => ({ ...state, version: eb('user_tokens.version', '+', 1) })),
    )
    .execute();
}
