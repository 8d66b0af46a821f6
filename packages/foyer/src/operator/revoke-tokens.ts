import type { Config } from '../config/config.ts';
import type { Database, Queries } from '../database/database.ts';
import type { TokenHolder } from '../database/token-refreshes.ts';
import type { InstallationStore } from '../installations/installation-store.ts';
import { KeyringError } from '../installations/keyring.ts';
import { refreshPaused, refreshTokenDead } from '../installations/refresh-tokens.ts';
import { KeyMissingError, SealBrokenError } from '../installations/sealer.ts';
import { TokenRefreshError, type TokenSource } from '../installations/token-source.ts';
import type { SlackClientFactory } from '../slack/create-slack-client.ts';
import { slackFailure } from '../slack/slack-failure.ts';
import { listTokenHolders } from './installation-lists.ts';
import type { OperatorDeps } from './operator-deps.ts';

/**
 * Why expired tokens are renewed first: Slack does not revoke an expired access token. The refresh token that belongs
 * to it does not expire, and would still work for anyone who has it.
 */

/** What happened at Slack to an installation's tokens. */
export interface Revocation {
  revoked: number;
  /** The tokens that may still be valid at Slack: each one's owner (`bot` or a user's id) and the error code. */
  notRevoked: { of: string; error: string }[];
}

interface RevokeTokensDeps {
  queries: Queries;
  store: Pick<InstallationStore, 'readInstallation'>;
  tokens: Pick<TokenSource, 'renewExpired'>;
  slack: SlackClientFactory;
  /**
   * Ends the wait for Slack, so that a page can answer in time. A renewal in progress continues, and its tokens are
   * stored.
   */
  signal?: AbortSignal;
}

/**
 * Opens the store, the token source and the Slack clients that a command needs to revoke tokens. @throws KeyringError
 */
export async function openRevocation(
  deps: Pick<OperatorDeps, 'openStore' | 'openTokens' | 'slackClients'>,
  config: Config,
  database: Database,
): Promise<RevokeTokensDeps> {
  const store = deps.openStore(config, database);
  const tokens = await deps.openTokens(config, database);
  return { queries: database.queries, store, tokens, slack: await deps.slackClients(config) };
}

/** Returns whether an error means that a token cannot be decrypted: the keys are unusable, missing or wrong. */
export function isKeyFault(error: unknown): error is Error {
  return [KeyringError, SealBrokenError, KeyMissingError].some((known) => error instanceof known);
}

/**
 * The owners of expired tokens that were not renewed, each with the reason. The reason is undefined if the refresh
 * token is dead too: then there is nothing to revoke.
 */
type NotRenewed = ReadonlyMap<string, Failure | undefined>;

interface Failure {
  code: string;
  /** Whether the same failure would occur for the next token too. */
  lasting: boolean;
}

/** The time limit for Slack's answer. Short, because the operator waits for it. */
const timeoutMs = 4000;

/**
 * Revokes every token of an installation at Slack. If Slack does not answer or limits the rate, does not try the
 * remaining tokens. With `onlyOf`, revokes only that person's own token. If the caller has already called
 * `renewExpiredTokens`, `notRenewed` is its result. Throws the store's error if a token cannot be decrypted.
 */
export async function revokeTokens(
  deps: RevokeTokensDeps,
  installationId: string,
  { onlyOf, notRenewed }: { onlyOf?: string; notRenewed?: NotRenewed } = {},
): Promise<Revocation> {
  const expired = notRenewed ?? (await renewExpiredTokens(deps, installationId, { onlyOf }));
  const revocation: Revocation = { revoked: 0, notRevoked: [] };
  let outage: string | undefined;
  for (const [of, token] of await readTokens(deps, installationId, onlyOf)) {
    const failure =
      outage === undefined
        ? expired.has(of)
          ? expired.get(of)
          : await revoke(deps.slack, token)
        : { code: outage, lasting: true };
    if (failure === undefined) revocation.revoked += 1;
    else revocation.notRevoked.push({ of, error: failure.code });
    if (failure?.lasting) outage = failure.code;
  }
  return revocation;
}

/**
 * Renews the expired tokens of an installation, so that they can be revoked. Resolves to the owners of the tokens that
 * could not be renewed, with the reasons.
 */
