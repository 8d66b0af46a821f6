import type { Queries } from '../database.ts';

/** How many sealed texts begin with a prefix, by where they are kept. */
export interface SealCount {
  bots: number;
  users: number;
  /** Install requests with tokens that wait to be stored or given back. */
  requests: number;
}

type Count = number | string | bigint;

/** Counts the sealed texts, of every app in the database, that begin with `prefix`; without one, all of them. */
export async function countSeals(queries: Queries, prefix = ''): Promise<SealCount> {
  const bots = await queries
    .selectFrom('installations')
    .select(({ fn }) => fn.countAll<Count>().as('count'))
    .where('sealed_bot', 'is not', null)
    .where(({ eb, fn, lit }) =>
      eb(fn<string>('substr', ['sealed_bot', lit(1), lit(prefix.length)]), '=', prefix),
    )
    .executeTakeFirstOrThrow();
  const users = await queries
    .selectFrom('user_tokens')
    .select(({ fn }) => fn.countAll<Count>().as('count'))
    .where(({ eb, fn, lit }) =>
      eb(fn<string>('substr', ['sealed_user', lit(1), lit(prefix.length)]), '=', prefix),
    )
    .executeTakeFirstOrThrow();
  const requests = await queries
    .selectFrom('install_requests')
    .select(({ fn }) => fn.countAll<Count>().as('count'))
    .where('sealed_tokens', 'is not', null)
    .where(({ eb, fn, lit }) =>
      eb(fn<string>('substr', ['sealed_tokens', lit(1), lit(prefix.length)]), '=', prefix),
    )
    .executeTakeFirstOrThrow();
  return { bots: Number(bots.count), users: Number(users.count), requests: Number(requests.count) };
}
