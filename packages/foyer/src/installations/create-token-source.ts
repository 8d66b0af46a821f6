import { setTimeout as sleep } from 'node:timers/promises';
import { inactiveCode } from '../database/installations.ts';
import { findLapsingTokens, type TokenHolder } from '../database/token-refreshes.ts';
import { slackFailure } from '../slack/slack-failure.ts';
import { createInactiveInstallations } from './inactive-installations.ts';
import {
  InstallationNotFoundError,
  type InstallationStore,
  type StoredInstallation,
  type TenantQuery,
  tenantOfQuery,
} from './installation-store.ts';
import { createRefresher, isDeadRefresh, type LapsingTokens, type RefreshDeps } from './refresh-tokens.ts';
import { type BotAccess, TokenRefreshError, type TokenSource } from './token-source.ts';

interface TokenSourceDeps extends Omit<RefreshDeps, 'appWorks'> {
  store: InstallationStore;
  /** Called after an uninstall, since an uninstall run may now be waiting. Must not throw. */
  onUninstalled?(): void;
  /**
   * Called when a held installation is active again: its App Home is out of date, and its runs may be waiting. Must not
   * throw.
   */
  onWorksAgain?(installationId: string): void;
}

/**
 * How long a caller waits for a new token while the old one still works. Short, since Slack waits only three seconds
 * for the answer to an event.
 */
const patienceMs = 1500;
/**
 * Foyer hands out an old token only if it has this much time left: the call must reach Slack before the token expires.
 */
const spareMs = 10_000;
const refreshesAtOnce = 4;

