/**
 * Foyer uses its own short list and no library that estimates passwords. The library zxcvbn, for example, contains 800
 * kB of dictionaries. People choose an operator password only once, and the error message says how to make a strong
 * password. So this list only has to catch what people type to get past a prompt.
 */

/** Words that people often use in secrets. `readAs` replaces digits and signs first, so that `p4ssw0rd` matches too. */
const commonWords =
  /password|passwort|passw|secret|admin|operator|foyer|slack|welcome|letmein|changeme|default|example|testing|test|login|root|user|qwerty|qwertz|azerty|asdfgh|zxcvb|iloveyou|monkey|dragon|master|token|metrics|hello|summer|winter|spring|autumn/g;

const readAs: Readonly<Record<string, string>> = {
  '0': 'o',
  '1': 'i',
  '3': 'e',
  '4': 'a',
  '5': 's',
  '7': 't',
  '@': 'a',
  $: 's',
  '!': 'i',
};

const keyboardRows = ['qwertyuiop', 'asdfghjkl', 'zxcvbnm', '1234567890', 'abcdefghijklmnopqrstuvwxyz'];
const sequences = [...keyboardRows, ...keyboardRows.map((row) => [...row].reverse().join(''))];

/** Returns what is wrong with a secret, such as `is shorter than 12 characters`; undefined if it is strong enough. */
export function weakness(secret: string, leastLength: number): string | undefined {
  const characters = [...secret];
  if (characters.length < leastLength) return `is shorter than ${leastLength} characters`;
  if (new Set(characters.map((each) => each.toLowerCase())).size < 6)
    return 'has too few different characters';
  if (partsOf(secret) < 8)
    return 'consists of common words, neighboring keys (such as qwerty) or repetitions';
  return undefined;
}

/**
 * Counts the parts of a secret that an attacker has to guess. A common word counts as one part, and so does a row of
 * neighboring keys, a repeated character or a year. Each other character also counts as one part. If a secret only
 * repeats a shorter text, counts the parts of the shorter text.
 */
function partsOf(secret: string): number {
  const text = secret.toLowerCase();
  const once = /^(.+?)\1+(.{0,3})$/s.exec(text);
  const unit = once ? `${once[1]}${once[2]}` : text;
  const letters = unit.replace(/[0134577@$!]/g, (sign) => readAs[sign] ?? sign);
  // Counts the parts of two texts: the secret as typed, and the secret with digits and signs read as letters. The
  // smaller number is the result, because an attacker can guess either text.
  const reduced = reduce(letters);
  return Math.min(reduced, reduce(unit));
}

function reduce(text: string): number {
  let parts = 0;
  let rest = text.replace(commonWords, () => {
    parts += 1;
    return '\n';
  });
  rest = rest.replace(/(?:19|20)\d\d/g, '\n1');
  for (let at = 0; at < rest.length; ) {
    if (rest[at] === '\n') {
      at += 1;
      continue;
    }
    parts += 1;
    at += Math.max(1, runAt(rest, at));
  }
  return parts;
}

/**
 * The length of the run that starts at `at`, either of one repeated character or of neighboring keys. It is 0 if the
 * run is shorter than three characters.
 */
function runAt(text: string, at: number): number {
  let same = 1;
  while (text[at + same] === text[at]) same += 1;
  let row = 0;
  for (const sequence of sequences) {
    let length = 1;
    while (sequence.includes(text.slice(at, at + length + 1)) && at + length < text.length) length += 1;
    row = Math.max(row, length);
  }
  const run = Math.max(same, row);
  return run >= 3 ? run : 0;
}
