import type { ConfigProblem } from './config-error.ts';

/** How to set TOKEN_ENCRYPTION_KEYS. A new key for an existing database would not decrypt the tokens in it. */
export const encryptionKeysFix =
  'for an existing database, set it to the key that it was encrypted with (from your copy, or from the key file next to ' +
  'the database); for a new database, set it to main:KEY, where KEY is what `openssl rand -base64 32` prints';

/** Parses TOKEN_ENCRYPTION_KEYS, in order. Returns undefined if it is unset or invalid; if invalid, adds a problem. */
export function parseEncryptionKeys(
  text: string | undefined,
  problems: ConfigProblem[],
): { id: string; base64: string }[] | undefined {
  if (!text) return undefined;
  function refuse(problem: string, fix = encryptionKeysFix) {
    problems.push({ name: 'TOKEN_ENCRYPTION_KEYS', problem, fix });
    return undefined;
  }
  const entries = text.split(',').map((part) => part.trim());
  const keys: { id: string; base64: string }[] = [];
  for (const entry of entries.filter(Boolean)) {
    const [, id, base64] = /^([A-Za-z0-9_-]{1,32}):([A-Za-z0-9+/_-]{43}=?)$/.exec(entry) ?? [];
    if (keys.some((key) => key.id === id))
      return refuse(`contains the key id ${id} twice`, 'give each key its own id');
    if (id === undefined || base64 === undefined || Buffer.from(base64, 'base64').length !== 32)
      return refuse(`entry ${keys.length + 1} is not id:base64-of-32-bytes`);
    keys.push({ id, base64 });
  }
  // A list without keys, such as `,`, must not count as unset: Foyer would then create a key file, even in production.
  return keys.length > 0 ? keys : refuse('contains no key');
}
