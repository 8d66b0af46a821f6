import { sql } from 'kysely';
import type { Database, Queries } from './database.ts';
import { type Given, prepareQuery } from './prepared-query.ts';

/** A person, and the installation whose App Home they see. */
export interface Onlooker {
  installationId: string;
  userId: string;
}

/** What Foyer has stored about the App Home view that it last showed to a person. */
interface ShownView {
  /** When the person last opened App Home, accurate to a few minutes; zero if they have not opened it. */
  openedAt: number;
  /** The hash of the view that Slack accepted last; null while that is unknown. */
  publishedHash: string | null;
  /** The hash of the latest view that a Foyer process has begun to send to Slack; null if there is none. */
  sendingHash: string | null;
}

/**
 * Prepares a query for the view that Foyer last showed to a person. The query sees only committed data, and resolves to
 * undefined if there is no such view.
 */
export function prepareShownView(
  database: Pick<Database, 'prepare'>,
): (onlooker: Onlooker) => Promise<ShownView | undefined> {
  const read = database.prepare((queries, given: Given<Onlooker>) =>
    queries
      .selectFrom('home_views')
      .select(['opened_at as openedAt', 'published_hash as publishedHash', 'sending_hash as sendingHash'])
      .where('installation_id', '=', given.installationId)
      .where('user_id', '=', given.userId),
  );
  return ({ installationId, userId }) => read({ installationId, userId });
}

const openedAt = prepareQuery((queries: Queries, given: Given<Onlooker & { at: number }>) =>
  queries
    .updateTable('home_views')
    .set({ opened_at: given.at })
    .where('installation_id', '=', given.installationId)
    .where('user_id', '=', given.userId),
);

/**
 * Records that a person opened App Home. Does nothing if Foyer never published App Home to this person.
 * @throws DatabaseUnavailableError
 */
export async function noteHomeOpened(database: Database, onlooker: Onlooker, at: number): Promise<void> {
  await database.write((tx) => openedAt(tx, { ...onlooker, at }));
}

/** A view that is about to be sent. */
interface ViewAnnouncement {
  hash: string;
  /** The `sendingHash` that the caller read before it built the view; null if there was none. */
  lastSent: string | null;
  /**
   * When the person opened App Home. If Foyer sends the view for another reason, this is 0, and the stored time does
   * not change.
   */
  openedAt: number;
}

// The casts are for Postgres, which does not infer a selected parameter's type from the target column.
const announce = prepareQuery((queries, given: Given<Onlooker & ViewAnnouncement>) =>
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
 * Records which view is about to be sent, and forgets which view Slack accepted last. While Foyer sends a view, and
 * after a crash or a time-out, it does not know which view Slack shows. Returns false if the caller must not send its
 * view. Then either the app is uninstalled, or another process began to send a view, perhaps a newer one, after the
 * caller read `lastSent`.
 * @throws DatabaseUnavailableError
 */
export async function announceView(
  database: Database,
  onlooker: Onlooker,
  view: ViewAnnouncement,
): Promise<boolean> {
  const { rows } = await database.write((tx) => announce(tx, { ...onlooker, ...view }));
  return rows.length > 0;
}

const confirm = prepareQuery((queries, given: Given<Onlooker & { hash: string }>) =>
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
 * Records that Slack accepted the view. Does nothing if the person or the installation has been erased. Returns false
 * if another process has announced another view in the meantime. Foyer then does not know which of the two views Slack
 * accepted last.
 * @throws DatabaseUnavailableError
 */
export async function confirmView(database: Database, onlooker: Onlooker, hash: string): Promise<boolean> {
  const { rows } = await database.write((tx) => confirm(tx, { ...onlooker, hash }));
  return rows.every((row) => row.published_hash === hash);
}

/**
 * Lists up to `most` people who may be looking at an installation's App Home. First come the installer and the person
 * of the newest install run. Then come the people who opened App Home after `openedAfter`, the latest first. The list
 * is empty if the app is uninstalled or the installation was erased.
 */
export async function listLookers(
  { queries }: Pick<Database, 'queries'>,
  installationId: string,
  { openedAfter, most }: { openedAfter: number; most: number },
): Promise<string[]> {
  const installation = await queries
    .selectFrom('installations')
    .select('installer_user_id')
    .select((eb) =>
      eb
        .selectFrom('runs')
        .select('runs.user_id')
        .whereRef('runs.installation_id', '=', 'installations.id')
        .where('runs.pipeline', '=', 'install')
        .orderBy('runs.created_at', 'desc')
        .orderBy('runs.id', 'desc')
        .limit(1)
        .as('run_user_id'),
    )
    .where('id', '=', installationId)
    .where('status', '!=', 'uninstalled')
    .executeTakeFirst();
  if (!installation) return [];
  const openers = await queries
    .selectFrom('home_views')
    .select('user_id')
    .where('installation_id', '=', installationId)
    .where('opened_at', '>', openedAfter)
    .orderBy('opened_at', 'desc')
    .orderBy('user_id')
    .limit(most)
    .execute();
  const { installer_user_id, run_user_id } = installation;
  const concerned = run_user_id === null ? [installer_user_id] : [installer_user_id, run_user_id];
  return [...new Set([...concerned, ...openers.map((opener) => opener.user_id)])].slice(0, most);
}
