/** Characters that embed or override direction, and control characters: names contain them only to deceive. */
const deceptive = /[\p{Cc}\u202a-\u202e\u2066-\u2069]/gu;

const rightToLeft = /[\p{Script=Hebrew}\p{Script=Arabic}\p{Script=Syriac}\p{Script=Thaana}\p{Script=Nko}]/u;

const longest = 80;

/**
 * Makes a name from Slack safe inside one of Foyer's sentences: removes characters that reverse the text around it,
 * limits it to 80 characters, and adds isolates if it reads from right to left.
 */
export function plainName(name: string | null, fallback: string): string {
  const characters = [...(name ?? '').replace(deceptive, ' ').replace(/\s+/g, ' ').trim()];
  if (characters.length === 0) return fallback;
  const text =
    characters.length > longest ? `${characters.slice(0, longest - 1).join('')}…` : characters.join('');
  return rightToLeft.test(text) ? `\u2068${text}\u2069` : text;
}
