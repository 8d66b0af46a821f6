import type { Database, Tx } from '../../database/database.ts';
import { deleteEncryptionKey } from '../../database/encryption-keys.ts';
import { eraseBotToken, eraseUserTokens } from '../../database/erase-installation.ts';
import { appendHistory } from '../../database/history.ts';
import { failInstallRequest, keepUnstoredTokens } from '../../database/install-requests.ts';
import { cancelRuns } from '../../database/runs.ts';
import { countSeals, listSealedWith } from '../../database/seals.ts';
import { sealedPrefix } from '../../installations/sealer.ts';
import { findHolderOf } from '../../installations/verify-keyring.ts';
import { CommandError } from '../command-error.ts';

/** An installation whose token was sealed with the forgotten key. */
interface DisconnectedInstallation {
  id: string;
  clientId: string;
  teamId: string | null;
  enterpriseId: string | null;
}

interface ForgottenKey {
  installations: DisconnectedInstallation[];
  /** How many user tokens were erased. */
  people: number;
  /** How many install requests failed because their tokens were lost while they waited to be stored or revoked. */
  requests: number;
}

const batch = 100;
const detail = 'its encryption key is lost';

/**
 * Forgets everything that was sealed with a lost key, for every app in the database. Marks the installations as broken,
 * cancels their runs, erases people's tokens, marks the install requests as failed, and deletes the recorded id of the
 * key. Keeps everything else of each installation: if the same team installs the app again, that installation
 * continues. Works in short transactions; if it is stopped, the next call continues.
 * @throws CommandError if the key is still in use, DatabaseUnavailableError
 */
export async function forgetKey(
  database: Database,
  { id, now }: { id: string; now: () => number },
): Promise<ForgottenKey> {
  const prefix = sealedPrefix(id);
  const forgotten: ForgottenKey = { installations: [], people: 0, requests: 0 };
  for (;;) {
    const done = await database.write(async (transaction) => {
      await refuseIfHeld(transaction, id, now());
      const sealed = await listSealedWith(transaction, { prefix, limit: batch });
      for (const installation of sealed.installations)
        await breakInstallation(transaction, installation, now());
      for (const holder of sealed.people) await eraseUserToken(transaction, holder, now());
      for (const requestId of sealed.requests) {
        await keepUnstoredTokens(transaction, { id: requestId, sealedTokens: null });
        await failInstallRequest(transaction, { id: requestId, errorCode: 'key_lost', now: now() });
      }
      return sealed;
    });
    forgotten.installations.push(...done.installations);
    forgotten.people += done.people.length;
    forgotten.requests += done.requests.length;
    if (done.installations.length + done.people.length + done.requests.length > 0) continue;
    await database.write(async (transaction) => {
      const left = await countSeals(transaction, prefix);
      if (left.bots + left.users + left.requests > 0)
        throw stillUsed(id, 'a process has just encrypted something with this key');
      await deleteEncryptionKey(transaction, id);
    });
    await database.scrub();
    return forgotten;
  }
}

async function refuseIfHeld(transaction: Tx, id: string, now: number): Promise<void> {
  const holder = await findHolderOf(transaction, id, now);
  if (!holder) return;
  const [host, pid] = holder.process.split(' ');
  throw stillUsed(id, `process ${pid} on ${host} encrypts with this key, so the key is not lost`);
}

function stillUsed(id: string, why: string): CommandError {
  return new CommandError(
    `The key ${id} is in use: ${why}. Remove the key from the configuration of the Foyer that uses it, or stop that Foyer and wait 90 seconds.`,
  );
}

async function breakInstallation(
  transaction: Tx,
  { id: installationId }: DisconnectedInstallation,
  now: number,
): Promise<void> {
  await eraseBotToken(transaction, { installationId, status: 'broken', reason: 'key_lost' });
  await cancelRuns(transaction, { installationId, reason: detail, now });
  await appendHistory(transaction, { installationId, at: now, kind: 'tokens_revoked', userId: null, detail });
}

async function eraseUserToken(
  transaction: Tx,
  { installationId, userId }: { installationId: string; userId: string },
  now: number,
): Promise<void> {
  await eraseUserTokens(transaction, { installationId, userIds: [userId] });
  await appendHistory(transaction, { installationId, at: now, kind: 'tokens_revoked', userId, detail });
}
