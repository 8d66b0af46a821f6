import type { WebClientOptions } from '@slack/web-api';
import { z } from 'zod';
import type { Logger } from '../config/log.ts';
import type { Database } from '../database/database.ts';
import { keepUnstoredTokens } from '../database/install-requests.ts';
import type { InstallationStore } from '../installations/installation-store.ts';
import { secondsToLive } from '../installations/refresh-tokens.ts';
import type { Sealer } from '../installations/sealer.ts';
import type { SlackClientFactory } from '../slack/create-slack-client.ts';
import { slackFailure } from '../slack/slack-failure.ts';

/**
 * Invariant 1, stored or revoked. `InstallProvider` hands over an installation only after `auth.test` has succeeded
 * too; if that fails, it does not report the tokens that it already holds. So Foyer reads the answer of
 * `oauth.v2.access` first and keeps its tokens, sealed, with the install request. The transaction that commits the
 * installation erases them. If an error or a crash ends the install before that, Foyer finds the kept tokens and
 * revokes them.
 *
 * Why the exchange has its own time limit: Slack may issue tokens and answer only after the page's time is over, or the
 * answer may wait unread while the event loop is blocked. The page ends in time; the exchange is read to its end.
 */

/** How long to wait for the answer of an exchange, even if the page has already been answered. */
export const exchangeTimeoutMs = 60_000;

type Fields = Readonly<Record<string, unknown>>;

const fieldsOf = (value: unknown): Fields =>
  typeof value === 'object' && value !== null ? (value as Fields) : {};

const textOf = (value: unknown): string | undefined =>
  typeof value === 'string' && value !== '' ? value : undefined;

/** A text that a header can carry: only such a text can be a token. */
const tokenText = /^[!-~]+$/;

/** Finds the texts in a value that can be tokens, at any depth. */
function textsIn(value: unknown, depth = 0): string[] {
  if (typeof value === 'string') return tokenText.test(value.trim()) ? [value.trim()] : [];
  if (typeof value !== 'object' || value === null || depth > 6) return [];
  return Object.values(value).flatMap((each) => textsIn(each, depth + 1));
}

/**
 * Finds every token in an answer: the bot's, the user's, and those in unknown fields. A refresh token counts only if it
 * comes without an access token, whose revocation would end both.
 */
function tokensIn(value: unknown, depth = 0): string[] {
  if (typeof value !== 'object' || value === null || depth > 6) return [];
  const { access_token, refresh_token, ...others } = value as Fields;
  const access = textsIn(access_token);
  const own = access.length > 0 ? access : textsIn(refresh_token);
  const inner = Object.values(others).flatMap((each) => tokensIn(each, depth + 1));
  return [...new Set([...own, ...inner])];
}

/** Finds the tokens of an answer that is not JSON because it was cut off. */
function tokensInText(text: string): string[] {
  const valuesOf = (name: string): string[] => {
    const values = text.matchAll(new RegExp(`"${name}"\\s*:\\s*"\\s*([!-~]+?)\\s*"`, 'g'));
    return [...new Set([...values].map(([, value = '']) => value))];
  };
  const access = valuesOf('access_token');
  return access.length > 0 ? access : valuesOf('refresh_token');
}

