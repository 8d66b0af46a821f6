import { installationTokens } from '../database/installation-tokens.ts';
import type { TokenHolder } from '../database/token-refreshes.ts';
import { saveRefreshedToken } from '../database/token-refreshes.ts';
import type { RefreshedTokens } from './installation-store.ts';
import { expiryMs } from './record-install.ts';
import type { StoreContext } from './store-context.ts';

/** Slack has already used up the old refresh token, and a new pair that is not stored is lost: so wait for a lock. */
const patienceMs = 10_000;

/** Replaces the tokens of version `ifVersion`; returns false if the installation is gone or has newer ones. */
export async function saveRefreshed(
  context: StoreContext,
  holder: TokenHolder,
  ifVersion: number,
  tokens: RefreshedTokens,
): Promise<boolean> {
  const { cipher, database, now } = context;
  const { installationId, userId } = holder;
  return database.write(async (transaction) => {
    const row = await installationTokens(transaction, { id: installationId }, userId).executeTakeFirst();
    const expiresAt = expiryMs(tokens.expiresAt) ?? 0;
    const save = (sealed: string) =>
      saveRefreshedToken(transaction, { holder, ifVersion, sealed, expiresAt, now: now() });
    if (userId !== undefined) {
      if (!row?.sealed_user || row.user_version !== ifVersion) return false;
      const half = cipher.openUser(installationId, userId, row.sealed_user);
      return save(cipher.sealUser(installationId, { ...half, ...tokens }));
    }
    if (!row?.sealed_bot || row.version !== ifVersion) return false;
    const half = cipher.openBot(installationId, row.sealed_bot);
    if (!half.bot) return false;
    return save(cipher.sealBot(installationId, { ...half, bot: { ...half.bot, ...tokens } }));
  }, patienceMs);
}
