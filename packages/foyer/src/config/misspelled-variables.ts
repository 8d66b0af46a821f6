import { environmentSchema } from './environment-schema.ts';

/**
 * Lists variables whose names are probably misspellings of variables that Foyer knows.
 *
 * Why so careful: an `.env` may also contain the app's own variables, and Foyer must not report these. So a name counts
 * as misspelled only if it differs in few letters and in no whole word. DATABASE_SSL, for example, does not count: it
 * differs from DATABASE_URL in a whole word. Also, the variable that the name resembles must be unset or have its
 * default value, as in a copy of `.env.example`.
 */
export function misspelledVariables(
  variables: Readonly<Record<string, string>>,
): { name: string; meant: string }[] {
  const known = Object.keys(environmentSchema.shape);
  const unused = known.filter((each) => isUnused(each, variables[each] ?? ''));
  return Object.keys(variables).flatMap((name) => {
    if (known.includes(name)) return [];
    const [nearest] = unused
      .filter((meant) => isNear(name.toUpperCase(), meant))
      .map((meant) => ({ meant, distance: distance(name.toUpperCase(), meant) }))
      .sort((one, other) => one.distance - other.distance);
    return nearest ? [{ name, meant: nearest.meant }] : [];
  });
}

function isUnused(name: string, value: string): boolean {
  if (value.trim() === '') return true;
  const schema = environmentSchema.shape[name as keyof typeof environmentSchema.shape];
  const [given, byDefault] = [schema.safeParse(value.trim()), schema.safeParse(undefined)];
  return JSON.stringify(given.data) === JSON.stringify(byDefault.data);
}

function isNear(name: string, meant: string): boolean {
  if (distance(name, meant) > Math.max(name.length, meant.length) / 4) return false;
  const [words, meantWords] = [name.split('_'), meant.split('_')];
  if (words.length !== meantWords.length) return true;
  return words.every((word, at) => {
    const other = meantWords[at] ?? '';
    return distance(word, other) <= Math.max(word.length, other.length) / 2;
  });
}

/** Counts the letters to add, remove or replace, and the neighbors to swap (optimal string alignment). */
function distance(a: string, b: string): number {
  const rows = [Array.from({ length: b.length + 1 }, (_, j) => j)];
  const at = (i: number, j: number): number => rows[i]?.[j] ?? Number.POSITIVE_INFINITY;
  for (let i = 1; i <= a.length; i += 1) {
    rows[i] = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const replaced = at(i - 1, j - 1) + (a[i - 1] === b[j - 1] ? 0 : 1);
      const isSwap = a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      const swapped = isSwap ? at(i - 2, j - 2) + 1 : Number.POSITIVE_INFINITY;
      rows[i]?.push(Math.min(at(i - 1, j) + 1, at(i, j - 1) + 1, replaced, swapped));
    }
  }
  return at(a.length, b.length);
}
