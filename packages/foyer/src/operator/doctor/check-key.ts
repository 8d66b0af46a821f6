import { statSync } from 'node:fs';
import type { Config } from '../../config/config.ts';
import { counted } from '../../config/counted.ts';
import type { Queries } from '../../database/database.ts';
import { listBotSeals, type StoredSeal } from '../../database/seals.ts';
import { type Keyring, KeyringError, keyFileOf } from '../../installations/keyring.ts';
import { createTokenCipher } from '../../installations/open-installation.ts';
import { SealBrokenError } from '../../installations/sealer.ts';
import { findKeyMisfit, findNewKeyMisfit } from '../../installations/verify-keyring.ts';
import { type Finding, findingsOf } from './finding.ts';

const key = findingsOf('key');

/**
 * Checks that the encryption key exists, that only its owner can read it, and that it decrypts what the database
 * stores.
 */
export async function checkKey(
  config: Config,
  loadKeyring: (config: Config) => Keyring,
  queries: Queries | undefined,
  databaseIsAbsent: boolean,
): Promise<Finding[]> {
  const file = keyFileOf(config);
  const found = file === undefined ? undefined : statSync(file, { throwIfNoEntry: false });
  if (file !== undefined && !found && databaseIsAbsent) {
    return [key.ok(`Foyer creates the key file ${file} when it first starts.`)];
  }
  if (
    file !== undefined &&
    !found &&
    queries &&
    (await findNewKeyMisfit(queries, Date.now())) === undefined
  ) {
    return [
      key.ok(
        `Nothing in the database is encrypted, so Foyer creates the key file ${file} when it next starts.`,
      ),
    ];
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
      key.fault(
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
      ? key.ok(`There is a key (${names}). Foyer has stored nothing yet, so doctor has nothing to decrypt.`)
      : key.unchecked('the database cannot be read');
  }
  const misfit = await findKeyMisfit(queries, keyring, { now: Date.now(), everySeal: true });
  if (misfit !== undefined)
    return key.fault(misfit, 'Put the right key back; Foyer does not start without it.');
  const { broken, isSample } = await findBrokenSeals(keyring, queries);
  if (broken.length === 0 && isSample) {
    return key.ok(
      `Everything stored is encrypted with a known key (${names}), and the tokens of the ${mostOpened} oldest and the ${mostOpened} newest installations decrypt; the others were not tried.`,
    );
  }
  if (broken.length === 0)
    return key.ok(
      `Everything stored is encrypted with a known key (${names}), and every installation’s token decrypts.`,
    );
  const howMany =
    broken.length > mostBroken
      ? `More than ${mostBroken} installations`
      : counted(broken.length, 'installation');
  const where = isSample
    ? ` Of all installations, only the ${mostOpened} oldest and the ${mostOpened} newest were tried.`
    : '';
  return key.fault(
    `${howMany} (${broken.slice(0, 5).join(', ')}${broken.length > 5 ? ', …' : ''}) hold${broken.length === 1 ? 's' : ''} a token that the right key does not decrypt: the token was changed, or comes from another database or another row.${where}`,
    'Restore the newest backup, or have an admin of each workspace install the app again, which stores a new token.',
  );
}

/**
 * Checks at most this many of the oldest installations, and as many of the newest. Decrypting a token takes 10 µs, so a
 * million would take ten seconds. If many installations are damaged together, for example because rows come from
 * another database, some of them are probably among the oldest or the newest.
 */
const mostOpened = 10_000;
/** The search stops once it has found more broken tokens than this: an exact count would not help. */
const mostBroken = 100;
const pageSize = 100;

/**
 * Finds installations whose token does not decrypt although its key is configured. Stops at one more than `mostBroken`.
 */
async function findBrokenSeals(
  keyring: Keyring,
  queries: Queries,
): Promise<{ broken: string[]; isSample: boolean }> {
  const cipher = createTokenCipher({ keyring });
  const broken: string[] = [];

  /**
   * Decrypts up to `mostOpened` tokens, beginning with the oldest or the newest installation, and adds the
   * installations whose token is broken to `broken`. If it stops because of `mostOpened`, returns the id of the last
   * installation that it tried. In all other cases returns undefined: it has tried all installations, the next one has
   * the id `until`, or more than `mostBroken` tokens are broken.
   */
  async function tryFrom(newestFirst: boolean, until?: string): Promise<string | undefined> {
    let after: StoredSeal['holder'] | undefined;
    for (let opened = 0; opened < mostOpened; opened += pageSize) {
      const page = await listBotSeals(queries, { after, newestFirst, limit: pageSize });
      for (const { holder, sealed } of page) {
        if (holder.installationId === until || broken.length > mostBroken) return undefined;
        try {
          cipher.openBot(holder.installationId, sealed);
        } catch (error) {
          if (!(error instanceof SealBrokenError)) throw error;
          broken.push(holder.installationId);
        }
      }
      after = page.at(-1)?.holder;
      if (page.length < pageSize) return undefined;
    }
    return after?.installationId;
  }

  const last = await tryFrom(false);
  const isSample = last !== undefined && (await tryFrom(true, last)) !== undefined;
  return { broken, isSample };
}

function modeOf(file: string, mode: number): Finding {
  const { ok, warning } = findingsOf('key-file');
  if (process.platform === 'win32' || (mode & 0o077) === 0)
    return ok('The key file can be read only by its owner.');
  const detail = `Other users of this machine can read the key file ${file} (mode ${(mode & 0o777).toString(8)}).`;
  return warning(detail, `chmod 600 ${file}`);
}
