import { createSecretKey, hkdfSync, type KeyObject } from 'node:crypto';
import type { Config } from '../config/config.ts';
import { readKeyFile } from './key-file.ts';

/** The keys of one purpose: the current one seals, and each one opens what was sealed under its id. */
export interface DerivedKeys {
  readonly current: { readonly id: string; readonly key: KeyObject };
  readonly byId: ReadonlyMap<string, KeyObject>;
}

/** Foyer's encryption keys. They never leave the keyring and are never used themselves: each purpose gets its own. */
export interface Keyring {
  /** The first encrypts, all decrypt. */
  readonly ids: readonly [string, ...string[]];
  /** Keys for one purpose, by HKDF-SHA256; call it once per purpose, at the start. */
  deriveKeys(purpose: string): DerivedKeys;
  /** A keyring with only that key. @throws KeyringError */
  only(id: string): Keyring;
}

/** Thrown when the keys cannot be used: Foyer refuses to start rather than seal or open anything wrongly. */
export class KeyringError extends Error {
  override readonly name = 'KeyringError';
  readonly code = 'keyring_unusable';
}

/** Makes a keyring from `id:base64` entries; the first encrypts. @throws KeyringError */
export function createKeyring(entries: readonly { id: string; base64: string }[]): Keyring {
  const keys = entries.map(({ id, base64 }) => ({ id, bytes: Buffer.from(base64, 'base64') }));
  const wrong = keys.find((key) => key.bytes.length !== 32);
  if (wrong) throw new KeyringError(`The encryption key ${wrong.id} does not have 32 bytes.`);
  const ids = keys.map((key) => key.id);
  const [first, ...others] = ids;
  if (first === undefined) throw new KeyringError('There is no encryption key. Set TOKEN_ENCRYPTION_KEYS.');
  if (new Set(ids).size < ids.length) throw new KeyringError('Two encryption keys have the same id.');
  return {
    ids: [first, ...others],
    deriveKeys(purpose) {
      const byId = new Map<string, KeyObject>();
      for (const { id, bytes } of keys) {
        // KeyObjects are made once, since importing raw bytes costs more than a decryption.
        const derived = hkdfSync('sha256', bytes, 'foyer', purpose, 32);
        byId.set(id, createSecretKey(Buffer.from(derived)));
      }
      const key = byId.get(first);
      if (!key) throw new KeyringError('There is no encryption key.');
      return { current: { id: first, key }, byId };
    },
    only: (id) => createKeyring(entries.filter((entry) => entry.id === id)),
  };
}

/**
 * Loads the keys from the configuration, else from the key file beside the SQLite database (`<database file>.key`),
 * which the first start creates. `warn` is called with messages for the operator.
 * @throws KeyringError
 */
export function loadKeyring(deps: {
  config: Pick<Config, 'encryptionKeys' | 'database'>;
  warn?(text: string): void;
}): Keyring {
  const { encryptionKeys, database } = deps.config;
  if (encryptionKeys) return createKeyring(encryptionKeys);
  if (database.kind !== 'sqlite') {
    throw new KeyringError('There is no encryption key. Set TOKEN_ENCRYPTION_KEYS, as .env.example shows.');
  }
  const file = `${database.file}.key`;
  try {
    const exposed = `Other users of this machine could read the key file ${file}. It is its owner's alone from now on.`;
    return createKeyring(readKeyFile(file, () => deps.warn?.(exposed)));
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new KeyringError(`The encryption key file ${file} cannot be used: ${reason}`, { cause });
  }
}
