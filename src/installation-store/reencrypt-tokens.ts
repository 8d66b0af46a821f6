import type { Database } from '../database/database.ts';
import { findStaleSeals } from '../database/seals/find-stale-seals.ts';
import { replaceSeal } from '../database/seals/replace-seal.ts';
import type { Keyring } from './keyring.ts';
import { sealedPrefix } from './sealer.ts';
import { createTokenCipher, places } from './token-cipher.ts';

/** How many tokens of each kind one transaction seals anew, so that others need not wait long. */
const batch = 100;

/**
 * Seals every stored token anew under the keyring's first key, for all apps in the database; afterwards the other keys
 * can go. It may be stopped and begun again, beside a Foyer that runs with the same keys. Resolves to how many it was;
 * `onProgress` is told so after each transaction.
 * @throws SealBrokenError, KeyMissingError, DatabaseUnavailableError
 */
export async function reencryptTokens(deps: {
  database: Database;
  keyring: Keyring;
  onProgress?: (renewed: number) => void;
}): Promise<number> {
  const { sealer } = createTokenCipher(deps);
  const search = { prefix: sealedPrefix(deps.keyring.ids[0]), limit: batch };
  let total = 0;
  for (;;) {
    const renewed = await deps.database.write(async (transaction) => {
      const stale = await findStaleSeals(transaction, search);
      for (const { holder, sealed } of stale) {
        const { installationId, userId } = holder;
        const place = userId === undefined ? places.bot(installationId) : places.user(installationId, userId);
        const to = sealer.seal(sealer.open(sealed, place), place);
        await replaceSeal(transaction, { holder, from: sealed, to });
      }
      return stale.length;
    });
    if (renewed === 0) break;
    total += renewed;
    deps.onProgress?.(total);
  }
  if (total > 0) await deps.database.scrub();
  return total;
}
