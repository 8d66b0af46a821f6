import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import type { Keyring } from './keyring.ts';

/**
 * Sealing encrypts a text for one place, such as the bot of one installation. Only a caller that names the same place
 * can decrypt it: the place's name is the additional data of AES-256-GCM. So someone who can write to the database
 * cannot give one tenant's token to another tenant by copying a ciphertext to another row.
 *
 * A sealed text is `v1.<key id>.<base64url of 12 bytes IV, ciphertext, 16 bytes tag>`.
 */
const version = 'v1';
const algorithm = 'aes-256-gcm';
const ivBytes = 12;
const tagBytes = 16;

/**
 * Thrown when a text cannot be decrypted: it is not a sealed text, it was changed or moved, or it was encrypted with
 * another key of the same id.
 */
export class SealBrokenError extends Error {
  override readonly name = 'SealBrokenError';
  readonly code = 'seal_broken';
  constructor(place: string, keyId: string | undefined, options?: ErrorOptions) {
    super(
      `The encrypted value at ${place} cannot be decrypted${keyId === undefined ? '' : ` with the key ${keyId}`}. ` +
        `If TOKEN_ENCRYPTION_KEYS (or the key file next to the database) has a different key${keyId === undefined ? '' : ' under that id'}, restore the former key. ` +
        'Otherwise the row was changed or moved: restore the database from a backup, or have an admin install the app again.',
      options,
    );
  }
}

/** Thrown when a sealed text needs a key that the keyring does not have. */
export class KeyMissingError extends Error {
  override readonly name = 'KeyMissingError';
  readonly code = 'key_missing';
  readonly keyId: string;
  constructor(place: string, keyId: string) {
    super(
      `The encrypted value at ${place} needs the key ${keyId}, which is missing. Add it again to TOKEN_ENCRYPTION_KEYS ` +
        '(after the first, if another key should encrypt) or restore the key file next to the database.',
    );
    this.keyId = keyId;
  }
}

/** Seals texts and opens them again, with keys that are derived for one purpose, such as `tokens`. */
export type Sealer = ReturnType<typeof createSealer>;

/** Returns the id of the key that sealed a text; undefined if it is not a sealed text. */
export function sealedKeyId(sealed: string): string | undefined {
  return /^v1\.([A-Za-z0-9_-]{1,32})\./.exec(sealed)?.[1];
}

/** Returns the prefix that all texts sealed with this key have. */
export function sealedPrefix(keyId: string): string {
  return `${version}.${keyId}.`;
}

/**
 * Makes a sealer for one purpose, such as `tokens`. Each purpose has its own keys, so a text that was sealed for one
 * purpose never opens for another.
 */
export function createSealer(deps: { keyring: Keyring; purpose: string }) {
  const { current, byId } = deps.keyring.deriveKeys(deps.purpose);
  const additionalData = (place: string): Buffer => Buffer.from(`${deps.purpose}\n${place}`, 'utf8');
  return {
    /** `place` names where the sealed text is stored, such as `installation:ins_1:bot`. `open` needs the same place. */
    seal(text: string, place: string): string {
      const iv = randomBytes(ivBytes);
      const cipher = createCipheriv(algorithm, current.key, iv, { authTagLength: tagBytes });
      cipher.setAAD(additionalData(place));
      const parts = [iv, cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()];
      return sealedPrefix(current.id) + Buffer.concat(parts).toString('base64url');
    },
    /** @throws SealBrokenError, KeyMissingError */
    open(sealed: string, place: string): string {
      const keyId = sealedKeyId(sealed);
      if (keyId === undefined) throw new SealBrokenError(place, undefined);
      const key = byId.get(keyId);
      if (!key) throw new KeyMissingError(place, keyId);
      const bytes = Buffer.from(sealed.slice(sealedPrefix(keyId).length), 'base64url');
      try {
        const decipher = createDecipheriv(algorithm, key, bytes.subarray(0, ivBytes), {
          authTagLength: tagBytes,
        });
        decipher.setAAD(additionalData(place));
        decipher.setAuthTag(bytes.subarray(-tagBytes));
        const text = decipher.update(bytes.subarray(ivBytes, -tagBytes), undefined, 'utf8');
        return text + decipher.final('utf8');
      } catch (cause) {
        throw new SealBrokenError(place, keyId, { cause });
      }
    },
  };
}
