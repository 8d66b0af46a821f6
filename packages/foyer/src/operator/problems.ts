import type { Queries } from '../database/database.ts';
import { type InstallRecord, readInstallRecord } from '../database/install-record.ts';
import { type InstallRequestRecord, listInstallRequests } from './request-lists.ts';

/** The newest cases of a kind of problem, newest first, and the total. */
export interface Problems<Case> {
  newest: readonly Case[];
  count: number;
}

type Count = number | string | bigint;

/** Finds installations that are not uninstalled and whose welcome may or may not have arrived. */
export async function readUnconfirmedWelcomes(
  queries: Queries,
  search: { clientId: string; limit: number },
): Promise<Problems<InstallRecord>> {
  const unconfirmed = queries
    .selectFrom('welcomes')
    .innerJoin('installations', (join) =>
      join
        .onRef('installations.id', '=', 'welcomes.installation_id')
        .onRef('installations.life', '=', 'welcomes.life'),
    )
    .where('welcomes.status', '=', 'unconfirmed')
    .where('installations.client_id', '=', search.clientId)
    .where('installations.status', '!=', 'uninstalled');
  const { count } = await unconfirmed
    .select(({ fn }) => fn.countAll<Count>().as('count'))
    .executeTakeFirstOrThrow();
  if (Number(count) === 0) return { newest: [], count: 0 };
  const rows = await unconfirmed
    .select('installations.id')
    .orderBy('welcomes.attempted_at', 'desc')
    .limit(search.limit)
    .execute();
  const records = await Promise.all(rows.map(({ id }) => readInstallRecord(queries, id)));
  return { newest: records.filter((record) => record !== undefined), count: Number(count) };
}

/** Finds install requests refused since `from`: by the gate, or because the workspace is another account's. */
export async function readRefusedRequests(
  queries: Queries,
  search: { clientId: string; from: number; limit: number },
): Promise<Problems<InstallRequestRecord>> {
  const { count } = await queries
    .selectFrom('install_requests')
    .select(({ fn }) => fn.countAll<Count>().as('count'))
    .where('client_id', '=', search.clientId)
    .where('outcome', '=', 'refused')
    .where('started_at', '>=', search.from)
    .executeTakeFirstOrThrow();
  if (Number(count) === 0) return { newest: [], count: 0 };
  return {
    newest: await listInstallRequests(queries, { ...search, outcome: 'refused' }),
    count: Number(count),
  };
}
