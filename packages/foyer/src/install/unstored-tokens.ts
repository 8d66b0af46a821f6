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
 * too, and says nothing of the tokens that it already holds when it fails. So the answer of `oauth.v2.access` is read
 * on its way in, before anything else is made of it: its tokens are kept, sealed, with the install request until the
 * installation is committed (which erases them in the same transaction). Whatever ends the install in between, an error
 * or a crash, finds them and revokes them.
 *
 * Why the exchange has a time limit of its own: Slack may issue tokens and answer after the page's time is over, or the
 * answer may lie unread while the event loop was blocked. The page goes; the exchange is read to its end.
 */

/** How long the answer of an exchange is waited for, whatever the page shows by then. */
export const exchangeTimeoutMs = 60_000;

type Fields = Readonly<Record<string, unknown>>;

const fieldsOf = (value: unknown): Fields =>
  typeof value === 'object' && value !== null ? (value as Fields) : {};

const textOf = (value: unknown): string | undefined =>
  typeof value === 'string' && value !== '' ? value : undefined;

/** What a header carries: only such a text can be a token. */
const tokenText = /^[!-~]+$/;

/** The texts in a value that can be tokens, however deep they stand. */
function textsIn(value: unknown, depth = 0): string[] {
  if (typeof value === 'string') return tokenText.test(value) ? [value] : [];
  if (typeof value !== 'object' || value === null || depth > 6) return [];
  return Object.values(value).flatMap((each) => textsIn(each, depth + 1));
}

/**
 * Every token in an answer, wherever it stands: the bot's, the user's, and those of fields that are not known yet. A
 * refresh token counts only beside no access token, whose revocation ends both.
 */
function tokensIn(value: unknown, depth = 0): string[] {
  if (typeof value !== 'object' || value === null || depth > 6) return [];
  const { access_token, refresh_token, ...others } = value as Fields;
  const access = textsIn(access_token);
  const own = access.length > 0 ? access : textsIn(refresh_token);
  const inner = Object.values(others).flatMap((each) => tokensIn(each, depth + 1));
  return [...new Set([...own, ...inner])];
}

/** What was issued, and whose it seems to be; undefined if the answer holds no token. */
function issuedIn(body: unknown): IssuedTokens | undefined {
  const tokens = tokensIn(body);
  if (tokens.length === 0) return undefined;
  const { team, enterprise, is_enterprise_install: flag, authed_user: user } = fieldsOf(body);
  return {
    teamId: textOf(fieldsOf(team).id),
    enterpriseId: textOf(fieldsOf(enterprise).id),
    isEnterpriseInstall: flag === true,
    userId: textOf(fieldsOf(user).id),
    tokens,
  };
}

const idSchema = z.string().regex(/^\w{1,100}$/);
/** Slack's SDK reads both lists and throws if one of them is none. */
const warningsSchema = z.array(z.string()).optional().catch(undefined);
const metadataSchema = z
  .looseObject({ warnings: warningsSchema, messages: warningsSchema })
  .optional()
  .catch(undefined);
/** What Slack's SDK can read of any answer. */
const answerSchema = z.looseObject({ ok: z.boolean(), response_metadata: metadataSchema });
/** What the provider reads of a token beside it: an answer that says it in another way is none of Slack's. */
const tokenFields = {
  scope: z.string().optional(),
  access_token: z.string().regex(tokenText).optional(),
  refresh_token: z.string().regex(tokenText).optional(),
  expires_in: z.number().positive().optional(),
};
const placeSchema = z.looseObject({ id: idSchema });

/** A refresh token without its access token could be neither stored nor used. */
const isWhole = (fields: { access_token?: string; refresh_token?: string }): boolean =>
  fields.access_token !== undefined || fields.refresh_token === undefined;

const installFields = {
  ok: z.literal(true),
  ...tokenFields,
  authed_user: z.looseObject({ id: idSchema, ...tokenFields }).refine(isWhole),
  bot_user_id: idSchema.optional().catch(undefined),
  // What an install does without is left out if it is of another type: a token must not depend on it.
  app_id: idSchema.optional().catch(undefined),
  token_type: z.string().nullish().catch(undefined),
  incoming_webhook: z.looseObject({ url: z.string() }).optional().catch(undefined),
  response_metadata: metadataSchema,
};

/**
 * What the provider can use of an exchange: anything else that came with 200 is as unreadable as HTML. The provider
 * drops a bot's token without a word if its scopes or its user are absent, so such an answer is refused, and its tokens
 * are revoked.
 */
