import type { Queries } from '../database/database.ts';
import type { InstallRecord } from '../database/install-record.ts';
import { findInstallRecords } from '../database/install-record.ts';
import { CommandError } from './command-error.ts';

/**
 * Finds an installation by its team's id, or by its enterprise's id for an org-wide install.
 * @throws CommandError that says where to look if there is none
 */
export async function findTeam(queries: Queries, clientId: string, id: string): Promise<InstallRecord> {
  const [record] = await findInstallRecords(queries, clientId, id);
  if (record) return record;
  throw new CommandError(
    `There is no installation of ${id}. \`npm run foyer -- list\` lists all ids. ` +
      'A workspace that an org-wide install covers is found by its enterprise’s id (E…).',
  );
}
