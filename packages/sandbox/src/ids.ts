import { randomBytes, randomInt } from 'node:crypto';

const letters = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ';

/** A new id in Slack's form: the kind (`D`, `U`, `Ev`, …), `0`, then nine capital letters and digits. */
export function slackId(kind: string): string {
  let id = `${kind}0`;
  for (let i = 0; i < 9; i++) id += letters[randomInt(letters.length)];
  return id;
}

/** An id of five characters, like those that Slack gives to blocks and elements without an id. */
export function shortId(): string {
  return randomBytes(6).toString('base64url').replace(/[-_]/g, 'x').slice(0, 5);
}

/** A secret of `bytes` random bytes in lowercase hex. */
export function secretHex(bytes: number): string {
  return randomBytes(bytes).toString('hex');
}

/** Random digits, as in the middle parts of Slack's tokens and trigger ids. */
export function digits(count: number): string {
  let text = String(randomInt(1, 10));
  while (text.length < count) text += String(randomInt(10));
  return text;
}
