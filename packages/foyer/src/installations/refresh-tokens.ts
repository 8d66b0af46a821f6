import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import type { Config } from '../config/config.ts';
import type { Logger } from '../config/log.ts';
import type { Database } from '../database/database.ts';
import { inactiveCode } from '../database/installations.ts';
import type { TokenHolder } from '../database/token-refreshes.ts';
import { findRefreshState, postponeRefresh, takeRefreshLease } from '../database/token-refreshes.ts';
import type { SlackClientFactory } from '../slack/create-slack-client.ts';
import { type SlackFailure, slackFailure } from '../slack/slack-failure.ts';
import { tokensInText, wholeWords } from '../slack/tokens-in-text.ts';
import type { InstallationStore, RefreshedTokens } from './installation-store.ts';
import { TokenRefreshError } from './token-source.ts';

/**
 * Only one refresh at a time (invariant 8): Slack accepts a refresh token only once, so if two callers used it, the
 * tokens would be lost. Callers in one process share one promise. Between processes, a lease on the row decides who
 * refreshes; it is taken by compare-and-swap on the version of the tokens. A caller without the lease waits for the
 * version to change.
 */

/** How long a lease lasts: longer than the call to Slack and the following write can take together. */
const leaseMs = 20_000;
/** How long a caller waits while another holds the lease: a request must end within ten seconds. */
const waitMs = 8000;
const lookAgainMs = 50;
/** How long all processes wait after a failed refresh before the next attempt, if Slack names no time. */
const pauseMs = { unreachable: 5000, refused: 60_000 };
/** The `reason` of the TokenRefreshError that callers get while all processes wait after a failed refresh. */
export const refreshPaused = 'failed_a_moment_ago';
/** Slack's errors for a refresh token that will never work again. */
export const refreshTokenDead = new Set([
  'invalid_refresh_token',
  'refresh_token_revoked',
  'refresh_token_expired',
]);

/**
 * Once Slack has answered, the old refresh token is used up. So Foyer stores the new pair even if the rest of the
 * answer is malformed.
 */
const answerSchema = z.object({
  access_token: z.string().trim().min(1),
  refresh_token: z.string().trim().min(1),
  expires_in: z.unknown().optional(),
});

/** How long Slack's tokens are valid, in seconds (docs.slack.dev/authentication/using-token-rotation). */
const usualSecondsToLive = 43_200;
/** Ten years: a much longer time does not fit into a date. */
const mostSecondsToLive = 315_360_000;

/**
 * Reads the `expires_in` of a token that has a refresh token, in whole seconds, ten years at most. If it is missing or
 * not positive, returns Slack's usual 12 hours.
 */
export function secondsToLive(expiresIn: unknown): number {
  const seconds = Math.floor(Number(expiresIn));
  return seconds > 0 ? Math.min(seconds, mostSecondsToLive) : usualSecondsToLive;
}

export interface RefreshDeps {
  store: Pick<InstallationStore, 'saveRefreshed' | 'markBroken' | 'dropDeadUserToken'>;
  database: Database;
  slack: SlackClientFactory;
  config: { slack: Pick<Config['slack'], 'clientId' | 'clientSecret'> };
  /**
   * Resolves to whether Slack accepts the bot token of at least one installation. If Slack has suspended the app, it
   * refuses all tokens, people's tokens too.
   */
  appWorks(): Promise<boolean>;
  /**
   * Called when a renewal ends. superseded: newer tokens were stored first, or the old ones were erased; failed: a
   * later attempt may succeed; dead: the token will never work. Must not throw.
   */
  onRefreshEnded?(result: 'renewed' | 'superseded' | 'failed' | 'dead'): void;
  now: () => number;
  log: Logger;
}

/** Tokens that expire soon, as they were read from the database. */
export interface LapsingTokens {
  holder: TokenHolder;
  version: number;
  refreshToken: string;
}

