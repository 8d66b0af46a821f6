import type { WebClientOptions } from '@slack/web-api';
import { z } from 'zod';
import type { Logger } from '../config/log.ts';
import type { Database } from '../database/database.ts';
import { keepUnstoredTokens } from '../database/install-requests.ts';
import type { InstallationStore } from '../installations/installation-store.ts';
import type { Sealer } from '../installations/sealer.ts';
import type { SlackClientFactory } from '../slack/create-slack-client.ts';
import { slackFailure } from '../slack/slack-failure.ts';

/**
 * Invariant 1, stored or revoked. `InstallProvider` hands over an installation only after `auth.test` has succeeded
 * too, and tells a failure nothing of the tokens that it already holds. So the answer of `oauth.v2.access` is read on
 * its way in: its tokens are kept, sealed, with the install request until the installation is committed (which erases
 * them in the same transaction). Whatever ends the install in between, an error now or a crash, finds them and gives
 * them back to Slack.
 */

const accessSchema = z.object({
  ok: z.literal(true),
  access_token: z.string().optional(),
  team: z.object({ id: z.string() }).nullish(),
  enterprise: z.object({ id: z.string() }).nullish(),
  is_enterprise_install: z.boolean().optional(),
  authed_user: z.object({ id: z.string().optional(), access_token: z.string().optional() }).nullish(),
});

/** What the provider can go on with: anything else that came with 200 is no answer of Slack's, as unreadable as HTML. */
const usableSchema = z.union([
  z.object({ ok: z.literal(false) }),
  z.object({
    ok: z.literal(true),
    authed_user: z.object({ id: z.string() }),
    team: z.object({ id: z.string() }),
  }),
  z.object({
    ok: z.literal(true),
    authed_user: z.object({ id: z.string() }),
    enterprise: z.object({ id: z.string() }),
    is_enterprise_install: z.literal(true),
  }),
]);

const keptSchema = z.object({
  teamId: z.string().optional(),
  enterpriseId: z.string().optional(),
  isEnterpriseInstall: z.boolean(),
  userId: z.string().optional(),
  tokens: z.array(z.string()),
});

/** Tokens that Slack issued in one exchange, and whose they are. */
type IssuedTokens = z.output<typeof keptSchema>;

/** in use: a stored installation has it, so it stays. kept: it could not be revoked, and is tried again later. */
type TokenEnd = 'revoked' | 'in use' | 'kept';

export interface UnstoredTokensDeps {
  database: Database;
  /** Made for this purpose alone. */
  sealer: Sealer;
  store: Pick<InstallationStore, 'findInstallation'>;
  slack: SlackClientFactory;
  log: Logger;
}

/** The purpose of the sealer of kept tokens. */
export const unstoredTokensPurpose = 'unstored-tokens';

/** Where an install request's kept tokens are sealed. */
export function unstoredTokensPlace(requestId: string): string {
  return `install-request:${requestId}`;
}

/** Keeps what Slack issues until it is stored, and gives it back where it cannot be. */
export function createUnstoredTokens(deps: UnstoredTokensDeps) {
  const { sealer } = deps;
  const place = unstoredTokensPlace;

  async function keep(requestId: string, issued: IssuedTokens): Promise<void> {
    const sealedTokens = sealer.seal(JSON.stringify(issued), place(requestId));
    await deps.database.write((trx) => keepUnstoredTokens(trx, { id: requestId, sealedTokens }), 500);
  }

  /**
   * Slack hands the same bot token to every install of a workspace: revoking the one that a stored installation uses
   * would break an app that works.
   */
  async function isStored(issued: IssuedTokens, token: string): Promise<boolean> {
    const { teamId, enterpriseId, isEnterpriseInstall, userId } = issued;
    const stored = await deps.store.findInstallation({ teamId, enterpriseId, isEnterpriseInstall, userId });
    const { bot, user } = stored?.installation ?? {};
    return bot?.token === token || user?.token === token;
  }

  async function revoke(issued: IssuedTokens, token: string, timeoutMs: number): Promise<TokenEnd> {
    try {
      if (await isStored(issued, token)) return 'in use';
    } catch (error) {
      deps.log.warn({ err: error }, 'could not look whether a token is in use; giving it back');
    }
    try {
      await deps.slack(token, { timeoutMs }).auth.revoke();
      return 'revoked';
    } catch (error) {
      const failure = slackFailure(error);
      if (failure?.kind === 'token-dead') return 'revoked';
      deps.log.error({ err: error, teamId: issued.teamId, cause: failure?.code }, 'could not revoke a token');
      return 'kept';
    }
  }

  async function giveBack(issued: IssuedTokens, timeoutMs: number): Promise<TokenEnd[]> {
    return Promise.all(issued.tokens.map((token) => revoke(issued, token, timeoutMs)));
  }

  return {
    /**
     * Watches one exchange. `fetch` goes to the provider's clients; `giveBack` revokes what came through it and says
     * whether all is revoked (undefined where there was nothing to revoke: Slack issued nothing that we know of, or only
     * what a stored installation goes on using).
     */
    watch(requestId: string, options: WebClientOptions & { fetch: typeof fetch }) {
      let issued: IssuedTokens | undefined;
      const watchedFetch: typeof fetch = async (input, init) => {
        const response = await options.fetch(input, init);
        if (!String(input).endsWith('/oauth.v2.access')) return response;
        const body = await readJson(response.clone());
        const isUsable = !response.ok || body === undefined || usableSchema.safeParse(body).success;
        const passedOn = isUsable ? response : Response.json({ ok: false });
        const answer = accessSchema.safeParse(body);
        if (!answer.success) return passedOn;
        const { team, enterprise, access_token, authed_user, is_enterprise_install } = answer.data;
        const tokens = [access_token, authed_user?.access_token].filter((token) => token !== undefined);
        issued = {
          teamId: team?.id,
          enterpriseId: enterprise?.id,
          isEnterpriseInstall: is_enterprise_install ?? false,
          userId: authed_user?.id,
          tokens,
        };
        // Not being able to keep them is no reason to stop: the store may still take them a moment later.
        await keep(requestId, issued).catch((error) =>
          deps.log.warn({ err: error }, 'could not keep new tokens'),
        );
        return passedOn;
      };
      return {
        options: { ...options, fetch: watchedFetch },
        async giveBack(timeoutMs: number): Promise<boolean | undefined> {
          if (!issued || issued.tokens.length === 0) return undefined;
          const ends = await giveBack(issued, timeoutMs);
          if (ends.includes('kept')) return false;
          await forget(requestId);
          return ends.includes('revoked') || undefined;
        },
      };
    },

    /** Gives back what an interrupted request left behind; true when nothing is left of it. */
    async giveBackKept(requestId: string, sealedTokens: string): Promise<boolean> {
      const issued = keptSchema.parse(JSON.parse(sealer.open(sealedTokens, place(requestId))));
      const ends = await giveBack(issued, 5000);
      if (ends.includes('kept')) return false;
      await forget(requestId);
      return true;
    },
  };

  async function forget(requestId: string): Promise<void> {
    const done = deps.database.write(
      (trx) => keepUnstoredTokens(trx, { id: requestId, sealedTokens: null }),
      500,
    );
    await done.catch((error) => deps.log.warn({ err: error }, 'could not forget revoked tokens'));
  }
}

export type UnstoredTokens = ReturnType<typeof createUnstoredTokens>;

async function readJson(response: Response): Promise<unknown> {
  try {
    return await response.json();
  } catch {
    return undefined;
  }
}
