import type { Installation } from '@slack/oauth';
import type { Database } from '../database/database.ts';
import type { InstallationTokens } from '../database/installation-tokens.ts';
import type { StoredInstallation } from './installation-store.ts';
import type { Keyring } from './keyring.ts';
import { createSealer } from './sealer.ts';

/** Slack's Installation without its user half, as `sealed_bot` stores it. It may have no bot. */
type BotHalf = Omit<Installation, 'user'>;

/** The user half of Slack's Installation, as `sealed_user` stores it. */
type UserHalf = Installation['user'];

/**
 * The `place` of each kind of secret. The sealer opens a text only if it gets the same `place` as when it sealed the
 * text.
 */
export const places = {
  bot: (installationId: string): string => `installation:${installationId}:bot`,
  user: (installationId: string, userId: string): string => `installation:${installationId}:user:${userId}`,
};

/**
 * Seals and opens the contents of `sealed_bot` and `sealed_user`. Opening throws SealBrokenError and KeyMissingError.
 */
export type TokenCipher = ReturnType<typeof createTokenCipher>;

/** Makes the cipher of all stored tokens. Its keys are derived for the purpose `tokens` and used for nothing else. */
export function createTokenCipher(deps: { keyring: Keyring }) {
  const sealer = createSealer({ keyring: deps.keyring, purpose: 'tokens' });
  // These functions do not check the shape of a decrypted text: no other code seals texts with these keys.
  return {
    /** The sealer that the other functions of this object use. */
    sealer,
    sealBot: (id: string, half: BotHalf) => sealer.seal(JSON.stringify(half), places.bot(id)),
    openBot: (id: string, sealed: string) => JSON.parse(sealer.open(sealed, places.bot(id))) as BotHalf,
    sealUser: (id: string, half: UserHalf) => sealer.seal(JSON.stringify(half), places.user(id, half.id)),
    openUser: (id: string, userId: string, sealed: string) =>
      JSON.parse(sealer.open(sealed, places.user(id, userId))) as UserHalf,
  };
}

/** A row, and the installation that was made from it. */
interface Opened {
  row: InstallationTokens;
  installation: StoredInstallation;
}

/**
 * Makes Slack's Installation from a row. `userId` is the requested person, by default the installer. If that person has
 * no token, the result contains only the team's bot, and never another person's token. `before` is the result of an
 * earlier call for the same person: if the sealed texts have not changed since, they are not decrypted again.
 * @throws SealBrokenError, KeyMissingError
 */
export function openInstallation(
  row: InstallationTokens,
  userId: string | undefined,
  cipher: TokenCipher,
  before?: Opened,
): StoredInstallation {
  return {
    installationId: row.id,
    tenant: row.tenant,
    // Never `uninstalled`: the queries that read these rows exclude uninstalled installations.
    status: row.status === 'broken' ? 'broken' : 'active',
    life: row.life,
    installedAt: row.installed_at,
    version: row.version,
    userVersion: row.user_version,
    installation:
      before && isSealedAlike(before.row, row)
        ? before.installation.installation
        : unseal(row, userId, cipher),
  };
}

/**
 * Returns whether two rows have the same values in all columns that `unseal` reads. If a row has no bot, `unseal` reads
 * more columns than this compares, so the result is false.
 */
function isSealedAlike(one: InstallationTokens, other: InstallationTokens): boolean {
  const made = ['id', 'installer_user_id', 'sealed_bot', 'sealed_user'] as const;
  return other.sealed_bot !== null && made.every((name) => one[name] === other[name]);
}

function unseal(row: InstallationTokens, userId: string | undefined, cipher: TokenCipher): Installation {
  const bot = row.sealed_bot === null ? withoutBot(row) : cipher.openBot(row.id, row.sealed_bot);
  const holder = userId ?? row.installer_user_id;
  const user = row.sealed_user === null ? undefined : cipher.openUser(row.id, holder, row.sealed_user);
  return toInstallation(bot, { id: holder, ...user });
}

/** Slack's SDK always sets these keys, to undefined if there is no value; JSON leaves such keys out. */
function toInstallation(bot: BotHalf, user: Partial<UserHalf> & { id: string }): Installation {
  return {
    ...bot,
    team: bot.team ?? undefined,
    enterprise: bot.enterprise ?? undefined,
    user: { ...user, token: user.token, scopes: user.scopes },
  };
}

/** If there is no encrypted bot, makes the `BotHalf` from the row's unencrypted columns. */
function withoutBot(row: InstallationTokens): BotHalf {
  const named = (id: string | null, name: string | null) =>
    id === null ? undefined : { id, ...(name === null ? {} : { name }) };
  return {
    team: named(row.team_id, row.team_name),
    enterprise: named(row.enterprise_id, row.enterprise_name),
    ...(row.app_id === null ? {} : { appId: row.app_id }),
    isEnterpriseInstall: row.is_enterprise_install === 1,
    authVersion: 'v2',
  };
}

/**
 * Why a cache: reading and decrypting the installation was the most expensive part of handling an event (README of
 * `bench/`). An entry is valid until anything at all is committed (`changeMark`). So Foyer sees an uninstall as soon as
 * it is committed, or within half a second if another machine commits it to Postgres. After a commit, Foyer reads the
 * row again, but decrypts only changed texts: decrypting takes longer than reading.
 */

/**
 * The maximum number of cached installations, of about 2 kB each. A full cache drops its least recently used half at
 * once. To drop only the oldest entry, Foyer would have to sort the entries at every event, which takes longer than the
 * lookup. An entry may remain in the cache after its row is gone; Slack no longer accepts the token of such an entry.
 */
const mostKept = 2000;

/** `mark` is the database's change mark, taken before the row was read. */
type Kept = Opened & { mark: number };

/** Makes an empty cache of opened installations. They are shared and frozen, and valid until anything is committed. */
export function createInstallationCache(database: Pick<Database, 'changeMark'>) {
  let recent = new Map<string, Kept>();
  let older = new Map<string, Kept>();

  function keep(key: string, kept: Kept): StoredInstallation {
    if (recent.size >= mostKept / 2 && !recent.has(key)) [older, recent] = [recent, new Map()];
    recent.set(key, kept);
    return kept.installation;
  }

  return {
    /**
     * Returns the cached installation of a key. If there is no valid one, reads the row with `read`, opens it with
     * `open` and caches the result.
     */
    async get(
      key: string,
      read: () => Promise<InstallationTokens | undefined>,
      open: (row: InstallationTokens, before: Opened | undefined) => StoredInstallation,
    ): Promise<StoredInstallation | undefined> {
      const mark = database.changeMark();
      const known = recent.get(key);
      if (known?.mark === mark) return known.installation;
      const kept = known ?? older.get(key);
      if (kept?.mark === mark) return keep(key, kept);
      const row = await read();
      if (row) return keep(key, { mark, row, installation: freeze(open(row, kept)) });
      for (const half of [recent, older]) half.delete(key);
      return undefined;
    },
  };
}

function freeze<T extends object>(value: T): T {
  if (Object.isFrozen(value)) return value;
  for (const inner of Object.values(value)) if (typeof inner === 'object' && inner !== null) freeze(inner);
  return Object.freeze(value);
}
