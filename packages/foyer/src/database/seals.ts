import { sql } from 'kysely';
import type { Queries, Tx } from './database.ts';
import { type TokenHolder, tokensOf } from './token-refreshes.ts';

/** A sealed token as it is stored, and its holder. */
export interface StoredSeal {
  holder: TokenHolder;
  sealed: string;
}

/**
 * Lists the sealed bot tokens of all apps, sorted by installation: at most `limit`, beginning after the holder `after`.
 * With `newestFirst`, lists them in the opposite order.
 */
export async function listBotSeals(
  queries: Queries,
  page: { after?: TokenHolder; newestFirst?: boolean; limit: number },
): Promise<StoredSeal[]> {
  const { after, newestFirst, limit } = page;
  let query = queries
    .selectFrom('installations')
    .select(['id', 'sealed_bot'])
    .where('sealed_bot', 'is not', null);
  if (after) query = query.where('id', newestFirst ? '<' : '>', after.installationId);
  const rows = await query
    .orderBy('id', newestFirst ? 'desc' : 'asc')
    .limit(limit)
    .execute();
  return rows.map((row) => ({ holder: { installationId: row.id }, sealed: row.sealed_bot ?? '' }));
}

/** Lists the sealed user tokens of all apps, sorted by installation and then by person. */
export async function listUserSeals(
  queries: Queries,
  page: { after?: TokenHolder; limit: number },
): Promise<StoredSeal[]> {
  const { installationId = '', userId = '' } = page.after ?? {};
  const rows = await queries
    .selectFrom('user_tokens')
    .select(['installation_id', 'user_id', 'sealed_user'])
    .where((eb) => eb(eb.refTuple('installation_id', 'user_id'), '>', eb.tuple(installationId, userId)))
    .orderBy('installation_id')
    .orderBy('user_id')
    .limit(page.limit)
    .execute();
  return rows.map((row) => ({
    holder: { installationId: row.installation_id, userId: row.user_id },
    sealed: row.sealed_user,
  }));
}

/**
 * Stores tokens that were sealed again; returns false if the stored tokens have changed since the caller read them.
 * Keeps the version, since the tokens are the same. So a refresh that is in progress can still write.
 */
export async function replaceSeal(
  tx: Tx,
  replacement: { holder: TokenHolder; from: string; to: string },
): Promise<boolean> {
  const { table, key, sealed } = tokensOf(replacement.holder);
  const { numUpdatedRows } = await tx
    .updateTable(table)
    .set({ [sealed]: replacement.to })
    .where((eb) => eb.and({ ...key, [sealed]: replacement.from }))
    .executeTakeFirst();
  return numUpdatedRows > 0n;
}

/** How many sealed texts `countSeals` found for bots, for users and for install requests. */
export interface SealCount {
  bots: number;
  users: number;
  /** Install requests with tokens that Foyer has yet to store or revoke. */
  requests: number;
}

type SealedColumn = 'sealed_bot' | 'sealed_user' | 'sealed_tokens';

const startOf = (column: SealedColumn | 'sealed', prefix: string) =>
  sql<string>`substr(${sql.ref(column)}, 1, ${sql.lit(prefix.length)})`;

/** Counts the sealed texts of all apps that begin with `prefix`; if `prefix` is empty, counts all of them. */
export async function countSeals(queries: Queries, prefix = ''): Promise<SealCount> {
  const count = async (
    table: 'installations' | 'user_tokens' | 'install_requests',
    column: SealedColumn,
  ): Promise<number> => {
    const { rows } = await queries
      .selectFrom(table)
      .select(({ fn }) => fn.countAll<number>().as('rows'))
      .where(column, 'is not', null)
      .where(startOf(column, prefix), '=', prefix)
      .executeTakeFirstOrThrow();
    return rows;
  };
  return {
    bots: await count('installations', 'sealed_bot'),
    users: await count('user_tokens', 'sealed_user'),
    requests: await count('install_requests', 'sealed_tokens'),
  };
}

/**
 * Finds a sealed text that begins with none of `prefixes` (one prefix per known key); returns undefined if there is
 * none. May read every row.
 */
export async function findForeignSeal(
  queries: Queries,
  prefixes: readonly string[],
): Promise<string | undefined> {
  const seals = queries
    .selectFrom('installations')
    .select('sealed_bot as sealed')
    .unionAll(queries.selectFrom('user_tokens').select('sealed_user as sealed'))
    .unionAll(queries.selectFrom('install_requests').select('sealed_tokens as sealed'));
  const row = await queries
    .selectFrom(seals.as('seals'))
    .select('sealed')
    .where('sealed', 'is not', null)
    .where((eb) => eb.and(prefixes.map((prefix) => eb(startOf('sealed', prefix), '!=', prefix))))
    .limit(1)
    .executeTakeFirst();
  return row?.sealed ?? undefined;
}

/** Finds at most `limit` install requests, of any app, whose sealed tokens do not begin with `prefix`. */
export async function findStaleRequestSeals(
  queries: Queries,
  search: { prefix: string; limit: number },
): Promise<{ requestId: string; sealed: string }[]> {
  const { prefix, limit } = search;
  const rows = await queries
    .selectFrom('install_requests')
    .select(['id', 'sealed_tokens'])
    .where('sealed_tokens', 'is not', null)
    .where(startOf('sealed_tokens', prefix), '!=', prefix)
    .limit(limit)
    .execute();
  return rows.map((row) => ({ requestId: row.id, sealed: row.sealed_tokens ?? '' }));
}

/**
 * Stores an install request's tokens that were sealed again; returns false if the stored tokens were changed or deleted
 * since the caller read them.
 */
export async function replaceRequestSeal(
  tx: Tx,
  replacement: { requestId: string; from: string; to: string },
): Promise<boolean> {
  const { numUpdatedRows } = await tx
    .updateTable('install_requests')
    .set({ sealed_tokens: replacement.to })
    .where('id', '=', replacement.requestId)
    .where('sealed_tokens', '=', replacement.from)
    .executeTakeFirst();
  return numUpdatedRows > 0n;
}

/** Finds and locks the rows, of any app, whose sealed text begins with `prefix`: at most `limit` of each kind. */
export async function listSealedWith(
  queries: Queries,
  search: { prefix: string; limit: number },
): Promise<{
  installations: { id: string; clientId: string; teamId: string | null; enterpriseId: string | null }[];
  people: { installationId: string; userId: string }[];
  requests: string[];
}> {
  const { prefix, limit } = search;
  const installations = await queries
    .selectFrom('installations')
    .select(['id', 'client_id as clientId', 'team_id as teamId', 'enterprise_id as enterpriseId'])
    .where(startOf('sealed_bot', prefix), '=', prefix)
    .orderBy('id')
    .limit(limit)
    .forUpdate()
    .execute();
  const people = await queries
    .selectFrom('user_tokens')
    .select(['installation_id as installationId', 'user_id as userId'])
    .where(startOf('sealed_user', prefix), '=', prefix)
    .limit(limit)
    .forUpdate()
    .execute();
  const requests = await queries
    .selectFrom('install_requests')
    .select('id')
    .where(startOf('sealed_tokens', prefix), '=', prefix)
    .limit(limit)
    .forUpdate()
    .execute();
  return { installations, people, requests: requests.map(({ id }) => id) };
}
