/**
 * Why texts are made safe: names come from Slack, where anyone may give a workspace any name. A terminal obeys escape
 * sequences, and a right-to-left mark reverses a line. So neither may reach the operator's terminal as part of a name.
 */

/**
 * Matches control and format characters, line and paragraph separators and lone surrogates, but not the emoji joiner.
 */
const unprintable = /(?!\u200d)[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;

/** Returns a text as one line that cannot control the terminal: each unprintable character becomes a visible `�`. */
export function plainText(text: string): string {
  return text.replace(unprintable, '�');
}

/** Makes each line of a text safe as `plainText` does, and keeps the line breaks. */
export function plainLines(text: string): string {
  return text.split('\n').map(plainText).join('\n');
}

/**
 * Returns indented JSON. Escapes characters that could control a terminal; the JSON still parses to the same value.
 */
export function plainJson(value: unknown): string {
  const json = JSON.stringify(value, null, 2);
  // Nearly every text passes this test, and the test is far faster than the replacement below.
  if (/^[\x20-\x7e\n]*$/.test(json)) return json;
  return json.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (found) =>
    found === '\n' ? found : [...Array(found.length).keys()].map((at) => escaped(found, at)).join(''),
  );
}

function escaped(text: string, at: number): string {
  return `\\u${text.charCodeAt(at).toString(16).padStart(4, '0')}`;
}