export function createTokenSource(deps: TokenSourceDeps): TokenSource {
  const { store, now, log } = deps;
  const inactive = createInactiveInstallations({
    ...deps,
    async renewExpired(stored) {
      const lapsing = lapsingOf(stored, 'bot', now());
      if (!lapsing || lapsing.leftMs > spareMs) return undefined;
      try {
        await refresher.refresh(lapsing);
        return undefined;
      } catch (error) {
        if (!(error instanceof TokenRefreshError)) throw error;
        return isDeadRefresh(error) ? error.reason : 'unknown';
      }
    },
  });
  const refresher = createRefresher({ ...deps, appWorks: inactive.appWorks });

  async function read(asked: string | TenantQuery): Promise<StoredInstallation> {
    const where = typeof asked === 'string' ? asked : tenantOfQuery(asked);
    const stored = await (typeof asked === 'string'
      ? store.readInstallation(asked)
      : store.findInstallation(asked));
    if (!stored) throw new InstallationNotFoundError(where, 'unknown');
    return stored;
  }

  /**
   * Resolves to true if newer tokens are stored now. Resolves to false if there are no newer tokens, but the old ones
   * still work.
   * @throws TokenRefreshError if the old tokens have expired, or are about to, and could not be renewed
   */
  async function renew(lapsing: Lapsing): Promise<boolean> {
    if (lapsing.hopeless && lapsing.leftMs > spareMs) return false;
    if (lapsing.hopeless) throw new TokenRefreshError(lapsing.holder.installationId, 'installation_broken');
    const renewal = refresher.refresh(lapsing);
    if (lapsing.leftMs <= spareMs) {
      await renewal;
      return true;
    }
    const waiting = new AbortController();
    const tooLong = sleep(patienceMs, false, { signal: waiting.signal, ref: false }).catch(() => false);
    const done = renewal.then(
      () => true,
      (error) => {
        log.warn(
          { ...lapsing.holder, err: error },
          'could not renew a token; the old one is used while it is still valid',
        );
        return false;
      },
    );
    const renewed = await Promise.race([done, tooLong]);
    waiting.abort();
    return renewed;
  }

  /**
   * Like `renew`, but for a person's token: resolves to `lapsed` instead of throwing TokenRefreshError, because the bot
   * must get the event even without the person's token.
   */
  async function renewUser(lapsing: Lapsing): Promise<boolean | 'lapsed'> {
    try {
      return await renew(lapsing);
    } catch (error) {
      if (!(error instanceof TokenRefreshError)) throw error;
      return 'lapsed';
    }
  }

  /** Reads an installation and renews tokens that expire soon: the bot's and, with `withUser`, the user's. */
  async function readFresh(asked: string | TenantQuery, withUser: boolean): Promise<StoredInstallation> {
    const stored = await read(asked);
    const bot = lapsingOf(stored, 'bot', now());
    const user = withUser ? lapsingOf(stored, 'user', now()) : undefined;
    if (!bot && !user) return stored;
    const [botRenewed, userRenewed] = await Promise.all([
      bot ? renew(bot) : false,
      user ? renewUser(user) : false,
    ]);
    const fresh = botRenewed || userRenewed === true ? await read(asked) : stored;
    if (userRenewed !== 'lapsed') return fresh;
    const userHalf = { ...fresh.installation.user, token: undefined };
    return { ...fresh, installation: { ...fresh.installation, user: userHalf } };
  }

  async function bot(asked: string | TenantQuery): Promise<BotAccess> {
    const stored = await readFresh(asked, false);
    const access = botAccess(stored);
    if (!access) throw new InstallationNotFoundError(stored.tenant, 'no_bot');
    return access;
  }

  /** Renews the tokens of a holder if they have at most `leftMs` to live. */
  async function renewHolder(holder: TokenHolder, leftMs: number): Promise<void> {
    const stored = await store.readInstallation(holder.installationId, holder.userId);
    if (!stored) return;
    const lapsing = lapsingOf(stored, holder.userId === undefined ? 'bot' : 'user', now());
    if (lapsing && lapsing.leftMs <= leftMs) await refresher.refresh(lapsing);
  }

  async function refreshHolder(holder: TokenHolder): Promise<boolean> {
    try {
      await renewHolder(holder, renewBeforeMs);
      return true;
    } catch (error) {
      log.warn({ ...holder, err: error }, 'an expiring token was not refreshed');
      return false;
    }
  }

  async function settleDead(stored: StoredInstallation, code: string): Promise<boolean> {
    if (code === inactiveCode) return inactive.settle(stored);
    return store.markBroken(stored.installationId, code, stored.version);
  }

  return {
    bot,
    botToken: async (asked) => (await bot(asked)).token,

    async userToken(installationId, userId) {
      const readUser = () => store.readInstallation(installationId, userId);
      const stored = await readUser();
      if (!stored) throw new InstallationNotFoundError(installationId, 'unknown');
      const user = lapsingOf(stored, 'user', now());
      const fresh = user && (await renew(user)) ? await readUser() : stored;
      return fresh?.installation.user.token;
    },

    async authorize(source) {
      const stored = await readFresh(source, Boolean(source.userId));
      const access = botAccess(stored);
      const userToken = source.userId ? stored.installation.user.token : undefined;
      if (!access && !userToken) throw new InstallationNotFoundError(stored.tenant, 'no_bot');
      const { team, enterprise } = stored.installation;
      return {
        installationId: stored.installationId,
        // An org-wide install belongs to no single team: act in the event's team.
        teamId: team?.id ?? source.teamId ?? undefined,
        enterpriseId: enterprise?.id ?? source.enterpriseId ?? undefined,
        ...(access && { botToken: access.token, botId: access.botId, botUserId: access.botUserId }),
        ...(userToken && { userToken }),
      };
    },

    async reportDeadToken({ installationId, token, error }) {
      const failure = slackFailure(error);
      if (failure?.kind !== 'token-dead') return false;
      const stored = await store.readInstallation(installationId);
      if (stored?.installation.bot?.token !== token) return false;
      return settleDead(stored, failure.code);
    },

    async tokenDied({ installationId, code }) {
      const stored = await store.readInstallation(installationId);
      return stored ? settleDead(stored, code) : false;
    },

    renewExpired: (holder) => renewHolder(holder, spareMs),

    async refreshLapsing(limit = 50) {
      const clientId = deps.config.slack.clientId;
      const search = { clientId, before: now() + renewBeforeMs, now: now(), limit };
      const queue = await findLapsingTokens(deps.database.queries, search);
      const result = { refreshed: 0, failed: 0 };
      const work = async () => {
        for (let holder = queue.shift(); holder; holder = queue.shift()) {
          if (await refreshHolder(holder)) result.refreshed += 1;
          else result.failed += 1;
        }
      };
      await Promise.all(Array.from({ length: refreshesAtOnce }, work));
      return result;
    },

    settleHeld: inactive.settleHeld,
    appWorks: () => inactive.appWorks(),

    async settle() {
      await Promise.allSettled(refresher.underWay.values());
    },
  };
}

/** Foyer renews a token that expires within this time. */
const renewBeforeMs = 2 * 60 * 60 * 1000;

/** Tokens that have little time left. */
interface Lapsing extends LapsingTokens {
  leftMs: number;
  /** Whether these are bot tokens that Slack has already refused. If so, no request tries to renew them. */
  hopeless: boolean;
}

function botAccess(stored: StoredInstallation): BotAccess | undefined {
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

/** If the tokens of the bot or of the user need renewal at `now` (milliseconds), returns them; otherwise undefined. */
function lapsingOf(stored: StoredInstallation, half: 'bot' | 'user', now: number): Lapsing | undefined {
  const { installationId, installation } = stored;
  const { refreshToken, expiresAt } = installation[half] ?? {};
  const version = half === 'bot' ? stored.version : stored.userVersion;
  if (version === null || !refreshToken || expiresAt === undefined) return undefined;
  const leftMs = expiresAt * 1000 - now;
  if (leftMs > renewBeforeMs) return undefined;
  const holder = half === 'bot' ? { installationId } : { installationId, userId: installation.user.id };
  return { holder, version, refreshToken, leftMs, hopeless: half === 'bot' && stored.status === 'broken' };
}
