import type { Installation } from '@slack/oauth';
import type { WebClientOptions } from '@slack/web-api';
import { z } from 'zod';
import type { Logger } from '../config/log.ts';
import type { Database } from '../database/database.ts';
import { keepUnstoredTokens } from '../database/install-requests.ts';
import type { InstallationStore } from '../installations/installation-store.ts';
import { secondsToLive } from '../installations/refresh-tokens.ts';
import type { Sealer } from '../installations/sealer.ts';
import type { SlackCallLimits, SlackClientFactory } from '../slack/create-slack-client.ts';
import { slackFailure } from '../slack/slack-failure.ts';
import { tokensInText, tokenText, wholeWords } from '../slack/tokens-in-text.ts';

/**
 * Foyer stores or revokes every token that Slack issues (invariant 1). `InstallProvider` hands over an installation
 * only after `auth.test` has succeeded; if `auth.test` fails, the provider does not report the tokens. So Foyer looks
 * for tokens in the answer of `oauth.v2.access` as it arrives, before anything is parsed. It keeps these tokens,
 * sealed, in the row of the install request. The transaction that commits the installation erases them from that row.
 * If an error or a crash ends the install before the commit, Foyer finds the kept tokens and revokes them. Tokens that
 * the install does not store stay in the row until they are revoked.
 *
 * Why the exchange has its own time limit: Slack may issue tokens but answer only after the page's time limit, or the
 * answer may wait unread while the event loop is blocked. Foyer sends the page in time and still reads the answer to
 * its end.
 */

/** How long Foyer waits for Slack's answer to an exchange, even after it has sent the page. */
export const exchangeTimeoutMs = 60_000;
/**
 * If an answer is still incomplete this long after its first bytes, Foyer keeps the tokens that have arrived so far.
 */
const keepAfterMs = 1000;

type Fields = Readonly<Record<string, unknown>>;

const fieldsOf = (value: unknown): Fields =>
  typeof value === 'object' && value !== null ? (value as Fields) : {};

const textOf = (value: unknown): string | undefined =>
  typeof value === 'string' && value !== '' ? value : undefined;

/**
 * Reads the ids of the team, enterprise and person that own the issued tokens. They are undefined if `body` is not
 * JSON.
 */
function ownerIn(body: unknown): Omit<IssuedTokens, 'tokens'> {
  const { team, enterprise, is_enterprise_install: flag, authed_user: user } = fieldsOf(body);
  return {
    teamId: textOf(fieldsOf(team).id),
    enterpriseId: textOf(fieldsOf(enterprise).id),
    isEnterpriseInstall: flag === true,
    userId: textOf(fieldsOf(user).id),
  };
}

const idSchema = z.string().regex(/^\w{1,100}$/);
/** Slack's SDK reads `warnings` and `messages`, and throws if one of them is not a list. */
const warningsSchema = z.array(z.string()).optional().catch(undefined);
const metadataSchema = z
  .object({ warnings: warningsSchema, messages: warningsSchema })
  .optional()
  .catch(undefined);
/**
 * Parses a refusal, or an answer of `auth.test`. Keeps only strings, numbers and booleans, and the `response_metadata`
 * that Slack's SDK reads in every answer. Drops all other objects, because deeply nested objects make the SDK overflow
 * the stack.
 */
const answerSchema = z
  .looseObject({ ok: z.boolean(), response_metadata: metadataSchema })
  .transform(({ response_metadata, ...fields }) => {
    const plain = Object.entries(fields).filter(([, value]) => typeof value !== 'object');
    return { ...Object.fromEntries(plain), response_metadata };
  });
const tokenSchema = z.string().trim().regex(tokenText).optional();
const nameSchema = z.string().optional().catch(undefined);
/**
 * The fields of a token that `InstallProvider` reads. If one of the first three has another type, Foyer refuses the
 * answer: it cannot be Slack's.
 */
const tokenFields = {
  scope: z.string().optional(),
  access_token: tokenSchema,
  refresh_token: tokenSchema,
  expires_in: z.union([z.number(), z.string()]).optional().catch(undefined),
};
const placeSchema = z.object({ id: idSchema, name: nameSchema });

/** Returns false for a refresh token without its access token: Foyer could neither store nor use it. */
const isWhole = (fields: { access_token?: string; refresh_token?: string }): boolean =>
  fields.access_token !== undefined || fields.refresh_token === undefined;

