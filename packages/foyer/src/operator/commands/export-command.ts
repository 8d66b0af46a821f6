import type { Command } from 'commander';
import { type PersonData, readPersonData } from '../../database/people/person-data.ts';
import { CommandError } from '../command-error.ts';
import { isoTime } from '../install-record-json.ts';
import type { OperatorDeps } from '../operator-deps.ts';
import { withDatabase } from '../with-database.ts';
import { type NamedPerson, operatorCommand, userOption } from './command-help.ts';

/** `export --user T/U`: prints everything that Foyer stores about one person, except secrets. */
export function exportCommand(deps: OperatorDeps): Command {
  return operatorCommand('export', {
    summary: 'print everything that is stored about one person',
    description:
      'Prints everything that Foyer stores about one person as JSON, for someone who asks what you know about them: ' +
      'profile, membership, sign-ins, installs, runs, answers, Home, history. It says whether a token of theirs is ' +
      'stored, and prints no secret. It does not read your own tables, the log, or backups.',
    examples: [['export --user T0123ABCD/U0123ABCD > grace.json', 'Grace asks']],
  })
    .addOption(userOption())
    .action(async ({ user }: { user: NamedPerson }) => {
      await withDatabase(deps, async (config, { queries }) => {
        const data = await readPersonData(queries, { clientId: config.slack.clientId, ...user });
        if (isNothing(data)) throw nothingStored(user);
        deps.output.printJson({ ...user, ...(toJson(data) as object) });
      });
    });
}

/** Makes the error for a person about whom Foyer stores nothing. */
export function nothingStored({ teamId, userId }: NamedPerson): CommandError {
  return new CommandError(
    `Nothing is stored about ${userId} of ${teamId}. \`npm run foyer -- members TEAM\` lists the people of a team; ` +
      'in an org-wide install they belong to the enterprise (E…/U…).',
  );
}

/** Returns whether no table has a row about the person. */
export function isNothing(data: PersonData): boolean {
  return Object.values(data).every((rows) => rows.length === 0);
}

/** Converts rows to the style of the other commands: camelCase names, and times in ISO 8601. Drops `client_id`. */
function toJson(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(toJson);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).filter(([name]) => name !== 'client_id');
  return Object.fromEntries(
    entries.map(([name, inner]) => {
      const camel = name.replaceAll(/_(\w)/g, (_all, letter: string) => letter.toUpperCase());
      if (name.endsWith('_at') && typeof inner === 'number') return [camel, isoTime(inner)];
      // A step's output is the app's own data, so its names and values stay unchanged.
      return [camel, name === 'output' ? inner : toJson(inner)];
    }),
  );
}
