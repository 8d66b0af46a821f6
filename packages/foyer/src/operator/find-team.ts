import type { Queries } from '../database/database.ts';
import { findInstallRecords, type InstallRecord, registeredTeamId } from '../database/install-record.ts';
import { CommandError } from './command-error.ts';
import { listInstallationsPage } from './installation-lists.ts';

/** If a name matches several installations, the error lists at most this many. */
const mostNamed = 10;

/**
 * Finds an installation by its team's id, or by its enterprise's id for an org-wide install. Commands that change
 * something use this function. It accepts no name, so no one can erase another team of the same name by mistake.
 * @throws CommandError if no installation has the id; if `given` is a team's name, the error lists the matching ids
 */
export async function findTeam(queries: Queries, clientId: string, given: string): Promise<InstallRecord> {
  const [record] = await findInstallRecords(queries, clientId, given);
  if (record) return record;
  const text = given.trim();
  const named = await findNamed(queries, clientId, text);
  if (named.found.length === 0) throw noInstallation(text);
  throw new CommandError(`This command takes a team’s id, not a name. "${text}" matches ${listed(named)}.`);
}

/**
 * Finds an installation for a command that changes nothing: by id, by name, or by a part of a name that only one
 * installation has.
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
  const named = await findNamed(queries, clientId, text);
  const [first, second] = named.found;
  if (!first) throw noInstallation(text);
  if (!second) return first;
  const count = named.areMore ? 'Many' : named.found.length;
  throw new CommandError(`${count} installations match "${text}": ${listed(named)}. Give the id of one.`);
}

interface Named {
  found: InstallRecord[];
  areMore: boolean;
}

/** Finds installations by name. If no installation has exactly this name, finds those whose names contain the text. */
async function findNamed(queries: Queries, clientId: string, text: string): Promise<Named> {
  const search = { clientId, text, limit: mostNamed };
  // Searches for the whole name first. Otherwise, newer installations whose names only contain the text could fill the
  // page, and the installation with exactly this name would be missing.
  const named = await listInstallationsPage(queries, { ...search, isWholeName: true });
  const whole = named.rows.filter((row) => nameOf(row)?.toLowerCase() === text.toLowerCase());
  const { rows: found, older } =
    whole.length > 0 ? { ...named, rows: whole } : await listInstallationsPage(queries, search);
  return { found, areMore: older !== null };
}

function listed({ found, areMore }: Named): string {
  const names = found.map((row) => `${registeredTeamId(row)} (${nameOf(row) ?? 'no name'})`);
  return `${names.join(', ')}${areMore ? ', …' : ''}`;
}

function noInstallation(text: string): CommandError {
  return new CommandError(
    `There is no installation of ${text}. \`npm run foyer -- list\` lists all ids. ` +
      'To find a workspace that an org-wide install covers, give its enterprise’s id (E…).',
  );
}

function nameOf({ isEnterpriseInstall, teamName, enterpriseName }: InstallRecord): string | null {
  return isEnterpriseInstall ? enterpriseName : teamName;
}
