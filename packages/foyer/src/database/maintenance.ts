import type { Database, Queries, Tx } from './database.ts';
import type { Given } from './prepared-query.ts';

/** Pauses the installs of an app, on every machine. Returns since when they are paused. */
export async function beginMaintenance(
  tx: Tx,
  { clientId, now }: { clientId: string; now: number },
): Promise<number> {
  await tx
    .insertInto('maintenance')
    .values({ client_id: clientId, began_at: now })
    .onConflict((conflict) => conflict.column('client_id').doNothing())
    .execute();
  return (await readMaintenance(tx, clientId)) ?? now;
}

/** Accepts installs again; returns whether they were paused. */
export async function endMaintenance(tx: Tx, clientId: string): Promise<boolean> {
  const ended = await tx
    .deleteFrom('maintenance')
    .where('client_id', '=', clientId)
    .returning('client_id')
    .executeTakeFirst();
  return ended !== undefined;
}

/** Since when an app's installs are paused, in milliseconds since 1970; undefined if they are not. */
export async function readMaintenance(queries: Queries, clientId: string): Promise<number | undefined> {
  const row = await queries
    .selectFrom('maintenance')
    .select('began_at')
    .where('client_id', '=', clientId)
    .executeTakeFirst();
  return row?.began_at;
}

/** How long a request waits for the answer of a database that hangs. */
const patienceMs = 300;

/**
 * Creates the check whether an app's installs are paused, for every install: one read for each change of the database.
 * It never throws: if the database does not answer, the last answer counts, so that a start still leads to Slack.
 */
export function createIsInMaintenance(
  database: Pick<Database, 'prepare' | 'changeMark'>,
  clientId: string,
): () => Promise<boolean> {
  const read = database.prepare((queries, given: Given<{ clientId: string }>) =>
    queries.selectFrom('maintenance').select('began_at').where('client_id', '=', given.clientId),
  );
  let known = { mark: Number.NaN, isOn: false };

  async function ask(mark: number): Promise<boolean> {
    known = { mark, isOn: (await read({ clientId })) !== undefined };
    return known.isOn;
  }

  return async () => {
    const mark = database.changeMark();
    if (known.mark === mark) return known.isOn;
    const late = Promise.withResolvers<boolean>();
    const timer = setTimeout(() => late.resolve(known.isOn), patienceMs);
    try {
      return await Promise.race([ask(mark).catch(() => known.isOn), late.promise]);
    } finally {
      clearTimeout(timer);
    }
  };
}
