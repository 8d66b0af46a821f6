import type { ConfigProblem } from './config-error.ts';

/**
 * Returns the trimmed values of these variables. An empty value counts as not set: that is how `.env` files and compose
 * files leave a variable out. A value in quotation marks, or with an unclosed one at its start, is a problem: Foyer
 * would take the marks for a part of the value, so a secret would be wrong. The parser of `.env` removes a pair of
 * marks, so either the mark is unclosed, or the value comes from elsewhere (`docker run --env-file` keeps the marks).
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
    // A mark that is closed within the value is part of it: "Foyer, Inc." <foyer@example.com>.
    const [, , inner] = /^(["'`])((?:(?!\1).)*)\1?$/s.exec(value) ?? [];
    if (inner !== undefined) {
      problems.push({
        name,
        problem: 'begins with a quotation mark, which would become part of the value',
        fix: 'remove the quotation mark, or close it in .env',
      });
    }
    // The text inside is checked anyway, so that Foyer reports all problems together.
    values[name] = inner?.trim() || value;
  }
  return values;
}
