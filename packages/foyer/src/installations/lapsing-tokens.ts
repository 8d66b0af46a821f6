import type { StoredInstallation } from './installation-store.ts';
import type { LapsingTokens } from './refresh-tokens.ts';
import type { BotAccess } from './token-source.ts';

/** A token with this many milliseconds or less to live is renewed. */
export const renewBeforeMs = 2 * 60 * 60 * 1000;

/** Tokens that have little time left. */
export interface Lapsing extends LapsingTokens {
  leftMs: number;
  /** Slack has refused it before: only a new install helps. */
  hopeless: boolean;
}

/** The bot of an installation; undefined if it has none. */
export function botAccess(stored: StoredInstallation): BotAccess | undefined {
  const { bot, team, enterprise } = stored.installation;
  if (!bot) return undefined;
  return {
    installationId: stored.installationId,
    token: bot.token,
    botId: bot.id,
    botUserId: bot.userId,
    teamId: team?.id,
    enterpriseId: enterprise?.id,
  };
}

/** The bot's tokens, if they are due for renewal at `now` (milliseconds). */
export function lapsingBot(stored: StoredInstallation, now: number): Lapsing | undefined {
  const { installationId, version, status, installation } = stored;
  const { refreshToken, expiresAt } = installation.bot ?? {};
  if (!refreshToken || expiresAt === undefined) return undefined;
  const leftMs = expiresAt * 1000 - now;
  if (leftMs > renewBeforeMs) return undefined;
  return { holder: { installationId }, version, refreshToken, leftMs, hopeless: status === 'broken' };
}

/** The user half's tokens, if they are due for renewal at `now` (milliseconds). */
export function lapsingUser(stored: StoredInstallation, now: number): Lapsing | undefined {
  const { installationId, userVersion, installation } = stored;
  const { id: userId, refreshToken, expiresAt } = installation.user;
  if (userVersion === null || !refreshToken || expiresAt === undefined) return undefined;
  const leftMs = expiresAt * 1000 - now;
  if (leftMs > renewBeforeMs) return undefined;
  return { holder: { installationId, userId }, version: userVersion, refreshToken, leftMs, hopeless: false };
}
