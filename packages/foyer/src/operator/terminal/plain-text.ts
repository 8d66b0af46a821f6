/**
 * Why: names come from Slack, where anyone may give a workspace any name. A terminal obeys escape sequences, and a
 * right-to-left mark reverses a line, so neither may get from a name to the operator's screen.
 */

/** Control and format characters, line and paragraph separators, lone surrogates; the emoji joiner is left alone. */
const unprintable = /(?!\u200d)[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;

/** A text as one line that cannot command the terminal: each unprintable character becomes a visible `�`. */
export function plainText(text: string): string {
  return text.replace(unprintable, '�');
}

/** The same for a text of several lines, whose line ends stay. */
export function plainLines(text: string): string {
  return text.split('\n').map(plainText).join('\n');
}

/** Indented JSON, with the characters that a terminal could obey written as escapes: the value stays the same. */
export function plainJson(value: unknown): string {
  const json = JSON.stringify(value, null, 2);
  // Matches nearly always, and is far quicker than looking for each kind of character.
  if (/^[\x20-\x7e\n]*$/.test(json)) return json;
  return json.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (found) =>
    found === '\n' ? found : [...Array(found.length).keys()].map((at) => escaped(found, at)).join(''),
  );
}

function escaped(text: string, at: number): string {
  return `\\u${text.charCodeAt(at).toString(16).padStart(4, '0')}`;
}
