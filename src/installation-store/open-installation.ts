import type { Installation } from '@slack/oauth';
import type { InstallationTokens } from '../database/installations/installation-tokens.ts';
import type { StoredInstallation } from './installation-store.ts';
import type { BotHalf, TokenCipher, UserHalf } from './token-cipher.ts';

/**
 * Makes Slack's Installation of a row. `userId` is the person asked for; without one it is the installer. A person
 * without a token of their own gets the team's bot and none of anybody else's user half.
 * @throws SealBrokenError, KeyMissingError
 */
export function openInstallation(
  row: InstallationTokens,
  userId: string | undefined,
  cipher: TokenCipher,
): StoredInstallation {
  const bot = row.sealed_bot === null ? withoutBot(row) : cipher.openBot(row.id, row.sealed_bot);
  const holder = userId ?? row.installer_user_id;
  const user = row.sealed_user === null ? undefined : cipher.openUser(row.id, holder, row.sealed_user);
  return {
    installationId: row.id,
    tenant: row.tenant,
    // The query leaves uninstalled ones out.
    status: row.status === 'broken' ? 'broken' : 'active',
    life: row.life,
    installedAt: row.installed_at,
    version: row.version,
    userVersion: row.user_version,
    installation: toInstallation(bot, { id: holder, ...user }),
  };
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

/** What is known of an installation whose bot was revoked. */
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
