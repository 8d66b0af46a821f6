/**
 * Why Foyer searches text instead of parsing JSON: even if no parser can read Slack's answer, Slack has issued the
 * tokens in it. The answer may be incomplete, too long or too deeply nested, it may repeat a key, or a proxy may have
 * put it into a page. So Foyer searches the characters that arrived for tokens, to store or revoke every one of them
 * (invariant 1).
 */

/**
 * A text that a header can carry and that needs no escape in JSON. Slack's longest tokens have about 250 characters.
 */
export const tokenText = /^[!#-[\]-~]{1,2000}$/;

/** The shapes of Slack's tokens. A token that contains an escape matches only after the escape is decoded. */
const shapes = /(?:xox[a-z](?:\.xox[a-z])?|xapp)-[A-Za-z0-9-]{1,2000}(?![A-Za-z0-9-]|\\u)/g;

/** A field that should contain tokens. Its value is one text, a list of texts, or an object whose values are texts. */
const fields = /"(?:access|refresh)_token"\s*:\s*("[^"\\]*"|[[{][^\]}]*)/g;
const texts = /"([^"\\]*)"(\s*:)?/g;

/** How many levels of escapes Foyer decodes. Even JSON within JSON within JSON has fewer levels. */
const mostEscapes = 5;
const mostTokens = 100;

/**
 * Finds the tokens of bots and users, and refresh tokens, in an answer whose bytes are given as Latin-1. Also finds a
 * token that is escaped, is the name of a field, or is in UTF-16 or UTF-32. Returns at most a hundred tokens.
 */
export function tokensInText(text: string): string[] {
  const found = new Set<string>();
  for (const form of formsOf(text)) {
    for (const token of tokensOf(form)) {
      found.add(token);
      if (found.size === mostTokens) return [...found];
    }
  }
  return [...found];
}

function* tokensOf(form: string): Generator<string> {
  for (const [, value = ''] of form.matchAll(fields)) {
    for (const [, inner = '', isName] of value.matchAll(texts)) {
      const token = inner.trim();
      if (!isName && tokenText.test(token)) yield token;
    }
  }
  for (const [token] of form.matchAll(shapes)) yield token;
}

/** Yields the text, then the text after its escapes are decoded once, twice and so on. */
function* formsOf(text: string): Generator<string> {
  // UTF-16 and UTF-32 have zero bytes between the characters of a token.
  let form = text.replaceAll('\0', '');
  for (let level = 0; level <= mostEscapes; level += 1) {
    yield form;
    const decoded = form.replace(
      /\\(?:u([0-9a-fA-F]{4})|([bfnrt])|(.))/gs,
      (_all, code, blank, character) => {
        if (code !== undefined) return String.fromCharCode(Number.parseInt(code, 16));
        return blank === undefined ? character : ' ';
      },
    );
    if (decoded === form) return;
    form = decoded;
  }
}

/** Removes the last word from a piece of an answer: the word may be a token that continues in the next piece. */
export function wholeWords(text: string): string {
  return text.replace(/[A-Za-z0-9.\\\0-]{0,2000}$/, '');
}
