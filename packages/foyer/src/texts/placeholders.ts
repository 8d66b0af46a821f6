import { IntlMessageFormat } from 'intl-messageformat';

/** Returns the names of a message's placeholders. @throws SyntaxError if it is not an ICU message */
export function placeholdersOf(message: string): Set<string> {
  const names = new Set<string>();
  collect(new IntlMessageFormat(message, 'en', undefined, { ignoreTag: true }).getAst(), names);
  return names;
}

type Parts = ReturnType<IntlMessageFormat['getAst']>;

function collect(parts: Parts, names: Set<string>): void {
  for (const part of parts) {
    // 0 is text and 7 the `#` of a plural; everything else is named after its value.
    if (part.type !== 0 && part.type !== 7) names.add(part.value);
    if ('options' in part) for (const option of Object.values(part.options)) collect(option.value, names);
  }
}
