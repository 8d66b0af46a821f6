import type { Installation } from '@slack/oauth';
import type { InstallationTokens } from '../database/installation-tokens.ts';
import type { StoredInstallation } from './installation-store.ts';
import type { BotHalf, TokenCipher, UserHalf } from './token-cipher.ts';

/** A row, and the installation that was made from it. */
export interface Opened {
  row: InstallationTokens;
  installation: StoredInstallation;
}

/**
 * Makes Slack's Installation from a row. `userId` is the requested person, by default the installer. A person without a
 * token of their own gets the team's bot and no one else's user half. `before` is an earlier row that was opened for
 * the same person: if its sealed texts are unchanged, they are not opened again.
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
    // The query leaves uninstalled ones out.
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

/** Whether two rows agree in everything that an Installation with a bot is made from. */
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

/** Slack's SDK always sets these keys, with undefined where there is no value; JSON leaves such keys out. */
function toInstallation(bot: BotHalf, user: Partial<UserHalf> & { id: string }): Installation {
  return {
    ...bot,
    team: bot.team ?? undefined,
    enterprise: bot.enterprise ?? undefined,
    user: { ...user, token: user.token, scopes: user.scopes },
  };
}

/** The bot half of an installation whose bot was revoked, from the row's plain columns. */
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
