import type { ConfigProblem } from './config-error.ts';

/**
 * Returns the trimmed values of these variables. An empty value counts as not set, because `.env` files and compose
 * files often contain a variable without a value.
 *
 * A value that begins with a quotation mark is a problem, whether or not the value also ends with one. The quotation
 * mark would become part of the value, and a secret would be wrong. The parser of `.env` removes a pair of quotation
 * marks. So if a value begins with a quotation mark, either the closing quotation mark is missing, or another parser
 * read the value (`docker run --env-file` keeps quotation marks).
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
    // If the closing quotation mark is not at the end, both marks belong to the value: "Foyer, Inc."
    // <foyer@example.com>
    const [, , inner] = /^(["'`])((?:(?!\1).)*)\1?$/s.exec(value) ?? [];
    if (inner !== undefined) {
      problems.push({
        name,
        problem: 'begins with a quotation mark, which would become part of the value',
        fix: 'remove the quotation mark, or close it in .env',
      });
    }
    // If the value begins with a quotation mark, returns the text without the quotation marks. Foyer then checks this
    // text too, and reports all problems together.
    values[name] = inner?.trim() || value;
  }
  return values;
}
