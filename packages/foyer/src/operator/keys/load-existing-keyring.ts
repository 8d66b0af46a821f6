import { existsSync } from 'node:fs';
import type { Config } from '../../config/config.ts';
import { type Keyring, KeyringError, loadKeyring } from '../../installations/keyring.ts';

/** Loads the existing keys. Unlike the server, a command creates none: a new key opens nothing. @throws KeyringError */
export function loadExistingKeyring(config: Config): Keyring {
  const file = config.database.kind === 'sqlite' ? `${config.database.file}.key` : undefined;
  if (!config.encryptionKeys && file !== undefined && !existsSync(file)) {
    throw new KeyringError(`The key file ${file} is missing. Restore it, or set TOKEN_ENCRYPTION_KEYS.`);
  }
  return loadKeyring({ config });
}
