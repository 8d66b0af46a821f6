import { type Expression, type ExpressionBuilder, type SqlBool, sql } from 'kysely';
import type { Database, Queries, Tx } from './database.ts';
import { newestInstallRun } from './install-record.ts';
import { type Given, prepareQuery } from './prepared-query.ts';
import type { InstallationRow, RunRow, StepRow, Tables } from './records.ts';

/**
 * A worker's claim to one run. Each time that a worker claims runs, it uses a new `owner`, so it never mistakes an
 * earlier claim for a current one.
 */
export interface RunLease {
  runId: string;
  /** `host:pid:startId/claim`. */
  owner: string;
}

const heldRun = (queries: Queries, given: Given<RunLease>) =>
  queries
    .selectFrom('runs')
    .where('id', '=', given.runId)
    .where('lease_owner', '=', given.owner)
    .where('status', '=', 'running')
    .forNoKeyUpdate();

const lockHeldRun = prepareQuery((queries, given: Given<RunLease>) => heldRun(queries, given).select('id'));

/**
 * Returns whether the lease is still valid: the run is running, and the lease's owner still owns it. Locks the run's
 * row, so that no other worker claims the run before this transaction ends.
 */
export async function holdLease(transaction: Tx, lease: RunLease): Promise<boolean> {
  const { rows } = await lockHeldRun(transaction, lease);
  return rows.length > 0;
}

/** A run, its installation without tokens, and its steps in order. */
export interface ClaimedRun {
  run: RunRow;
  installation: Omit<InstallationRow, 'sealed_bot'>;
  steps: readonly StepRow[];
  /**
   * The steps of the newest install run with the same `life` as this run. Empty if this run is itself an install run,
   * or if there was no install run.
   */
  installSteps: readonly StepRow[];
}

const lockClaimedRun = prepareQuery((queries, given: Given<RunLease>) => heldRun(queries, given).selectAll());

const selectInstallation = prepareQuery((queries, given: Given<{ id: string }>) =>
  queries.selectFrom('installations').selectAll().where('id', '=', given.id),
);

const selectSteps = prepareQuery((queries, given: Given<{ runId: string }>) =>
  queries.selectFrom('steps').selectAll().where('run_id', '=', given.runId).orderBy('position'),
);

/**
 * Reads the run of a lease; returns undefined if the lease is no longer valid. While it is valid, only its owner
 * changes the run or its steps. Locks the run's row, as `holdLease` does.
 */
export async function readClaimedRun(transaction: Tx, lease: RunLease): Promise<ClaimedRun | undefined> {
  const [run] = (await lockClaimedRun(transaction, lease)).rows;
  if (!run) return undefined;
  const [found] = (await selectInstallation(transaction, { id: run.installation_id })).rows;
  if (!found) return undefined;
  const { sealed_bot: _, ...installation } = found;
  const { rows: steps } = await selectSteps(transaction, { runId: run.id });
  const installSteps = run.pipeline === 'install' ? [] : await readInstallSteps(transaction, run);
  return { run, installation, steps, installSteps };
}

async function readInstallSteps(transaction: Tx, run: RunRow): Promise<readonly StepRow[]> {
  const newest = await newestInstallRun(transaction, run.installation_id)
    .select('id')
    .where('life', '=', run.life)
    .executeTakeFirst();
  return newest === undefined ? [] : (await selectSteps(transaction, { runId: newest.id })).rows;
}

/** What to claim, and for how long. */
interface Claim {
  /** The app that the runs belong to. Another app in the same database has its own steps and keys. */
  clientId: string;
  limit: number;
  now: number;
  leaseUntil: number;
  /** The id that is stored as the `lease_owner` of the claimed runs. Each claim uses a new id. */
  owner: string;
}

/** Builds the condition that a run's installation belongs to this app. */
export const isOfApp =
  (clientId: string | Expression<string>) =>
  (eb: ExpressionBuilder<Tables, 'runs'>): Expression<SqlBool> =>
    eb.exists(
      eb
        .selectFrom('installations')
        .select('installations.id')
        .whereRef('installations.id', '=', 'runs.installation_id')
        .where('installations.client_id', '=', clientId),
    );

