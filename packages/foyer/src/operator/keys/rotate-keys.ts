import type { Database } from '../../database/database.ts';
import { findStaleRequestSeals, replaceRequestSeal } from '../../database/seals.ts';
import { unstoredTokensPlace, unstoredTokensPurpose } from '../../install/unstored-tokens.ts';
import type { Keyring } from '../../installations/keyring.ts';
import { reencryptTokens } from '../../installations/reencrypt-tokens.ts';
import { createSealer, sealedPrefix } from '../../installations/sealer.ts';

const batch = 100;

/**
 * Seals everything again with the keyring's first key, in short transactions, while Foyer runs. It replaces a seal only
 * if that has not changed, so it never overwrites what Foyer stored since. If it is stopped, the next call continues.
 * Resolves to how many values it sealed again; calls `onProgress` after each transaction.
 * @throws SealBrokenError, KeyMissingError, DatabaseUnavailableError
 */
export async function rotateKeys(deps: {
  database: Database;
  keyring: Keyring;
  onProgress?: (renewed: number) => void;
}): Promise<number> {
  const { database, onProgress } = deps;
  const tokens = await reencryptTokens(deps);
  const sealer = createSealer({ keyring: deps.keyring, purpose: unstoredTokensPurpose });
  const search = { prefix: sealedPrefix(deps.keyring.ids[0]), limit: batch };
  let requests = 0;
  for (;;) {
    const renewed = await database.write(async (transaction) => {
      const stale = await findStaleRequestSeals(transaction, search);
      for (const { requestId, sealed } of stale) {
        const place = unstoredTokensPlace(requestId);
        const to = sealer.seal(sealer.open(sealed, place), place);
        await replaceRequestSeal(transaction, { requestId, from: sealed, to });
      }
      return stale.length;
    });
    if (renewed === 0) break;
    requests += renewed;
    onProgress?.(tokens + requests);
  }
  if (requests > 0) await database.scrub();
  return tokens + requests;
}
