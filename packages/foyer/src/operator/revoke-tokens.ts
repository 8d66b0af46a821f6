import type { Queries } from '../database/database.ts';
import type { InstallationStore } from '../installations/installation-store.ts';
import type { SlackClientFactory } from '../slack/create-slack-client.ts';
import { slackFailure } from '../slack/slack-failure.ts';
import { listTokenHolders } from './installation-lists.ts';

/** What happened to an installation's tokens at Slack. */
export interface Revocation {
  revoked: number;
  /** The owner of each token that may stay valid at Slack (`bot` or a user's id), and the error code. */
  notRevoked: { of: string; error: string }[];
}

export interface RevokeTokensDeps {
  queries: Queries;
  store: Pick<InstallationStore, 'readInstallation'>;
  slack: SlackClientFactory;
}

/** The operator is waiting, and waiting longer does not help if Slack does not answer. */
const timeoutMs = 4000;

/**
 * Revokes every token of an installation at Slack. If Slack does not answer or limits the rate, it does not try the
 * rest. `onlyOf`: only the own token of that person. Throws the error of the store if a token does not open.
 */
export async function revokeTokens(
  deps: RevokeTokensDeps,
  installationId: string,
  { onlyOf }: { onlyOf?: string } = {},
): Promise<Revocation> {
  const revocation: Revocation = { revoked: 0, notRevoked: [] };
  let outage: string | undefined;
  for (const [of, token] of await readTokens(deps, installationId, onlyOf)) {
    const failure = outage === undefined ? await revoke(deps.slack, token) : { code: outage, lasting: true };
    if (failure === undefined) revocation.revoked += 1;
    else revocation.notRevoked.push({ of, error: failure.code });
    if (failure?.lasting) outage = failure.code;
  }
  return revocation;
}

/** Reads every token of an installation, each once: `[owner, token]`. */
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

/** Returns undefined if the token is now invalid; else why it may not be, and whether the next would fail too. */
async function revoke(
  slack: SlackClientFactory,
  token: string,
): Promise<{ code: string; lasting: boolean } | undefined> {
  try {
    await slack(token, { timeoutMs }).auth.revoke();
    return undefined;
  } catch (error) {
    const failure = slackFailure(error);
    if (!failure) throw error;
    // An expired token is dead, but its refresh token is not.
    if (failure.kind === 'token-dead' && failure.code !== 'token_expired') return undefined;
    return { code: failure.code, lasting: failure.kind === 'unreachable' || failure.kind === 'rate-limited' };
  }
}
