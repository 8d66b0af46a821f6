import { createSecretKey, hkdfSync, type KeyObject, randomBytes } from 'node:crypto';
import {
  closeSync,
  existsSync,
  fsyncSync,
  linkSync,
  openSync,
  readFileSync,
  statSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';
import type { Config } from '../config/config.ts';
import { makeFolder } from '../database/make-folder.ts';
import { makePrivate } from '../database/make-private.ts';
import { syncFolder } from '../database/sync-folder.ts';

/** The keys of one purpose: `current` seals, and each key opens what was sealed under its id. */
interface DerivedKeys {
  readonly current: { readonly id: string; readonly key: KeyObject };
  readonly byId: ReadonlyMap<string, KeyObject>;
}

/**
 * Foyer's encryption keys. They never leave the keyring and encrypt nothing themselves: each purpose gets derived keys.
 */
export interface Keyring {
  /** The ids of the keys: the first key encrypts, all keys decrypt. */
  readonly ids: readonly [string, ...string[]];
  /** Derives the keys for one purpose, by HKDF-SHA256. Call this once for each purpose, at the start. */
  deriveKeys(purpose: string): DerivedKeys;
  /** Returns a keyring with only the key `id`. @throws KeyringError */
  only(id: string): Keyring;
}

/** Thrown when the keys cannot be used. Foyer then refuses to start. */
export class KeyringError extends Error {
  override readonly name = 'KeyringError';
  readonly code = 'keyring_unusable';
  /** Whether a later start may succeed although no one has changed anything. */
  readonly mayPass: boolean;
  constructor(message: string, { mayPass = false, ...options }: ErrorOptions & { mayPass?: boolean } = {}) {
    super(message, options);
    this.mayPass = mayPass;
  }
}

/**
 * Makes a keyring from `id:base64` entries. Only the first entry's key encrypts; every key decrypts.
 * @throws KeyringError
 */
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
        // Makes each KeyObject only once, since importing raw bytes costs more than a decryption.
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
 * The key file next to the SQLite database (`<database file>.key`); undefined if no key file is used, because the
 * configuration holds the keys or the database is on a server.
 */
export function keyFileOf({
  encryptionKeys,
  database,
}: Pick<Config, 'encryptionKeys' | 'database'>): string | undefined {
  return encryptionKeys || database.kind !== 'sqlite' ? undefined : `${database.file}.key`;
}

/** Whether there is a key already, in the configuration or in the key file. */
export function isKeyThere(config: Pick<Config, 'encryptionKeys' | 'database'>): boolean {
  const file = keyFileOf(config);
  return file === undefined || existsSync(file);
}

/**
 * Loads the keys from the configuration, else from the key file; creates the file if it is missing. Call this function
 * only if a missing file may be created: the operator may have to restore the right key file instead. So on start,
 * Foyer calls `loadOrCreateKeyring`, and commands call `loadExistingKeyring`. Calls `warn` with messages for the
 * operator.
 * @throws KeyringError
 */
export function loadKeyring(deps: {
  config: Pick<Config, 'encryptionKeys' | 'database'>;
  warn?(text: string): void;
}): Keyring {
  const { encryptionKeys } = deps.config;
  if (encryptionKeys) return createKeyring(encryptionKeys);
  const file = keyFileOf(deps.config);
  if (file === undefined) {
    throw new KeyringError('There is no encryption key. Set TOKEN_ENCRYPTION_KEYS, as .env.example shows.');
  }
  try {
    const exposed = `Other users of this machine could read the key file ${file}. Foyer has made it readable by its owner only.`;
    return createKeyring(readKeyFile(file, () => deps.warn?.(exposed)));
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new KeyringError(`The encryption key file ${file} cannot be used: ${reason}`, { cause });
  }
}

/**
 * Reads a key file (one `id:base64` per line; the first encrypts). If there is none, creates one (mode 0600, one new
 * key) that survives a power failure. Two processes that start at the same time get the same key. If other users of
 * this machine can access the file, restricts it to its owner and calls `onExposed`. Throws the file system's errors,
 * and an error for a line that is not a key. No error contains a key.
 */
function readKeyFile(file: string, onExposed: () => void): { id: string; base64: string }[] {
  const found = statSync(file, { throwIfNoEntry: false });
  if (!found) makeKeyFile(file);
  // Reading a pipe would wait forever.
  else if (!found.isFile()) throw new Error('it is not a regular file; put the key file there instead');
  // Syncs the folder for an existing file too: the process that created the file may have died before the file's name
  // was on disk.
  syncFolder(dirname(file));
  if (makePrivate(file)) onExposed();
  return parse(readFileSync(file, 'utf8'));
}

function parse(text: string): { id: string; base64: string }[] {
  const keys = text.split('\n').flatMap((line, index) => {
    if (line.trim() === '') return [];
    const [, id, base64] = /^([A-Za-z0-9_-]{1,32}):([A-Za-z0-9+/_-]{43}=?)$/.exec(line.trim()) ?? [];
    if (id === undefined || base64 === undefined) {
      throw new Error(`its line ${index + 1} is not id:base64-of-32-bytes; restore it from a backup`);
    }
    return [{ id, base64 }];
  });
  if (keys.length === 0) throw new Error('it is empty; restore it from a backup');
  return keys;
}

/**
 * Makes a new key with a random id. Why random: if a key file is lost, Foyer then reports a missing key, not a wrong
 * one.
 */
export const newKey = (): { id: string; base64: string } => ({
  id: `local-${randomBytes(4).toString('hex')}`,
  base64: randomBytes(32).toString('base64'),
});

/**
 * Writes the file under a temporary name, then links it to the real name: the first process to link wins, and no
 * process reads half a file.
 */
function makeKeyFile(file: string): void {
  makeFolder(dirname(file));
  const draft = `${file}.${randomBytes(6).toString('hex')}`;
  const { id, base64 } = newKey();
  const handle = openSync(draft, 'wx', 0o600);
  try {
    writeSync(handle, `${id}:${base64}\n`);
    fsyncSync(handle);
    linkSync(draft, file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  } finally {
    closeSync(handle);
    unlinkSync(draft);
  }
}
