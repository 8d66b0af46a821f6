import type { Installation } from '@slack/oauth';
import type { Keyring } from './keyring.ts';
import { createSealer, type Sealer } from './sealer.ts';

/** Slack's Installation without its user half: what a `sealed_bot` holds. It may have no bot. */
export type BotHalf = Omit<Installation, 'user'>;

/** The user half of Slack's Installation: what a `sealed_user` holds. */
export type UserHalf = Installation['user'];

/** Where each kind of secret is kept. A sealed text opens only at its own place. */
export const places = {
  bot: (installationId: string): string => `installation:${installationId}:bot`,
  user: (installationId: string, userId: string): string => `installation:${installationId}:user:${userId}`,
};

/** Seals and opens the contents of the `sealed…` columns. Opening throws SealBrokenError and KeyMissingError. */
export interface TokenCipher {
  sealBot(installationId: string, half: BotHalf): string;
  openBot(installationId: string, sealed: string): BotHalf;
  sealUser(installationId: string, half: UserHalf): string;
  openUser(installationId: string, userId: string, sealed: string): UserHalf;
  /** The sealer behind all of these. */
  readonly sealer: Sealer;
}

/** Makes the cipher for every stored token. */
export function createTokenCipher(deps: { keyring: Keyring }): TokenCipher {
  const sealer = createSealer({ keyring: deps.keyring, purpose: 'tokens' });
  // A text that opens was sealed by this file. Its authenticity is the check, so its shape is trusted.
  return {
    sealer,
    sealBot: (id, half) => sealer.seal(JSON.stringify(half), places.bot(id)),
    openBot: (id, sealed) => JSON.parse(sealer.open(sealed, places.bot(id))) as BotHalf,
    sealUser: (id, half) => sealer.seal(JSON.stringify(half), places.user(id, half.id)),
    openUser: (id, userId, sealed) => JSON.parse(sealer.open(sealed, places.user(id, userId))) as UserHalf,
  };
}
