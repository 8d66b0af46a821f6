import type { Queries } from '../database.ts';

/**
 * Finds a sealed text that begins with none of `prefixes` (one for each known key), or undefined. It reads every row
 * until it finds one.
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
    .where((eb) =>
      eb.and(
        prefixes.map((prefix) =>
          eb(eb.fn<string>('substr', ['sealed', eb.lit(1), eb.lit(prefix.length)]), '!=', prefix),
        ),
      ),
    )
    .limit(1)
    .executeTakeFirst();
  return row?.sealed ?? undefined;
}
