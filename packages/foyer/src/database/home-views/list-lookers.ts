import type { Database } from '../database.ts';

/**
 * Who may be looking at an installation's App Home, `most` of them: its installer, the person of its newest run, and
 * whoever opened it after `openedAfter`, newest first. Nobody where it is uninstalled.
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
