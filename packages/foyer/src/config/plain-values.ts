import type { ConfigProblem } from './config-error.ts';

/**
 * Returns the trimmed values of these variables. An empty value counts as not set: that is how `.env` files and compose
 * files leave a variable out. A value that begins with a quotation mark is a problem. A pair of marks in `.env` is
 * removed, so this mark is unclosed, or its source keeps marks (`docker run --env-file`). Foyer would start with such a
 * secret, although it is wrong.
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
    // Checks the text inside anyway, so that all problems are reported together.
    values[name] = inner?.trim() || value;
  }
  return values;
}