export async function renewExpiredTokens(
  { queries, tokens, signal }: Pick<RevokeTokensDeps, 'queries' | 'tokens' | 'signal'>,
  installationId: string,
  { onlyOf }: { onlyOf?: string | undefined } = {},
): Promise<NotRenewed> {
  const notRenewed = new Map<string, Failure | undefined>();
  const people = await listTokenHolders(queries, installationId);
  const owners = onlyOf === undefined ? ['bot', ...people] : people.filter((userId) => userId === onlyOf);
  let outage: Failure | undefined;
  for (const of of owners) {
    if (outage) {
      notRenewed.set(of, outage);
      continue;
    }
    const holder = of === 'bot' ? { installationId } : { installationId, userId: of };
    try {
      await whileWanted(tokens.renewExpired(holder), signal);
    } catch (error) {
      if (!(error instanceof TokenRefreshError) && !signal?.aborted) throw error;
      const failure = (await wasFoundDead(queries, holder, error)) ? undefined : refreshFailure(error);
      notRenewed.set(of, failure);
      if (failure?.lasting) outage = failure;
    }
  }
  return notRenewed;
}

/**
 * Returns whether an earlier refresh of the bot's token failed because its refresh token is dead, and `error` only says
 * that refreshes are paused. Why a query: for a while after a failed refresh, every further refresh fails with
 * `refreshPaused`, which does not say why the first refresh failed. A person's token needs no such check: if its
 * refresh token is dead, Foyer erases the token immediately.
 */
async function wasFoundDead(queries: Queries, holder: TokenHolder, error: unknown): Promise<boolean> {
  if (!(error instanceof TokenRefreshError) || error.reason !== refreshPaused) return false;
  if (holder.userId !== undefined) return false;
  const row = await queries
    .selectFrom('installations')
    .select('broken_reason')
    .where('id', '=', holder.installationId)
    .executeTakeFirst();
  return refreshTokenDead.has(row?.broken_reason ?? '');
}

/**
 * Returns why an expired token was not renewed. Undefined if its refresh token is dead: then no token is left to
 * revoke.
 */
function refreshFailure(error: unknown): Failure | undefined {
  if (!(error instanceof TokenRefreshError)) return { code: 'timeout', lasting: true };
  const kind = slackFailure(error.cause)?.kind;
  if (kind === 'token-dead' || refreshTokenDead.has(error.reason)) return undefined;
  return { code: error.reason, lasting: kind === 'unreachable' || kind === 'rate-limited' };
}

/**
 * Reads the tokens of an installation as `[owner, token]`, without duplicates. If `onlyOf` is the id
 * of a person, reads only the token of that person.
 */
async function readTokens(
  deps: RevokeTokensDeps,
  installationId: string,
  onlyOf: string | undefined,
): Promise<[string, string][]> {
  const tokens = new Map<string, string>();
  const keep = (of: string, token: string | undefined) => token !== undefined && tokens.set(token, of);
  keep('bot', (await deps.store.readInstallation(installationId))?.installation.bot?.token);
  for (const userId of await listTokenHolders(deps.queries, installationId)) {
    if (onlyOf !== undefined && userId !== onlyOf) continue;
    keep(userId, (await deps.store.readInstallation(installationId, userId))?.installation.user.token);
  }
  return [...tokens].flatMap(([token, of]) => (onlyOf === undefined || of === onlyOf ? [[of, token]] : []));
}

/**
 * Revokes one token. Returns undefined if the token is now invalid. Otherwise returns why it may still be valid, and
 * whether the next token would fail too.
 */
async function revoke(slack: SlackClientFactory, token: string): Promise<Failure | undefined> {
  try {
    await slack(token, { timeoutMs }).auth.revoke();
    return undefined;
  } catch (error) {
    const failure = slackFailure(error);
    if (!failure) throw error;
    // An expired token does not count as dead here: its refresh token may still work.
    if (failure.kind === 'token-dead' && failure.code !== 'token_expired') return undefined;
    return { code: failure.code, lasting: failure.kind === 'unreachable' || failure.kind === 'rate-limited' };
  }
}

/** Settles as `work` does, or rejects as soon as the signal aborts. */
async function whileWanted(work: Promise<void>, signal: AbortSignal | undefined): Promise<void> {
  if (!signal) return work;
  const { promise: unwanted, reject } = Promise.withResolvers<never>();
  if (signal.aborted) reject(signal.reason);
  signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  await Promise.race([work, unwanted]);
}
