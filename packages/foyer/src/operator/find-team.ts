import type { Queries } from '../database/database.ts';
import type { InstallRecord } from '../database/install-record.ts';
import { findInstallRecords } from '../database/install-record.ts';
import { CommandError } from './command-error.ts';
import { listInstallationsPage } from './installation-lists.ts';

/**
 * Finds an installation by its team's id, or by its enterprise's id for an org-wide install.
 * @throws CommandError if there is none; it says where to look
 */
export async function findTeam(queries: Queries, clientId: string, id: string): Promise<InstallRecord> {
  const [record] = await findInstallRecords(queries, clientId, id);
  if (record) return record;
  throw new CommandError(
    `There is no installation of ${id}. \`npm run foyer -- list\` lists all ids. ` +
      'To find a workspace that an org-wide install covers, give its enterprise’s id (E…).',
  );
}

/** If a name matches several installations, the error lists at most this many. */
const mostNamed = 10;

/**
 * Finds an installation for a command that changes nothing: by id, by name, or by a part of a name that only one
 * installation has. If a whole name matches, matches of a part do not count. Commands such as `purge` accept only an
 * id, so that no one erases another team of the same name.
 * @throws CommandError if there are several installations, which it lists, or if there is none
 */
export async function findTeamOrName(
  queries: Queries,
  clientId: string,
  given: string,
): Promise<InstallRecord> {
  const [record] = await findInstallRecords(queries, clientId, given);
  if (record) return record;
  const text = given.trim();
  const search = { clientId, text, limit: mostNamed };
  // Searches for the whole name separately: a single search could return only newer installations whose names contain
  // the text.
  const named = await listInstallationsPage(queries, { ...search, isWholeName: true });
  const whole = named.rows.filter((row) => nameOf(row)?.toLowerCase() === text.toLowerCase());
  const { rows: found, older } =
    whole.length > 0 ? { ...named, rows: whole } : await listInstallationsPage(queries, search);
  if (found.length > 1) {
    const names = found.map(
      (row) => `${row.isEnterpriseInstall ? row.enterpriseId : row.teamId} (${nameOf(row) ?? 'no name'})`,
    );
    throw new CommandError(
      `${older ? 'Many' : found.length} installations match "${text}": ${names.join(', ')}${older ? ', …' : ''}. Give the id of one.`,
    );
  }
  return found[0] ?? findTeam(queries, clientId, text);
}

function nameOf({ isEnterpriseInstall, teamName, enterpriseName }: InstallRecord): string | null {
  return isEnterpriseInstall ? enterpriseName : teamName;
}
