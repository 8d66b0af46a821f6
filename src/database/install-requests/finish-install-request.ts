import type { Queries } from '../database.ts';

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

/**
 * Ends a pass through OAuth as installed, and forgets the tokens that were kept for giving them back: called in the
 * transaction that stores them for good (invariant 1).
 */
export async function finishInstallRequest(transaction: Queries, request: InstalledRequest): Promise<void> {
  await transaction
    .updateTable('install_requests')
    .set({
      outcome: 'installed',
      error_code: null,
      finished_at: request.now,
      team_id: request.teamId,
      team_name: request.teamName,
      enterprise_id: request.enterpriseId,
      user_id: request.userId,
      installation_id: request.installationId,
      run_id: request.runId,
      sealed_tokens: null,
    })
    .where('id', '=', request.id)
    .execute();
}
