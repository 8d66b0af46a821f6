import type { Database } from '../database/database.ts';
import { listBotSeals, listUserSeals, replaceSeal, type StoredSeal } from '../database/seals.ts';
import type { TokenHolder } from '../database/token-refreshes.ts';
import type { Keyring } from './keyring.ts';
import { createTokenCipher, places } from './open-installation.ts';
import { sealedPrefix } from './sealer.ts';

/** How many tokens one transaction re-encrypts at most, so that others do not wait long. */
const batch = 100;

/**
 * Re-encrypts every stored token under the keyring's first key, for all apps in the database; then the other keys can
 * be removed. It reads each token once, can be stopped and started again, and can run alongside a Foyer with the same
 * keys: it skips tokens that changed in between. Resolves to the number of tokens; calls `onProgress` with it after
 * each transaction.
 * @throws SealBrokenError, KeyMissingError, DatabaseUnavailableError
 */
export async function reencryptTokens(deps: {
  database: Database;
  keyring: Keyring;
  onProgress?: (renewed: number) => void;
}): Promise<number> {
  const { database, keyring } = deps;
  const { sealer } = createTokenCipher(deps);
  const current = sealedPrefix(keyring.ids[0]);
  let total = 0;

  async function renew(stale: readonly StoredSeal[]): Promise<void> {
    const replacements = stale.map(({ holder, sealed }) => {
      const { installationId, userId } = holder;
      const place = userId === undefined ? places.bot(installationId) : places.user(installationId, userId);
      return { holder, from: sealed, to: sealer.seal(sealer.open(sealed, place), place) };
    });
    total += await database.write(async (transaction) => {
      let replaced = 0;
      for (const each of replacements) if (await replaceSeal(transaction, each)) replaced += 1;
      return replaced;
    });
    deps.onProgress?.(total);
  }

  for (const list of [listBotSeals, listUserSeals]) {
    let after: TokenHolder | undefined;
    for (;;) {
      const seals = await list(database.queries, { after, limit: batch });
      const stale = seals.filter(({ sealed }) => !sealed.startsWith(current));
      if (stale.length > 0) await renew(stale);
      if (seals.length < batch) break;
      after = seals.at(-1)?.holder;
    }
  }
  if (total > 0) await database.scrub();
  return total;
}
