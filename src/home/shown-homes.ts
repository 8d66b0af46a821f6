import type { Database } from '../database/database.ts';
import { readInstallRecord } from '../database/installations/install-record.ts';
import type { PublishRequest } from './publish-home.ts';

const lookingForMs = 60 * 60 * 1000;
const mostLookers = 20;

/**
 * Notes who opened Home, and forgets what they were shown just before they are shown something else: whether Slack took
 * a view is not known while it is under way, nor after a crash or a time-out.
 */
export async function announceHome(
  database: Database,
  { installationId, userId, opened }: PublishRequest,
  hash: string,
  at: number,
): Promise<'to be sent' | 'unchanged' | 'not_installed'> {
  return database.write(async (transaction) => {
    const installation = await transaction
      .selectFrom('installations')
      .select('id')
      .where('id', '=', installationId)
      .where('status', '!=', 'uninstalled')
      .forShare()
      .executeTakeFirst();
    if (!installation) return 'not_installed';
    const known = await transaction
      .selectFrom('home_views')
      .select(['opened_at', 'published_hash'])
      .where('installation_id', '=', installationId)
      .where('user_id', '=', userId)
      .executeTakeFirst();
    const unchanged = known?.published_hash === hash;
    const noted = {
      // Zero: shown, but never opened.
      opened_at: opened ? at : (known?.opened_at ?? 0),
      published_hash: unchanged ? hash : null,
      sending_hash: hash,
    };
    await transaction
      .insertInto('home_views')
      .values({ installation_id: installationId, user_id: userId, ...noted })
      .onConflict((conflict) => conflict.columns(['installation_id', 'user_id']).doUpdateSet(noted))
      .execute();
    return unchanged ? 'unchanged' : 'to be sent';
  });
}

/**
 * Keeps what Slack has taken. The person or the installation may be gone by now: then nothing is kept. False where
 * another process has sent another view meanwhile: nobody knows which of them Slack took last.
 */
export async function confirmHome(
  database: Database,
  { installationId, userId }: PublishRequest,
  hash: string,
): Promise<boolean> {
  return database.write(async (transaction) => {
    const shown = transaction
      .updateTable('home_views')
      .where('installation_id', '=', installationId)
      .where('user_id', '=', userId);
    const confirmed = await shown
      .set({ published_hash: hash })
      .where('sending_hash', '=', hash)
      .executeTakeFirst();
    if (confirmed.numUpdatedRows > 0) return true;
    const doubted = await shown.set({ published_hash: null }).executeTakeFirst();
    return doubted.numUpdatedRows === 0n;
  });
}

/**
 * Who may be looking at an installation's Home: its installer, the person of its newest run, and whoever opened it
 * lately, newest first.
 */
export async function readLookers(database: Database, installationId: string, at: number): Promise<string[]> {
  const record = await readInstallRecord(database.queries, installationId);
  if (!record || record.status === 'uninstalled') return [];
  const openers = await database.queries
    .selectFrom('home_views')
    .select('user_id')
    .where('installation_id', '=', installationId)
    .where('opened_at', '>', at - lookingForMs)
    .orderBy('opened_at', 'desc')
    .orderBy('user_id')
    .limit(mostLookers)
    .execute();
  const concerned = [record.installerUserId, ...(record.run ? [record.run.userId] : [])];
  const everybody = new Set([...concerned, ...openers.map((opener) => opener.user_id)]);
  return [...everybody].slice(0, mostLookers);
}
