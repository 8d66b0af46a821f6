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
 * Only one refresh at a time (invariant 8): Slack accepts a refresh token once, so two callers that both use it lose
 * the tokens. Within the process they share one promise; between processes a lease on the row decides, taken by
 * compare-and-swap on the version of the tokens. A caller without the lease waits for the version to change.
 */

/** How long a lease lasts: longer than a call to Slack and the write after it may take together. */
const leaseMs = 20_000;
/** How long a caller waits for the caller that holds the lease: a request must end within ten seconds. */
const waitMs = 8000;
const lookAgainMs = 50;
/** How long all processes wait after a failed refresh before they try it again, if Slack names no time. */
const pauseMs = { unreachable: 5000, refused: 60_000 };
/** The `reason` of the TokenRefreshError that callers get during such a pause. */
export const refreshPaused = 'failed_a_moment_ago';
/** Slack's errors for a refresh token that will never work again. */
export const refreshTokenDead = new Set([
  'invalid_refresh_token',
  'refresh_token_revoked',
  'refresh_token_expired',
]);

/**
 * When Slack answers, it has used up the old refresh token. So Foyer keeps the new pair, however odd the rest of the
 * answer is.
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
 * Reads the `expires_in` of a token that has a refresh token: whole seconds, ten years at most; Slack's usual number if
 * `expires_in` is missing or not positive.
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
   * Resolves to whether Slack accepts the bot token of at least one installation: once Slack has suspended the app, it
   * refuses people's tokens too.
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

/** Tokens to be refreshed, as they were read. */
export interface LapsingTokens {
  holder: TokenHolder;
  version: number;
  refreshToken: string;
}

/** Makes the refresher of a process; `underWay` holds its unfinished refreshes. */
export function createRefresher(deps: RefreshDeps) {
  const { database, now, log } = deps;
  const owner = randomUUID();
  const underWay = new Map<string, Promise<void>>();

  /**
   * Takes the lease and returns true; returns false if newer tokens are already stored.
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
        // The old refresh token is spent, so the new pair is stored, even if the rest of the answer is wrong.
        log.warn({ ...tokens.holder, code }, 'stored the tokens of an answer that could not be read');
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
   * Records that Slack refused the tokens permanently. A dead bot token breaks the installation. A dead user token
   * affects only that person, and Foyer erases it. But Slack also answers `account_inactive` while the app is
   * suspended, so Foyer erases a user token with that answer only if some installation's bot token works.
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
    // If a newer install has stored its own tokens, Foyer drops the refreshed ones and does not revoke them: a
    // revocation could end the install's tokens too.
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

/** Whether Slack refused the refresh token permanently: no later attempt will succeed. */
export function isDeadRefresh(error: TokenRefreshError): boolean {
  return slackFailure(error.cause)?.kind === 'token-dead' || refreshTokenDead.has(error.reason);
}

/** Finds the new pair in an answer that could not be parsed; undefined if the text does not hold exactly one pair. */
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
