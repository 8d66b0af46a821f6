import { IntlMessageFormat } from 'intl-messageformat';
import type { ConfigProblem } from '../config/config-error.ts';
import { isLanguage, languages } from './create-texts.ts';
import { en, type TextKey } from './languages/en.ts';

const openKeys =
  /^(?:(?:scope|reason)\..+|step\..+\.(?:todo|doing)|app\.(?:tagline|description|nextSteps(?:\.messages)?))$/;
const longestMessage = 2000;

/**
 * Lists all problems in an app's texts: an unknown language, name or placeholder, or a message that is empty, too long
 * or not ICU.
 */
export function textProblems(partial: unknown): ConfigProblem[] {
  if (partial === undefined) return [];
  if (typeof partial !== 'object' || partial === null || Array.isArray(partial)) {
    return [{ name: 'texts', problem: 'is not an object', fix: 'give { en: { … } }, or leave it out' }];
  }
  return Object.entries(partial).flatMap(([name, value]): ConfigProblem[] => {
    if (name === 'defaultLanguage') {
      if (typeof value === 'string' && isLanguage(value)) return [];
      const fix = `use one of ${languages.join(', ')}`;
      return [{ name: 'texts.defaultLanguage', problem: `is ${JSON.stringify(value)}`, fix }];
    }
    if (!isLanguage(name)) {
      const fix = `use defaultLanguage or one of ${languages.join(', ')}`;
      return [{ name: `texts.${name}`, problem: 'is not one of Foyer’s languages', fix }];
    }
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      return [
        {
          name: `texts.${name}`,
          problem: 'is not an object',
          fix: "give an object of message names and texts, such as { 'landing.title': '…' }",
        },
      ];
    }
    return Object.entries(value).flatMap(([key, message]) => messageProblems(`texts.${name}`, key, message));
  });
}

function messageProblems(place: string, key: string, message: unknown): ConfigProblem[] {
  const name = `${place}[${JSON.stringify(key)}]`;
  const isOwn = Object.hasOwn(en, key);
  if (!isOwn && !openKeys.test(key)) {
    return [{ name, problem: 'is not one of Foyer’s messages', fix: 'see the list in docs/texts.md' }];
  }
  if (message === undefined) return [];
  if (typeof message !== 'string' || message.trim() === '' || message.length > longestMessage) {
    const fix = `give a text of at most ${longestMessage} characters, or leave it out`;
    return [{ name, problem: 'is not a text, is empty, or is too long', fix }];
  }
  // Texts about the app and its scopes and steps have no placeholders, so a brace in them is literal.
  if (!isOwn) return [];
  try {
    const known = placeholdersOf(en[key as TextKey]);
    const unknown = [...placeholdersOf(message)].filter((placeholder) => !known.has(placeholder));
    if (unknown.length === 0) return [];
    const offered =
      known.size === 0
        ? 'remove the placeholders: this message has none'
        : `use only the placeholders that this message has: ${[...known].join(', ')}`;
    return [{ name, problem: `uses {${unknown.join('}, {')}}, which Foyer does not fill`, fix: offered }];
  } catch (error) {
    const problem = `is not an ICU message: ${error instanceof Error ? error.message : String(error)}`;
    return [
      { name, problem, fix: "close every brace; write a lone brace as '{', between two straight quotes" },
    ];
  }
}

/** Returns the names of a message's placeholders. @throws SyntaxError if it is not an ICU message */
export function placeholdersOf(message: string): Set<string> {
  const names = new Set<string>();
  collect(new IntlMessageFormat(message, 'en', undefined, { ignoreTag: true }).getAst(), names);
  return names;
}

type Parts = ReturnType<IntlMessageFormat['getAst']>;

function collect(parts: Parts, names: Set<string>): void {
  for (const part of parts) {
    // Type 0 is text, and type 7 is the `#` of a plural. In a part of any other type, `value` is the placeholder's
    // name.
    if (part.type !== 0 && part.type !== 7) names.add(part.value);
    if ('options' in part) for (const option of Object.values(part.options)) collect(option.value, names);
  }
}
