import type { Command } from 'commander';
import type { Config } from '../../config/config.ts';
import type { Database } from '../../database/database.ts';
import { type ErasedPerson, erasePerson } from '../../database/people/erase-person.ts';
import { type PersonData, readPersonData } from '../../database/people/person-data.ts';
import { CommandError, UsageError } from '../command-error.ts';
import type { OperatorDeps } from '../operator-deps.ts';
import { readOwnTables } from '../own-tables.ts';
import { isKeyFault, openRevocation, revokeTokens } from '../revoke-tokens.ts';
import { fieldLines } from '../terminal/table.ts';
import { withDatabase } from '../with-database.ts';
import { type NamedPerson, operatorCommand, userOption } from './command-help.ts';
import { isNothing, nothingStored } from './export-command.ts';

interface EraseOptions {
  user: NamedPerson;
  yes?: boolean;
  json?: boolean;
}

/** `erase --user T/U`: erases what Foyer stores about one person, except what Foyer must keep. */
export function eraseCommand(deps: OperatorDeps): Command {
  return operatorCommand('erase', {
    summary: 'erase what is stored about one person',
    description:
      'Erases what Foyer stores about one person, for someone who asks to be forgotten. On SQLite, also erases it from ' +
      'the database’s files. Their own token is revoked at Slack first, their sessions end, and their unfinished ' +
      'install is canceled. The record of the installation stays, but no longer says who they are. The command asks ' +
      'for confirmation first: only a backup can bring the data back. Afterward it lists what had to stay, with the ' +
      'reason. It does not touch your own tables, the log, or backups. If the person opens Home or signs in again, they ' +
      'are registered again.',
    examples: [
      ['erase --user T0123ABCD/U0123ABCD', 'Grace asks to be forgotten'],
      ['erase --user T0123ABCD/U0123ABCD --yes --json', 'for a script: skip the confirmation and print JSON'],
    ],
  })
    .addOption(userOption())
    .option('-y, --yes', 'do not ask')
    .action((options: EraseOptions) => erase(deps, options));
}

async function erase(deps: OperatorDeps, { user, yes, json }: EraseOptions): Promise<void> {
  const { confirm, output } = deps;
  if (!yes && !confirm) {
    throw new UsageError(
      'erase asks for confirmation, and there is no terminal to ask on. Add --yes to skip the question.',
    );
  }
  await withDatabase(deps, async (config, database) => {
    const person = { clientId: config.slack.clientId, ...user };
    const data = await readPersonData(database.queries, person);
    if (isNothing(data)) throw nothingStored(user);
    if (!yes) {
      output.note(`This is stored about ${user.userId} of ${user.teamId}:\n${storedLines(data)}`);
      if (!(await confirm?.(`Erase ${user.userId} of ${user.teamId}?`))) {
        throw new CommandError('Nothing was erased.');
      }
    }
    await revokeOwnTokens(deps, config, database, { ...user, data });
    const erased = await database.write((tx) => erasePerson(tx, { ...person, now: deps.now() }));
    await database.scrub();
    const { left, erased: cascading } = await readOwnTables(database.queries);
    const ownTables = [...cascading, ...left];
    if (ownTables.length > 0) {
      output.note(
        `Foyer does not change your own tables ${ownTables.join(', ')}: it does not know which rows are about this person.`,
      );
    }
    if (json) return output.printJson({ ...user, ...erased, ownTables });
    output.print(`Erased:\n${erasedLines(erased)}`);
    for (const { what, why } of erased.kept) output.print(`\nKept: ${what}.\n  ${why}.`);
  });
}

/**
 * Revokes the person's own tokens at Slack, and reports each token that could not be revoked. The caller then erases
 * all of the person's tokens, revoked or not.
 */
async function revokeOwnTokens(
  deps: OperatorDeps,
  config: Config,
  database: Database,
  { userId, data }: NamedPerson & { data: PersonData },
): Promise<void> {
  for (const { installation_id: installationId } of data.ownTokens) {
    try {
      const revoking = await openRevocation(deps, config, database);
      const { notRevoked } = await revokeTokens(revoking, installationId, { onlyOf: userId });
      for (const { error } of notRevoked) note(error);
    } catch (error) {
      if (!isKeyFault(error)) throw error;
      note(error.message);
    }
  }
  function note(why: string): void {
    deps.output.note(
      `Their own token could not be revoked at Slack (${why}): it is erased here, but stays valid at Slack until they or an admin revoke it.`,
    );
  }
}

function storedLines(data: PersonData): string {
  return fieldLines(
    Object.entries(data)
      .filter(([, rows]) => rows.length > 0)
      .map(([name, rows]) => [wordsOf(name), String(rows.length)]),
  );
}

function erasedLines({ cancelledRuns, kept: _kept, ...counts }: ErasedPerson): string {
  return fieldLines([
    ...Object.entries(counts)
      .filter(([, rows]) => rows > 0)
      .map(([name, rows]): [string, string] => [wordsOf(name), String(rows)]),
    ['canceled runs', cancelledRuns.join(', ') || null],
  ]);
}

/** Writes `homeViews` as `home views`. */
function wordsOf(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
}
