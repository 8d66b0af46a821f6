import type { Database, Queries } from '../database.ts';
import { type Given, prepareQuery } from '../prepared-query.ts';

/** A person to whom App Home is shown in an installation. */
export interface Onlooker {
  installationId: string;
  userId: string;
}

/** What is known of what a person was shown. */
export interface ShownView {
  /** When they opened App Home, to some minutes; zero for somebody who was shown it without opening it. */
  openedAt: number;
  /** Of the view that Slack took last; null while that is not known. */
  publishedHash: string | null;
  /** Of the view that was sent last, by whichever process. */
  sendingHash: string | null;
}

/** Makes the read of what a person was last shown, or undefined: prepared, and of what is committed alone. */
export function prepareShownView(
  database: Pick<Database, 'prepare'>,
): (onlooker: Onlooker) => Promise<ShownView | undefined> {
  const read = database.prepare((queries, given: Given<{ installationId: string; userId: string }>) =>
    queries
      .selectFrom('home_views')
      .select(['opened_at', 'published_hash', 'sending_hash'])
      .where('installation_id', '=', given.installationId)
      .where('user_id', '=', given.userId),
  );
  return async ({ installationId, userId }) => {
    const row = await read({ installationId, userId });
    return (
      row && { openedAt: row.opened_at, publishedHash: row.published_hash, sendingHash: row.sending_hash }
    );
  };
}

const openedAt = prepareQuery(
  (queries: Queries, given: Given<{ installationId: string; userId: string; at: number }>) =>
    queries
      .updateTable('home_views')
      .set({ opened_at: given.at })
      .where('installation_id', '=', given.installationId)
      .where('user_id', '=', given.userId),
);

/** Notes that somebody has opened App Home who was shown it before. @throws DatabaseUnavailableError */
export async function noteHomeOpened(
  database: Database,
  { installationId, userId }: Onlooker,
  at: number,
): Promise<void> {
  await database.write((transaction) => openedAt(transaction, { installationId, userId, at }));
}
