import type { Database } from '../database.ts';
import { type Given, prepareQuery } from '../prepared-query.ts';
import type { Onlooker } from './shown-view.ts';

const confirm = prepareQuery(
  (queries, given: Given<{ installationId: string; userId: string; hash: string }>) =>
    queries
      .updateTable('home_views')
      .set((eb) => ({
        published_hash: eb
          .case()
          .when('sending_hash', '=', given.hash)
          .then(eb.ref('sending_hash'))
          .else(null)
          .end(),
      }))
      .where('installation_id', '=', given.installationId)
      .where('user_id', '=', given.userId)
      .returning('published_hash'),
);

/**
 * Keeps what Slack has taken. The person or the installation may be gone by now: then nothing is kept. False where
 * another process has sent another view meanwhile: nobody knows which of them Slack took last.
 * @throws DatabaseUnavailableError
 */
export async function confirmView(
  database: Database,
  { installationId, userId }: Onlooker,
  hash: string,
): Promise<boolean> {
  const values = { installationId, userId, hash };
  const { rows } = await database.write((transaction) => confirm(transaction, values));
  return rows.every((row) => row.published_hash === hash);
}
