import type { ConfigProblem } from './config-error.ts';

/**
 * The values of these variables, without blanks around them. One that holds nothing else is not set: that is how `.env`
 * files and compose files leave a variable out. One that begins with a quotation mark is a fault: `.env` takes a pair of
 * them away, and what is left is a mark without its other half, or came from where they count as part of the value
 * (`docker run --env-file`); a secret with one would start, and then be wrong.
 */
export function plainValues(
  environment: Readonly<Record<string, string | undefined>>,
  names: readonly string[],
  problems: ConfigProblem[],
): Record<string, string> {
  const values: Record<string, string> = {};
  for (const name of names) {
    const value = environment[name]?.trim();
    if (!value) continue;
    // A mark that is closed within it is a part of it: "Foyer, Inc." <foyer@example.com>.
    const [, , inner] = /^(["'`])((?:(?!\1).)*)\1?$/s.exec(value) ?? [];
    if (inner !== undefined) {
      problems.push({
        name,
        problem: 'begins with a quotation mark, which would be a part of it',
        fix: 'leave the marks out, or close them where it stands in .env',
      });
    }
    // What is in it is looked at all the same, so that every fault is told at once.
    values[name] = inner?.trim() || value;
  }
  return values;
}
