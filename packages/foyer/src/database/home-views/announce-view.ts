import { sql } from 'kysely';
import type { Database } from '../database.ts';
import { type Given, prepareQuery } from '../prepared-query.ts';
import type { Onlooker } from './shown-view.ts';

/** A view that is about to be sent. */
export interface ViewAnnouncement {
  hash: string;
  /** The `sendingHash` that was read before the view was made; null where there was none. */
  lastSent: string | null;
  /** When the person opened App Home; zero where they did not. */
  openedAt: number;
}

// The casts are for Postgres: it does not look where a selected parameter goes.
const announce = prepareQuery(
  (
    queries,
    given: Given<{
      installationId: string;
      userId: string;
      openedAt: number;
      hash: string;
      lastSent: string | null;
    }>,
  ) =>
    queries
      .insertInto('home_views')
      .columns(['installation_id', 'user_id', 'opened_at', 'sending_hash'])
      .expression(
        queries
          .selectFrom('installations')
          .select([
            'id',
            sql<string>`cast(${given.userId} as text)`.as('user_id'),
            sql<number>`cast(${given.openedAt} as bigint)`.as('opened_at'),
            sql<string>`cast(${given.hash} as text)`.as('sending_hash'),
          ])
          .where('id', '=', given.installationId)
          .where('status', '!=', 'uninstalled')
          .forShare(),
      )
      .onConflict((conflict) =>
        conflict
          .columns(['installation_id', 'user_id'])
          .doUpdateSet((eb) => ({
            opened_at: eb
              .case()
              .when('excluded.opened_at', '=', 0)
              .then(eb.ref('home_views.opened_at'))
              .else(eb.ref('excluded.opened_at'))
              .end(),
            published_hash: null,
            sending_hash: eb.ref('excluded.sending_hash'),
          }))
          .where('home_views.sending_hash', 'is not distinct from', given.lastSent),
      )
      .returning('user_id'),
);

/**
 * Notes which view is about to be sent, and forgets what was shown just before that: whether Slack took a view is not
 * known while it is under way, nor after a crash or a time-out. False where nothing may be sent: the installation is
 * uninstalled, or another process has begun to send since `lastSent` was read, perhaps something newer.
 * @throws DatabaseUnavailableError
 */
export async function announceView(
  database: Database,
  { installationId, userId }: Onlooker,
  { hash, lastSent, openedAt }: ViewAnnouncement,
): Promise<boolean> {
  const values = { installationId, userId, openedAt, hash, lastSent };
  const { rows } = await database.write((transaction) => announce(transaction, values));
  return rows.length > 0;
}