/** Makes the refresher of a process. Its `underWay` contains the refreshes in progress. */
export function createRefresher(deps: RefreshDeps) {
  const { database, now, log } = deps;
  const owner = randomUUID();
  const underWay = new Map<string, Promise<void>>();

  /**
   * Takes the lease and resolves to true. If newer tokens are already stored, resolves to false.
   * @throws TokenRefreshError if the tokens are gone, if an attempt has just failed, or if another caller still holds
   * the lease after `waitMs`
   */
  async function takeLease(tokens: LapsingTokens): Promise<boolean> {
    const { holder, version: ifVersion } = tokens;
    const giveUpAt = performance.now() + waitMs;
    for (;;) {
      const lease = { holder, ifVersion, owner, until: now() + leaseMs, now: now() };
      if (await database.write((transaction) => takeRefreshLease(transaction, lease))) return true;
      const state = await findRefreshState(database.queries, holder);
      if (!state) throw new TokenRefreshError(nameOf(holder), 'token_gone');
      if (state.version !== ifVersion) return false;
      if (state.refreshOwner === null) throw new TokenRefreshError(nameOf(holder), refreshPaused);
      if (performance.now() > giveUpAt) throw new TokenRefreshError(nameOf(holder), 'refresh_busy');
      await sleep(lookAgainMs);
    }
  }

  async function askSlack(tokens: LapsingTokens): Promise<RefreshedTokens> {
    let arrived = '';
    const onArrived = (bytes: Buffer): void => {
      arrived += bytes.toString('latin1');
    };
    const request = {
      client_id: deps.config.slack.clientId,
      client_secret: deps.config.slack.clientSecret,
      grant_type: 'refresh_token' as const,
      refresh_token: tokens.refreshToken,
    };
    const answer = await deps
      .slack(undefined, { onArrived })
      .oauth.v2.access(request)
      .then((given) => answerSchema.parse(given))
      .catch((error) => {
        const { kind = 'unreachable', code = 'malformed_answer' } = slackFailure(error) ?? {};
        const pair = kind === 'unreachable' ? pairIn(arrived) : undefined;
        if (!pair) throw error;
        // The old refresh token is used up, so Foyer stores the new pair even if the rest of the answer is malformed.
        log.warn(
          { ...tokens.holder, code },
          'could not read all of Slack’s answer to a token refresh: storing the new tokens that it contains',
        );
        return { ...pair, expires_in: undefined };
      });
    return {
      token: answer.access_token,
      refreshToken: answer.refresh_token,
      expiresAt: Math.floor(now() / 1000) + secondsToLive(answer.expires_in),
    };
  }

  async function fail(tokens: LapsingTokens, error: unknown): Promise<never> {
    const { holder, version } = tokens;
    const failure = slackFailure(error);
    const code = failure?.code ?? 'malformed_answer';
    const dead = failure?.kind === 'token-dead' || refreshTokenDead.has(code);
    log.error({ ...holder, code, dead }, 'a token could not be refreshed');
    deps.onRefreshEnded?.(dead ? 'dead' : 'failed');
    if (dead) await giveUp(holder, code, version);
    const until = now() + pauseOf(failure);
    await database.write((transaction) => postponeRefresh(transaction, { holder, owner, until }));
    throw new TokenRefreshError(nameOf(holder), code, failure ? { cause: error } : undefined);
  }

  /**
   * Records that Slack refused the tokens permanently. If they are the bot's, marks the installation broken. If they
   * are a person's, erases them. But Slack also answers `account_inactive` while the app is suspended: after that
   * answer, a person's tokens are erased only if some installation's bot token works.
   */
  async function giveUp({ installationId, userId }: TokenHolder, code: string, version: number) {
    if (userId === undefined) await deps.store.markBroken(installationId, code, version);
    else if (code !== inactiveCode || (await deps.appWorks()))
      await deps.store.dropDeadUserToken({ installationId, userId }, code, version);
  }

  async function refreshOnce(tokens: LapsingTokens): Promise<void> {
    if (!(await takeLease(tokens))) return;
    let refreshed: RefreshedTokens;
    try {
      refreshed = await askSlack(tokens);
    } catch (error) {
      return fail(tokens, error);
    }
    const stored = await deps.store.saveRefreshed(tokens.holder, tokens.version, refreshed);
    // If a newer install has stored its own tokens, Foyer drops the refreshed ones but does not revoke them: the
    // revocation could end the newer install's tokens too.
    log.info({ ...tokens.holder, stored }, 'renewed a token');
    deps.onRefreshEnded?.(stored ? 'renewed' : 'superseded');
  }

  return {
    underWay,
    /**
     * Resolves once tokens newer than these are stored, no matter which process refreshed them.
     * @throws TokenRefreshError, DatabaseUnavailableError
     */
    refresh(tokens: LapsingTokens): Promise<void> {
      const key = `${nameOf(tokens.holder)} ${tokens.version}`;
      const running = underWay.get(key);
      if (running) return running;
      const started = refreshOnce(tokens).finally(() => underWay.delete(key));
      underWay.set(key, started);
      return started;
    },
  };
}

/** Returns whether Slack refused the refresh token permanently, so that no later attempt can succeed. */
export function isDeadRefresh(error: TokenRefreshError): boolean {
  return slackFailure(error.cause)?.kind === 'token-dead' || refreshTokenDead.has(error.reason);
}

/**
 * Finds the new access and refresh token in an answer that could not be parsed; undefined unless it contains exactly
 * one of each.
 */
function pairIn(text: string): { access_token: string; refresh_token: string } | undefined {
  const found = tokensInText(wholeWords(text));
  const [access, otherAccess] = found.filter((token) => /^xoxe\.xox/.test(token));
  const [refresh, otherRefresh] = found.filter((token) => token.startsWith('xoxe-'));
  if (!access || !refresh || otherAccess || otherRefresh) return undefined;
  return { access_token: access, refresh_token: refresh };
}

function pauseOf(failure: SlackFailure | undefined): number {
  if (failure?.retryAfterMs !== undefined) return failure.retryAfterMs;
  return failure?.kind === 'refused' || failure?.kind === 'token-dead'
    ? pauseMs.refused
    : pauseMs.unreachable;
}

function nameOf({ installationId, userId }: TokenHolder): string {
  return userId === undefined ? `the bot of ${installationId}` : `${userId} in ${installationId}`;
}
