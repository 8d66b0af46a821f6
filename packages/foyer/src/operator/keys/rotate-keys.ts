import type { Database } from '../../database/database.ts';
import {
  findStaleRequestSeals,
  listBotSeals,
  listUserSeals,
  replaceRequestSeal,
  replaceSeal,
  type StoredSeal,
} from '../../database/seals.ts';
import type { TokenHolder } from '../../database/token-refreshes.ts';
import { unstoredTokensPlace, unstoredTokensPurpose } from '../../install/unstored-tokens.ts';
import type { Keyring } from '../../installations/keyring.ts';
import { createTokenCipher, places } from '../../installations/open-installation.ts';
import { createSealer, sealedPrefix } from '../../installations/sealer.ts';

/** The most values that one transaction seals again. The limit keeps other writers from waiting long. */
const batch = 100;

/**
 * Seals everything again with the keyring's first key, in short transactions, while Foyer may be running. Replaces a
 * sealed value only if it has not changed since it was read, so it never overwrites what Foyer has stored in the
 * meantime. If it is stopped, the next call continues. Resolves to how many values it sealed again; calls `onProgress`
 * after each transaction.
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

/**
 * Re-encrypts every installation's tokens with the keyring's first key, for all apps in the database. Can be stopped
 * and started again, and can run alongside a Foyer with the same keys: it reads each token once, and skips a token that
 * has changed since. Resolves to the number of tokens that it re-encrypted. After each transaction, calls `onProgress`
 * with the number so far.
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
