/**
 * Cleans a name or another short text from Slack for storage and display: removes control characters (Postgres refuses
 * U+0000) and surrounding blanks. Returns null if nothing visible is left.
 */
export function visibleText(value: unknown): string | null {
  if (typeof value !== 'string') return null;
  const text = value.replace(/\p{Cc}+/gu, ' ').trim();
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