const installFields = {
  ok: z.literal(true),
  ...tokenFields,
  authed_user: z.object({ id: idSchema, ...tokenFields }).refine(isWhole),
  bot_user_id: idSchema.optional().catch(undefined),
  // An install does not need the next three fields. If one has the wrong type, only that field is dropped: Foyer must
  // not refuse the tokens because of it.
  app_id: idSchema.optional().catch(undefined),
  token_type: z.string().nullish().catch(undefined),
  incoming_webhook: z
    .object({ url: z.string(), channel: nameSchema, channel_id: nameSchema, configuration_url: nameSchema })
    .optional()
    .catch(undefined),
  response_metadata: metadataSchema,
};

/**
 * Parses Slack's answer to a code exchange. Foyer passes the parsed answer to the provider, without the fields that an
 * install does not need: they may be nested too deep for the provider. If an answer with a 2xx status does not fit this
 * schema and is not a refusal (`ok: false`), it counts as unreadable.
 *
 * An answer with a bot token but without scopes or without a bot user does not fit this schema. The provider would
 * silently drop that token, so Foyer refuses the whole answer and revokes its tokens.
 */
const usableSchema = z
  .union([
    z.object({
      ...installFields,
      team: placeSchema,
      enterprise: placeSchema.nullish().catch(null),
      is_enterprise_install: z.literal(false).nullish(),
    }),
    z.object({
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

/**
 * If a grant has a refresh token, gives the grant a valid expiry. Without an expiry, the provider would drop the
 * refresh token.
 */
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

/**
 * What became of a token. in use: a stored installation uses the token, so Foyer did not revoke it. kept: the token
 * could not be revoked now, and Foyer tries again later.
 */
type TokenEnd = 'revoked' | 'in use' | 'kept';

interface UnstoredTokensDeps {
  database: Database;
  /** Seals unstored tokens, and nothing else. */
  sealer: Sealer;
  store: Pick<InstallationStore, 'findInstallation'>;
  slack: SlackClientFactory;
  log: Logger;
}

/** The `purpose` of `UnstoredTokensDeps.sealer`. */
export const unstoredTokensPurpose = 'unstored-tokens';

/** Returns the `place` to pass to the sealer when it seals or opens the unstored tokens of an install request. */
export function unstoredTokensPlace(requestId: string): string {
  return `install-request:${requestId}`;
}

/** Keeps the tokens from each code exchange until they are stored, and revokes those that cannot be stored. */
export function createUnstoredTokens(deps: UnstoredTokensDeps) {
  const { sealer } = deps;
  const underWay = new Set<Promise<void>>();
  const stopping = new AbortController();
  const place = unstoredTokensPlace;

  async function keep(requestId: string, issued: IssuedTokens): Promise<void> {
    const sealedTokens = sealer.seal(JSON.stringify(issued), place(requestId));
    await deps.database.write((trx) => keepUnstoredTokens(trx, { id: requestId, sealedTokens }), 500);
  }

  /**
   * Returns whether a stored installation uses the token. Slack issues the same bot token for every install of a
   * workspace, so revoking such a token would break a working app.
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
    return stored !== undefined && tokensOf(stored.installation).includes(token);
  }

  /** Asks Slack whose token it is. Called if the answer that held the token named neither a team nor an enterprise. */
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
        // Slack did not answer, so Foyer does not know whether the token belongs to a working app.
        deps.log.warn(
          { err: error },
          'could not ask Slack who a token belongs to; keeping the token for now',
        );
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
     * Watches one code exchange. The provider's clients must use the returned `options.fetch`. When `wantedUntil`
     * aborts, this `fetch` rejects, but the exchange continues in the background.
     *
     * `giveBack` revokes every token of the exchange that no stored installation uses. It resolves to true if all of
     * these tokens are revoked, to false if some could not be revoked yet, and to undefined if there was no token to
     * revoke. Tokens that arrive after the call are revoked too.
     */
    watch(
      requestId: string,
      options: {
        page: WebClientOptions & { fetch: typeof fetch };
        /**
         * Makes the `fetch` that exchanges the code for tokens. This `fetch` reports the bytes as they arrive, even if
         * the exchange fails later.
         */
        exchange(limits: Pick<SlackCallLimits, 'onArrived' | 'signal'>): { fetch: typeof fetch };
        wantedUntil: AbortSignal;
      },
    ) {
      let issued: IssuedTokens | undefined;
      let issuedAt: number | undefined;
      let isGivenUp = false;

      /**
       * Keeps the issued tokens. If that fails, the install continues: the database may work again by the time that
       * Foyer stores the installation.
       */
      async function note(tokens: string[], body?: unknown): Promise<void> {
        if (tokens.length === 0) return;
        issued = { ...ownerIn(body), tokens };
        await keep(requestId, issued).catch((error) =>
          deps.log.warn(
            { err: error, requestId },
            'could not save new tokens in the record of their install request',
          ),
        );
      }

      /** Exchanges the code and reads Slack's whole answer, even if the caller no longer waits for it. */
      async function exchange(input: Parameters<typeof fetch>[0], init: RequestInit): Promise<Response> {
        let arrived = '';
        let looking: NodeJS.Timeout | undefined;
        let kept = Promise.resolve();
        // Looks for tokens before the answer is complete: the rest may take a minute, and the process may end sooner.
        const look = (): void => {
          looking = undefined;
          const tokens = tokensInText(wholeWords(arrived));
          if (tokens.length > (issued?.tokens.length ?? 0)) kept = kept.then(() => note(tokens));
        };
        const { fetch: exchangeFetch } = options.exchange({
          signal: stopping.signal,
          onArrived(bytes) {
            arrived += bytes.toString('latin1');
            looking ??= setTimeout(look, keepAfterMs);
          },
        });
        const [answer] = await Promise.allSettled([exchangeFetch(input, init)]);
        clearTimeout(looking);
        await kept;
        const text = answer.status === 'fulfilled' ? await answer.value.clone().text() : '';
        const body = jsonIn(text);
        await note(tokensInText(arrived), body);
        if (isGivenUp) await giveBackLate();
        if (answer.status === 'rejected') throw answer.reason;
        const response = answer.value;
        issuedAt = slackTime(response.headers.get('date'));
        if (!response.ok) return response;
        return asRead(fieldsOf(body).ok === false ? answerSchema : usableSchema, body);
      }

      async function giveBackLate(): Promise<void> {
        const ends = await giveBackIssued(5000);
        if (ends.length === 0) return;
        deps.log.warn(
          { requestId, ends },
          'Slack answered a code exchange after the browser’s request had ended',
        );
      }

      async function giveBackIssued(timeoutMs: number): Promise<TokenEnd[]> {
        const given = issued;
        if (!given) return [];
        const ends = await giveBack(given, timeoutMs);
        // If more tokens have arrived in the meantime, the database must keep them, because they are not revoked yet.
        if (!ends.includes('kept') && issued === given) await forget(requestId);
        return ends;
      }

      const watchedFetch: typeof fetch = async (input, init = {}) => {
        if (!String(input).endsWith('/oauth.v2.access')) {
          const response = await options.page.fetch(input, init);
          return response.ok ? asRead(answerSchema, jsonIn(await response.text())) : response;
        }
        // Drops the caller's signal, because it would abort the exchange. The exchange must continue even after the
        // caller has stopped waiting.
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
        /**
         * When Slack answered the exchange, by Slack's clock (milliseconds). Undefined before the answer, or if the
         * answer has no valid date.
         */
        issuedAt: () => issuedAt,
        /** Returns whether Slack issued tokens that are not part of this installation, such as a second bot token. */
        exceed(installation: Installation): boolean {
          const stored = tokensOf(installation);
          return issued?.tokens.some((token) => !stored.includes(token)) ?? false;
        },
        async giveBack(timeoutMs: number): Promise<boolean | undefined> {
          isGivenUp = true;
          const ends = await giveBackIssued(timeoutMs);
          if (ends.includes('kept')) return false;
          return ends.includes('revoked') || undefined;
        },
      };
    },

    /**
     * Resolves once no exchange is in progress: when Foyer stops, it must not lose tokens that Slack has just issued.
     * After `atMostMs`, aborts the unfinished exchanges. `recoverInstalls` later finds the tokens that had arrived.
     */
    async settle(atMostMs: number): Promise<void> {
      const timer = setTimeout(() => stopping.abort(new Error('Foyer is stopping')), atMostMs);
      while (underWay.size > 0) await Promise.all(underWay);
      clearTimeout(timer);
    },

    /**
     * Revokes the tokens that Foyer kept in the record of an interrupted install request, except those that a stored
     * installation uses. Resolves to false if a token could not be revoked.
     */
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

function tokensOf({ bot, user }: Installation): (string | undefined)[] {
  return [bot?.token, bot?.refreshToken, user.token, user.refreshToken];
}

export type UnstoredTokens = ReturnType<typeof createUnstoredTokens>;

function jsonIn(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Settles as `work` does, or rejects as soon as the signal aborts. */
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

/**
 * Returns the answer as the schema parses it. If the schema refuses the answer, returns a failure without an error
 * code.
 */
function asRead(schema: z.ZodType, body: unknown): Response {
  const read = schema.safeParse(body);
  return Response.json(read.success ? read.data : { ok: false });
}

/**
 * Returns the time in a `Date` header in milliseconds, or undefined without a valid one. Foyer compares the times of
 * later events with it.
 */
function slackTime(header: string | null): number | undefined {
  const time = header === null ? Number.NaN : Date.parse(header);
  return Number.isFinite(time) ? time : undefined;
}
