import type { Queries } from '../../database/database.ts';
import { listKeyIds } from '../../database/encryption-keys.ts';
import { countSeals, type SealCount } from '../../database/seals.ts';
import type { Keyring } from '../../installations/keyring.ts';
import { sealedPrefix } from '../../installations/sealer.ts';

/** A key id, and what is sealed with it. */
export interface KeyUsage extends SealCount {
  id: string;
  /** current: the first, which encrypts; given: only decrypts; missing: not among the configured keys. */
  role: 'current' | 'given' | 'missing';
  /** How many values are sealed with it; while this is not 0, the key must stay. */
  total: number;
}

/** Counts what is sealed with each configured key, and with each other key that the database was ever used with. */
export async function readKeyUsage(queries: Queries, keyring: Pick<Keyring, 'ids'>): Promise<KeyUsage[]> {
  const ids = new Set([...keyring.ids, ...(await listKeyIds(queries))]);
  const usage: KeyUsage[] = [];
  for (const id of ids) {
    const count = await countSeals(queries, sealedPrefix(id));
    const role = id === keyring.ids[0] ? 'current' : keyring.ids.includes(id) ? 'given' : 'missing';
    usage.push({ id, role, ...count, total: count.bots + count.users + count.requests });
  }
  return usage;
}
