import { Command, InvalidArgumentError, Option } from 'commander';

/** The help texts of a command. Each example is a command line and its purpose. */
interface CommandHelp {
  summary: string;
  description: string;
  examples: readonly (readonly [commandLine: string, purpose: string])[];
}

/** Creates a command whose help ends with examples. Does not add the option `--json`: `createProgram` does. */
export function operatorCommand(name: string, { summary, description, examples }: CommandHelp): Command {
  const lines = examples.map(([commandLine, purpose]) => `  # ${purpose}\n  npm run foyer -- ${commandLine}`);
  return new Command(name)
    .summary(summary)
    .description(description)
    .addHelpText('after', `\nExamples:\n${lines.join('\n')}`);
}

/** Reads a day such as 2026-11-22, and returns its first millisecond in UTC. @throws InvalidArgumentError */
export function parseDay(text: string): number {
  const at = /^\d{4}-\d{2}-\d{2}$/.test(text) ? Date.parse(`${text}T00:00:00Z`) : Number.NaN;
  // In some engines, Date.parse reads 31 June as 1 July.
  if (Number.isNaN(at) || new Date(at).toISOString().slice(0, 10) !== text) {
    throw new InvalidArgumentError('Give a day such as 2026-11-22.');
  }
  return at;
}

/**
 * Reads a day, or a UTC time such as 2026-11-22T01:30Z. Returns milliseconds since 1970. @throws InvalidArgumentError
 */
export function parseTime(text: string): number {
  if (!text.includes('T')) return parseDay(text);
  const [day = '', time = ''] = text.split('T');
  const midnight = parseDay(day);
  const at = /^([01]\d|2[0-3]):[0-5]\d(:[0-5]\d(\.\d{1,3})?)?Z?$/.test(time)
    ? Date.parse(`${day}T${time.replace(/Z?$/, 'Z')}`)
    : Number.NaN;
  if (Number.isNaN(at) || at < midnight) {
    throw new InvalidArgumentError('Give a day such as 2026-11-22, or a time such as 2026-11-22T01:30Z.');
  }
  return at;
}

/** A person whom the operator named on the command line. */
export interface NamedPerson {
  teamId: string;
  userId: string;
}

/** `--user T…/U…`: names a person by team id and user id. */
export function userOption(): Option {
  return new Option('--user <team/user>', 'the person: T…/U…, or E…/U… in an org-wide install')
    .makeOptionMandatory()
    .argParser((text): NamedPerson => {
      const [, teamId, userId] = /^([TE][A-Z0-9]{1,31})\/([UW][A-Z0-9]{1,31})$/.exec(text) ?? [];
      if (teamId === undefined || userId === undefined) {
        throw new InvalidArgumentError(
          'Give a team and a user, such as T0123ABCD/U0123ABCD: a user id alone is not unique.',
        );
      }
      return { teamId, userId };
    });
}

/** Reads the id of a team or an enterprise. @throws InvalidArgumentError */
export function parseTeamId(text: string): string {
  if (/^[TE][A-Z0-9]{1,31}$/.test(text)) return text;
  throw new InvalidArgumentError('Give an id such as T0123ABCD, not a name.');
}

/** Reads a limit: a whole number from 1 to 9,999,999. @throws InvalidArgumentError */
export function parseLimit(text: string): number {
  const limit = /^\d{1,7}$/.test(text) ? Number(text) : 0;
  if (limit < 1) throw new InvalidArgumentError('Give a whole number from 1 to 9,999,999.');
  return limit;
}
