import type { ConfigProblem } from './config-error.ts';

/**
 * Returns the trimmed values of these variables. An empty value counts as not set, because `.env` files and compose
 * files often contain a variable without a value. A value that begins with a quotation mark is a problem, whether or
 * not the value ends with one: the marks would become part of the value, and a secret would be wrong. The parser of
 * `.env` removes a pair of marks. So if a mark is left, the closing mark is missing, or the value did not come from
 * that parser (`docker run --env-file` keeps the marks).
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
    // A mark that closes before the end of the value belongs to the value, as in "Foyer, Inc." <foyer@example.com>.
    const [, , inner] = /^(["'`])((?:(?!\1).)*)\1?$/s.exec(value) ?? [];
    if (inner !== undefined) {
      problems.push({
        name,
        problem: 'begins with a quotation mark, which would become part of the value',
        fix: 'remove the quotation mark, or close it in .env',
      });
    }
    // Returns the text inside the marks anyway, so that Foyer also checks that text and reports all problems together.
    values[name] = inner?.trim() || value;
  }
  return values;
}
