import type { Queries } from '../database.ts';

/** Forgets what an installation's people were shown in App Home: without a token nothing can be published. */
export async function eraseHomeViews(transaction: Queries, installationId: string): Promise<void> {
  await transaction.deleteFrom('home_views').where('installation_id', '=', installationId).execute();
}
