import { statSync } from 'node:fs';
import type { Config } from '../../config/config.ts';
import type { Queries } from '../../database/database.ts';
import { type Keyring, KeyringError } from '../../installations/keyring.ts';
import { findKeyMisfit } from '../../installations/verify-keyring.ts';
import { type Finding, fault, ok, unchecked, warning } from './finding.ts';

/** Checks that the encryption key exists, is private, and is the one that the database was written with. */
export async function checkKey(
  config: Config,
  loadKeyring: (config: Config) => Keyring,
  queries: Queries | undefined,
  databaseIsAbsent: boolean,
): Promise<Finding[]> {
  const file =
    config.encryptionKeys || config.database.kind !== 'sqlite' ? undefined : `${config.database.file}.key`;
  const found = file === undefined ? undefined : statSync(file, { throwIfNoEntry: false });
  if (file !== undefined && !found && databaseIsAbsent) {
    return [ok('key', `The key file ${file} is created at the first start.`)];
  }
  try {
    const keyring = loadKeyring(config);
    return [
      await fits(keyring, queries, databaseIsAbsent),
      ...(file && found ? [modeOf(file, found.mode)] : []),
    ];
  } catch (error) {
    if (!(error instanceof KeyringError)) throw error;
    return [
      fault(
        'key',
        error.message,
        'Restore the key from your copy: without it, stored tokens cannot be decrypted (docs/runbook.md#a-key-is-lost).',
      ),
    ];
  }
}

async function fits(
  keyring: Keyring,
  queries: Queries | undefined,
  databaseIsAbsent: boolean,
): Promise<Finding> {
  const names = keyring.ids.join(', ');
  if (!queries) {
    return databaseIsAbsent
      ? ok('key', `There is a key (${names}), and nothing is stored yet.`)
      : unchecked('key', 'the database cannot be read');
  }
  const misfit = await findKeyMisfit(queries, keyring, { now: Date.now(), everySeal: true });
  if (misfit === undefined) return ok('key', `The keys (${names}) decrypt everything that is stored.`);
  return fault('key', misfit, 'Put the right key back; Foyer does not start without it.');
}

function modeOf(file: string, mode: number): Finding {
  const check = 'key-file';
  if (process.platform === 'win32' || (mode & 0o077) === 0)
    return ok(check, 'Only its owner can read the key file.');
  const detail = `Other users of this machine can read the key file ${file} (mode ${(mode & 0o777).toString(8)}).`;
  return warning(check, detail, `chmod 600 ${file}`);
}
