import type { Queries } from '../database.ts';
import { type Given, prepareQuery } from '../prepared-query.ts';

/** What a pass through OAuth led to. */
export interface InstalledRequest {
  id: string;
  teamId: string | null;
  teamName: string | null;
  enterpriseId: string | null;
  userId: string;
  installationId: string;
  runId: string;
  now: number;
}

const setInstalled = prepareQuery((queries, given: Given<InstalledRequest>) =>
  queries
    .updateTable('install_requests')
    .set({
      outcome: 'installed',
      error_code: null,
      finished_at: given.now,
      team_id: given.teamId,
      team_name: given.teamName,
      enterprise_id: given.enterpriseId,
      user_id: given.userId,
      installation_id: given.installationId,
      run_id: given.runId,
      sealed_tokens: null,
    })
    .where('id', '=', given.id),
);

/**
 * Ends a pass through OAuth as installed, and forgets the tokens that were kept for giving them back: called in the
 * transaction that stores them for good (invariant 1).
 */
export async function finishInstallRequest(transaction: Queries, request: InstalledRequest): Promise<void> {
  await setInstalled(transaction, request);
}