const usableSchema = z
  .union([
    z.looseObject({
      ...installFields,
      team: placeSchema,
      enterprise: placeSchema.nullish().catch(null),
      is_enterprise_install: z.literal(false).nullish(),
    }),
    z.looseObject({
      ...installFields,
      team: placeSchema.nullish().catch(null),
      enterprise: placeSchema,
      is_enterprise_install: z.literal(true),
    }),
  ])
  .refine(isWhole)
  .refine(({ access_token: bot, scope, bot_user_id: userId }) => {
    return bot === undefined || (scope !== undefined && userId !== undefined);
  });

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
  const underWay = new Set<Promise<void>>();
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
    if (!teamId && !enterpriseId) return false;
    const isOrgWide = isEnterpriseInstall && enterpriseId !== undefined;
    const query = { teamId, enterpriseId, isEnterpriseInstall: isOrgWide, userId };
    const stored = await deps.store.findInstallation(query);
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
     * Watches one exchange. `fetch` goes to the provider's clients: the page's time limits end its waiting, and not the
     * exchange. `giveBack` gives the install up and revokes what came through it, now or later, and says whether all is
     * revoked (undefined if there is nothing to revoke: Slack issued nothing so far, or only what a stored installation
     * uses).
     */
    watch(
      requestId: string,
      options: {
        page: WebClientOptions & { fetch: typeof fetch };
        exchange: { fetch: typeof fetch };
        wantedUntil: AbortSignal;
      },
    ) {
      let issued: IssuedTokens | undefined;
      let issuedAt: number | undefined;
      let isGivenUp = false;

      /** Reads the exchange to its end, whoever still waits for it. */
      async function exchange(input: Parameters<typeof fetch>[0], init: RequestInit): Promise<Response> {
        const response = await options.exchange.fetch(input, init);
        const body = await readJson(response.clone());
        issued = issuedIn(body);
        issuedAt = slackTime(response.headers.get('date'));
        // Not being able to keep them is no reason to stop: the store may still take them a moment later.
        if (issued) {
          await keep(requestId, issued).catch((error) =>
            deps.log.warn({ err: error, requestId }, 'could not keep new tokens'),
          );
        }
        if (issued && isGivenUp) await giveBackLate(issued);
        if (!response.ok || body === undefined) return response;
        return asRead(fieldsOf(body).ok === false ? answerSchema : usableSchema, body);
      }

      async function giveBackLate(late: IssuedTokens): Promise<void> {
        const ends = await giveBack(late, 5000);
        if (!ends.includes('kept')) await forget(requestId);
        deps.log.warn({ requestId, ends }, 'Slack answered an exchange after its page had gone');
      }

      const watchedFetch: typeof fetch = async (input, init = {}) => {
        if (!String(input).endsWith('/oauth.v2.access')) {
          const response = await options.page.fetch(input, init);
          const body = response.ok ? await readJson(response.clone()) : undefined;
          // What is no JSON at all the SDK reports itself.
          return body === undefined ? response : asRead(answerSchema, body);
        }
        // Not the caller's signal: only the page's time is over with it.
        const { signal: _, ...request } = init;
        const whole = exchange(input, request);
        const ended = whole.then(
          () => {},
          () => {},
        );
        underWay.add(ended);
        void ended.then(() => underWay.delete(ended));
        return whileWanted(whole, options.wantedUntil);
      };

      return {
        options: { ...options.page, fetch: watchedFetch },
        /** When Slack answered the exchange, by Slack's clock; undefined before, and if it did not say. */
        issuedAt: () => issuedAt,
        async giveBack(timeoutMs: number): Promise<boolean | undefined> {
          isGivenUp = true;
          if (!issued) return undefined;
          const ends = await giveBack(issued, timeoutMs);
          if (ends.includes('kept')) return false;
          await forget(requestId);
          return ends.includes('revoked') || undefined;
        },
      };
    },

    /** Resolves once no exchange is under way: a stop must not lose tokens that Slack has just issued. */
    async settle(): Promise<void> {
      while (underWay.size > 0) await Promise.all(underWay);
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

/** Resolves with the work; rejects as soon as the signal says that nobody waits for it any more. */
async function whileWanted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const { promise: unwanted, reject } = Promise.withResolvers<never>();
  const give = (): void => reject(signal.reason);
  if (signal.aborted) give();
  else signal.addEventListener('abort', give, { once: true });
  try {
    return await Promise.race([work, unwanted]);
  } finally {
    signal.removeEventListener('abort', give);
  }
}

/** The answer as a schema reads it; one that the schema refuses is passed on as a failure without a name. */
function asRead(schema: z.ZodType, body: unknown): Response {
  const read = schema.safeParse(body);
  return Response.json(read.success ? read.data : { ok: false });
}

/** The time of a `Date` header in milliseconds: what events are compared with, whatever our own clock shows. */
function slackTime(header: string | null): number | undefined {
  const time = header === null ? Number.NaN : Date.parse(header);
  return Number.isFinite(time) ? time : undefined;
}
