/** Slack's own limit on a name is 255 characters. Postgres cannot index a row of more than 2.7 kB. */
const mostOfName = 255;
/** Longer than any address of a picture or of a person. */
const mostOfValue = 2000;

/**
 * Cleans a name or another short text from Slack for storage and display: removes control characters (Postgres refuses
 * U+0000) and surrounding blanks, and cuts it to 255 UTF-16 units. Returns null if nothing visible is left.
 */
export function visibleText(value: unknown): string | null {
  const text = visibleValue(value, Number.POSITIVE_INFINITY);
  if (text === null || text.length <= mostOfName) return text;
  // Never half of a character.
  return `${text.slice(0, mostOfName - 1).replace(/[\ud800-\udbff]$/, '')}…`;
}

/** Does the same for a value that means something else if it is cut, such as an address: null if it is too long. */
export function visibleValue(value: unknown, atMost = mostOfValue): string | null {
  if (typeof value !== 'string' || value.length > atMost) return null;
  const text = value
    .toWellFormed()
    .replace(/\p{Cc}+/gu, ' ')
    .trim();
  // Blanks, format characters such as zero-width spaces, and what Unicode defines as ignorable or blank.
  return /[^\s\p{Cf}\p{Zs}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\u2800\u{1D159}]/u.test(text)
    ? text
    : null;
}

/** Reads the scopes from Slack's list, with any separator: trimmed, each once, none empty. */
export function scopesIn(value: unknown): string[] {
  const texts = Array.isArray(value) ? value : [value];
  const scopes = texts.flatMap((text) => (typeof text === 'string' ? text.split(/[\s,]+/) : []));
  return [...new Set(scopes.filter((scope) => scope !== ''))];
}
