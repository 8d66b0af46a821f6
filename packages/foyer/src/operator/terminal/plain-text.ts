/**
 * Why: names come from Slack, where anyone may give a workspace any name. A terminal obeys escape sequences, and a
 * right-to-left mark reverses a line, so neither may get from a name to the screen of the operator.
 */

/** Control and format characters, line and paragraph separators, lone surrogates; but not the emoji joiner. */
const unprintable = /(?!\u200d)[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;

/** Writes a text as one line that cannot command the terminal: each unprintable character becomes a visible `�`. */
export function plainText(text: string): string {
  return text.replace(unprintable, '�');
}

/** Makes each line of a text safe as `plainText` does, and keeps the line ends. */
export function plainLines(text: string): string {
  return text.split('\n').map(plainText).join('\n');
}

/** Writes indented JSON, with escapes for the characters that a terminal could obey: the value stays the same. */
export function plainJson(value: unknown): string {
  const json = JSON.stringify(value, null, 2);
  // This test matches nearly every text, and is far faster than looking for each kind of character.
  if (/^[\x20-\x7e\n]*$/.test(json)) return json;
  return json.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (found) =>
    found === '\n' ? found : [...Array(found.length).keys()].map((at) => escaped(found, at)).join(''),
  );
}

function escaped(text: string, at: number): string {
  return `\\u${text.charCodeAt(at).toString(16).padStart(4, '0')}`;
}
