import { statSync } from 'node:fs';
import type { Config } from '../../config/config.ts';
import { counted } from '../../config/counted.ts';
import type { Queries } from '../../database/database.ts';
import { listBotSeals, type StoredSeal } from '../../database/seals.ts';
import { type Keyring, KeyringError } from '../../installations/keyring.ts';
import { createTokenCipher } from '../../installations/open-installation.ts';
import { SealBrokenError } from '../../installations/sealer.ts';
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
  if (misfit !== undefined)
    return fault('key', misfit, 'Put the right key back; Foyer does not start without it.');
  const broken = await findBrokenSeals(keyring, queries);
  if (broken.length === 0) return ok('key', `The keys (${names}) decrypt everything that is stored.`);
  return fault(
    'key',
    `${counted(broken.length, 'installation')} hold${broken.length === 1 ? 's' : ''} a token that the right key does not decrypt: it was changed, or comes from another database or another row (${broken.slice(0, 5).join(', ')}).`,
    'Restore the newest backup; or have an admin there install the app again, which stores a new token.',
  );
}

/** Opening a seal takes 3 µs: this many take a third of a second. */
const mostOpened = 100_000;
const pageSize = 1000;

/** Finds installations whose token does not decrypt although its key is available. */
async function findBrokenSeals(keyring: Keyring, queries: Queries): Promise<string[]> {
  const cipher = createTokenCipher({ keyring });
  const broken: string[] = [];
  let after: StoredSeal['holder'] | undefined;
  for (let opened = 0; opened < mostOpened; opened += pageSize) {
    const page = await listBotSeals(queries, { after, limit: pageSize });
    for (const { holder, sealed } of page) {
      try {
        cipher.openBot(holder.installationId, sealed);
      } catch (error) {
        if (!(error instanceof SealBrokenError)) throw error;
        broken.push(holder.installationId);
      }
    }
    after = page.at(-1)?.holder;
    if (page.length < pageSize) break;
  }
  return broken;
}

function modeOf(file: string, mode: number): Finding {
  const check = 'key-file';
  if (process.platform === 'win32' || (mode & 0o077) === 0)
    return ok(check, 'Only its owner can read the key file.');
  const detail = `Other users of this machine can read the key file ${file} (mode ${(mode & 0o777).toString(8)}).`;
  return warning(check, detail, `chmod 600 ${file}`);
}
