import { parse as parseDotenv } from 'dotenv';
import { CommandError } from '../command-error.ts';

/**
 * Sets variables in the text of an `.env` file: replaces existing assignments, appends new ones, and keeps every other
 * line and comment. It verifies that dotenv reads exactly these values from the new text, and all others unchanged:
 * dotenv's quoting has no escapes, and a value can reach into the lines below.
 * @throws CommandError naming a variable that no quoting can hold
 */
export function setVariables(envText: string, variables: Readonly<Record<string, string>>): string {
  return Object.entries(variables).reduce((text, [name, value]) => setVariable(text, name, value), envText);
}

function setVariable(envText: string, name: string, value: string): string {
  const expected = { ...parseDotenv(envText), [name]: value };
  if (!value.includes('\r')) {
    for (const written of spellings(value)) {
      const text = assign(envText, name, written);
      if (sameValues(parseDotenv(text), expected)) return text;
    }
  }
  throw new CommandError(
    `${name} cannot be written to .env: it mixes quotes, # or line ends in a way that the format cannot hold. ` +
      'Set it in the real environment instead.',
  );
}

/** The ways to write a value, the plainest first. */
function spellings(value: string): string[] {
  const quoted = ["'", '"', '`'].map((quote) => `${quote}${value}${quote}`);
  return /^[A-Za-z0-9_./:@+=,-]*$/.test(value) ? [value, ...quoted] : [...quoted, value];
}

function assign(envText: string, name: string, written: string): string {
  const all = [...envText.matchAll(assignment(name))];
  // Of two assignments the last one wins.
  const last = all.at(-1);
  if (!last) {
    const gap = envText === '' || envText.endsWith('\n') ? '' : '\n';
    return `${envText}${gap}${name}=${written}\n`;
  }
  const [found, head = '', comment = ''] = last;
  const line = `${head}${written}${comment === '' ? '' : ` ${comment}`}`;
  return envText.slice(0, last.index) + line + envText.slice(last.index + found.length);
}

/** One assignment with its value, which may be quoted over several lines, and the comment after it. */
function assignment(name: string): RegExp {
  const value = String.raw`(?:'(?:\\'|[^'])*'|"(?:\\"|[^"])*"|${'`'}(?:\\${'`'}|[^${'`'}])*${'`'}|[^#\r\n]*?)`;
  return new RegExp(
    String.raw`^([ \t]*(?:export[ \t]+)?${name}[ \t]*=[ \t]*)${value}[ \t]*(#[^\r\n]*)?$`,
    'gm',
  );
}

function sameValues(read: Record<string, string>, expected: Record<string, string>): boolean {
  const names = Object.keys(expected);
  return names.length === Object.keys(read).length && names.every((name) => read[name] === expected[name]);
}