/** Reads what was issued, and for whom; undefined if the answer holds no token. */
function issuedIn(body: unknown): IssuedTokens | undefined {
  const tokens = typeof body === 'string' ? tokensInText(body) : tokensIn(body);
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
/** Slack's SDK reads both lists and throws if one of them is not a list. */
const warningsSchema = z.array(z.string()).optional().catch(undefined);
const metadataSchema = z
  .looseObject({ warnings: warningsSchema, messages: warningsSchema })
  .optional()
  .catch(undefined);
/** The fields that Slack's SDK reads in every answer, whatever the method. */
const answerSchema = z.looseObject({ ok: z.boolean(), response_metadata: metadataSchema });
/** What the provider reads about a token: an answer of another shape does not come from Slack. */
const tokenFields = {
  scope: z.string().optional(),
  access_token: z.string().trim().regex(tokenText).optional(),
  refresh_token: z.string().trim().regex(tokenText).optional(),
};
const placeSchema = z.looseObject({ id: idSchema });

/** A refresh token without its access token can be neither stored nor used. */
const isWhole = (fields: { access_token?: string; refresh_token?: string }): boolean =>
  fields.access_token !== undefined || fields.refresh_token === undefined;

const installFields = {
  ok: z.literal(true),
  ...tokenFields,
  authed_user: z.looseObject({ id: idSchema, ...tokenFields }).refine(isWhole),
  bot_user_id: idSchema.optional().catch(undefined),
  // A field that an install does not need is dropped if its type is wrong: no token must depend on it.
  app_id: idSchema.optional().catch(undefined),
  token_type: z.string().nullish().catch(undefined),
  incoming_webhook: z.looseObject({ url: z.string() }).optional().catch(undefined),
  response_metadata: metadataSchema,
};

/**
 * The answers of an exchange that the provider can use; any other one with status 200 counts as unreadable. The
 * provider silently drops a bot's token that comes without scopes or bot user, so Foyer refuses such an answer and
 * revokes its tokens.
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
  })
  .transform((answer) => ({ ...expiring(answer), authed_user: expiring(answer.authed_user) }));

/** The provider drops a refresh token whose answer does not say when its token expires. */
function expiring<Grant extends { refresh_token?: string; expires_in?: unknown }>(grant: Grant): Grant {
  return grant.refresh_token === undefined
    ? grant
    : { ...grant, expires_in: secondsToLive(grant.expires_in) };
}

const keptSchema = z.object({
  teamId: z.string().optional(),
  enterpriseId: z.string().optional(),
  isEnterpriseInstall: z.boolean(),
  userId: z.string().optional(),
  tokens: z.array(z.string()),
});

/** The tokens that Slack issued in one exchange, and for whom. */
type IssuedTokens = z.output<typeof keptSchema>;

/** in use: a stored installation has it, so it stays. kept: it could not be revoked now; Foyer tries again later. */
type TokenEnd = 'revoked' | 'in use' | 'kept';

export interface UnstoredTokensDeps {
  database: Database;
  /** For this purpose only. */
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

/** Keeps the tokens that Slack issues until they are stored, and revokes those that cannot be stored. */
export function createUnstoredTokens(deps: UnstoredTokensDeps) {
  const { sealer } = deps;
  const underWay = new Set<Promise<void>>();
  const place = unstoredTokensPlace;

  async function keep(requestId: string, issued: IssuedTokens): Promise<void> {
    const sealedTokens = sealer.seal(JSON.stringify(issued), place(requestId));
    await deps.database.write((trx) => keepUnstoredTokens(trx, { id: requestId, sealedTokens }), 500);
  }

  /**
   * Slack issues the same bot token for every install of a workspace: revoking one that a stored installation uses
   * would break a working app.
   */
  async function isStored(issued: IssuedTokens, token: string, timeoutMs: number): Promise<boolean> {
    const isKnown = issued.teamId !== undefined || issued.enterpriseId !== undefined;
    const { teamId, enterpriseId, isEnterpriseInstall, userId } = isKnown
      ? issued
      : await ownerOf(token, timeoutMs);
    if (!teamId && !enterpriseId) return false;
    const isOrgWide = isEnterpriseInstall && enterpriseId !== undefined;
    const query = { teamId, enterpriseId, isEnterpriseInstall: isOrgWide, userId };
    const stored = await deps.store.findInstallation(query);
    const { bot, user } = stored?.installation ?? {};
    return bot?.token === token || user?.token === token;
  }

  /** Asks Slack whose token it is, if the answer that held it does not say so. */
  async function ownerOf(token: string, timeoutMs: number): Promise<Omit<IssuedTokens, 'tokens'>> {
    const who = await deps.slack(token, { timeoutMs: timeoutMs / 2 }).auth.test();
    return {
      teamId: textOf(who.team_id),
      enterpriseId: textOf(who.enterprise_id),
      isEnterpriseInstall: who.is_enterprise_install === true,
      userId: textOf(who.user_id),
    };
  }

  async function revoke(issued: IssuedTokens, token: string, timeoutMs: number): Promise<TokenEnd> {
    try {
      if (await isStored(issued, token, timeoutMs)) return 'in use';
    } catch (error) {
      const kind = slackFailure(error)?.kind;
      if (kind === 'unreachable' || kind === 'rate-limited') {
        // Slack will say later whose token it is: until then, it may be that of a working app.
        deps.log.warn({ err: error }, 'could not ask whose token it is');
        return 'kept';
      }
      deps.log.warn({ err: error }, 'could not check whether a token is in use; revoking it');
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
     * Watches one exchange. `options.fetch` is for the provider's clients: the page's time limits end its waiting, not
     * the exchange. `giveBack` abandons the install and revokes its tokens, now or when they arrive. It resolves to
     * whether all are revoked; undefined if there are none to revoke (Slack has issued nothing so far, or only tokens
     * that a stored installation uses).
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

      /** Reads the exchange to its end, even if no one waits for it any longer. */
      async function exchange(input: Parameters<typeof fetch>[0], init: RequestInit): Promise<Response> {
        const response = await options.exchange.fetch(input, init);
        const text = await response.clone().text();
        const body = jsonIn(text);
        issued = issuedIn(body === undefined ? text : body);
        issuedAt = slackTime(response.headers.get('date'));
        // If they cannot be kept, the install continues: the store may still take them a moment later.
        if (issued) {
          await keep(requestId, issued).catch((error) =>
            deps.log.warn({ err: error, requestId }, 'could not store new tokens'),
          );
        }
        if (issued && isGivenUp) await giveBackLate(issued);
        if (!response.ok || body === undefined) return response;
        return asRead(fieldsOf(body).ok === false ? answerSchema : usableSchema, body);
      }

      async function giveBackLate(late: IssuedTokens): Promise<void> {
        const ends = await giveBack(late, 5000);
        if (!ends.includes('kept')) await forget(requestId);
        deps.log.warn({ requestId, ends }, 'Slack answered a code exchange after its request had ended');
      }

      const watchedFetch: typeof fetch = async (input, init = {}) => {
        if (!String(input).endsWith('/oauth.v2.access')) {
          const response = await options.page.fetch(input, init);
          const body = response.ok ? jsonIn(await response.clone().text()) : undefined;
          // If it is not JSON, the SDK reports that itself.
          return body === undefined ? response : asRead(answerSchema, body);
        }
        // Without the caller's signal, which ends only the page's waiting.
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
        /** When Slack answered the exchange, by Slack's clock; undefined before that, or if the answer has no date. */
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

    /** Resolves once no exchange is in progress: a stop must not lose tokens that Slack has just issued. */
    async settle(): Promise<void> {
      while (underWay.size > 0) await Promise.all(underWay);
    },

    /** Revokes the tokens that an interrupted request left; resolves to true once none are left. */
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
    await done.catch((error) => deps.log.warn({ err: error }, 'could not delete revoked tokens'));
  }
}

export type UnstoredTokens = ReturnType<typeof createUnstoredTokens>;

/** Undefined if the text is not JSON. */
function jsonIn(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Settles with the work, or rejects as soon as the signal aborts. */
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

/** Returns the answer as the schema parses it; one that the schema refuses becomes a failure without an error code. */
function asRead(schema: z.ZodType, body: unknown): Response {
  const read = schema.safeParse(body);
  return Response.json(read.success ? read.data : { ok: false });
}

/** The time of a `Date` header in milliseconds. Events are compared with it, not with our own clock. */
function slackTime(header: string | null): number | undefined {
  const time = header === null ? Number.NaN : Date.parse(header);
  return Number.isFinite(time) ? time : undefined;
}
