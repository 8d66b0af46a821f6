import type { ConfigProblem } from './config-error.ts';

/** Parses TOKEN_ENCRYPTION_KEYS, in order. Returns undefined if it is unset or invalid; adds any problem. */
export function parseEncryptionKeys(
  text: string | undefined,
  problems: ConfigProblem[],
): { id: string; base64: string }[] | undefined {
  if (!text) return undefined;
  const keys: { id: string; base64: string }[] = [];
  for (const entry of text
    .split(',')
    .map((part) => part.trim())
    .filter(Boolean)) {
    const match = /^([A-Za-z0-9_-]{1,32}):([A-Za-z0-9+/_-]{43}=?)$/.exec(entry);
    const [, id, base64] = match ?? [];
    const known = keys.some((key) => key.id === id);
    if (id === undefined || base64 === undefined || Buffer.from(base64, 'base64').length !== 32 || known) {
      problems.push({
        name: 'TOKEN_ENCRYPTION_KEYS',
        problem: known
          ? `contains the key id ${id} twice`
          : `entry ${keys.length + 1} is not id:base64-of-32-bytes`,
        fix: known
          ? 'give each key its own id'
          : 'use main:KEY, where KEY is what `openssl rand -base64 32` prints',
      });
      return undefined;
    }
    keys.push({ id, base64 });
  }
  if (keys.length > 0) return keys;
  // Not treated as unset: that would create a key file, which production must not do.
  problems.push({
    name: 'TOKEN_ENCRYPTION_KEYS',
    problem: 'contains no key',
    fix: 'use main:KEY, where KEY is what `openssl rand -base64 32` prints',
  });
  return undefined;
}