const claimRuns = prepareQuery((queries, given: Given<Claim>) =>
  queries
    // The CTE makes Postgres lock only the rows that this query claims. Only runs that a worker may claim have a
    // `due_at`, so the query needs no condition on the status. With such a condition, or with a sort by id, SQLite
    // would scan every unfinished run.
    .with('due', (due) =>
      due
        .selectFrom('runs')
        .select('id')
        .where('due_at', '<=', given.now)
        .where(isOfApp(given.clientId))
        .orderBy('due_at')
        .limit(given.limit)
        .forUpdate()
        .skipLocked(),
    )
    .updateTable('runs')
    .set((expression) => ({
      status: 'running',
      started_at: expression.fn.coalesce('started_at', given.now),
      finished_at: null,
      due_at: given.leaseUntil,
      waiting_for: null,
      lease_owner: given.owner,
      lease_until: given.leaseUntil,
    }))
    .where('id', 'in', (expression) => expression.selectFrom('due').select('due.id'))
    .returning('id'),
);

/**
 * Claims due runs: queued runs, waiting runs whose time has come, and running runs whose lease has expired, even if the
 * caller held that lease. The run that has been due longest comes first. Skips runs that another worker is claiming.
 * @throws DatabaseUnavailableError
 */
export async function claimDueRuns(database: Database, claim: Claim): Promise<RunLease[]> {
  const { rows } = await database.write((transaction) => claimRuns(transaction, claim));
  return rows.map(({ id }) => ({ runId: id, owner: claim.owner }));
}

/**
 * Extends leases, and returns those that are still valid. A lease that is not returned is lost: its run has stopped
 * running, or belongs to another worker.
 * @throws DatabaseUnavailableError
 */
export async function renewLeases(
  database: Database,
  renewal: { leases: readonly RunLease[]; leaseUntil: number },
): Promise<RunLease[]> {
  const renewed = await database.write((transaction) =>
    transaction
      .updateTable('runs')
      .set({ lease_until: renewal.leaseUntil, due_at: renewal.leaseUntil })
      .where('status', '=', 'running')
      .where('id', 'in', runIdsOf(renewal.leases))
      .where('lease_owner', 'in', ownersOf(renewal.leases))
      .returning(['id', 'lease_owner'])
      .execute(),
  );
  return renewed.map(leaseOf);
}

/** Returns the leases that are still valid, without extending them. @throws DatabaseUnavailableError */
export async function findHeldRuns(queries: Queries, leases: readonly RunLease[]): Promise<RunLease[]> {
  const held = await queries
    .selectFrom('runs')
    .select(['id', 'lease_owner'])
    .where('status', '=', 'running')
    .where('id', 'in', runIdsOf(leases))
    .where('lease_owner', 'in', ownersOf(leases))
    .execute();
  return held.map(leaseOf);
}

const leaseOf = (run: Pick<RunRow, 'id' | 'lease_owner'>): RunLease => ({
  runId: run.id,
  owner: run.lease_owner ?? '',
});
const runIdsOf = (leases: readonly RunLease[]): string[] => leases.map((lease) => lease.runId);
const ownersOf = (leases: readonly RunLease[]): string[] => leases.map((lease) => lease.owner);

/**
 * Queues the runs of workers that are known to be dead, so that the runs need not wait for their leases to expire.
 * Returns the ids of those runs. If there are none, writes nothing, since every worker calls this every two seconds.
 * @throws DatabaseUnavailableError
 */
export async function releaseDeadLeases(
  database: Database,
  release: { isDead(owner: string): boolean; now: number },
): Promise<string[]> {
  const running = await database.queries
    .selectFrom('runs')
    .select(['id', 'lease_owner'])
    .where('status', '=', sql.lit('running'))
    .where('lease_owner', 'is not', null)
    .execute();
  const left = running.filter(({ lease_owner }) => lease_owner !== null && release.isDead(lease_owner));
  if (left.length === 0) return [];
  return database.write(async (transaction) => {
    const released: string[] = [];
    for (const run of left) {
      const freed = await transaction
        .updateTable('runs')
        .set({ status: 'queued', due_at: release.now, lease_owner: null, lease_until: null })
        .where('id', '=', run.id)
        .where('lease_owner', '=', run.lease_owner)
        .returning('id')
        .executeTakeFirst();
      if (freed) released.push(freed.id);
    }
    return released;
  });
}
