import { createKeyring } from '../../packages/foyer/src/installations/keyring.ts';

/** The encryption key of every seeded database, in the format of TOKEN_ENCRYPTION_KEYS. */
export const encryptionKeys = `bench:${Buffer.alloc(32, 7).toString('base64')}`;

/** The keyring that holds only this key. */
export const benchKeyring = createKeyring([{ id: 'bench', base64: Buffer.alloc(32, 7).toString('base64') }]);
