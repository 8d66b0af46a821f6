import { setTimeout as delay } from 'node:timers/promises';
import type { Failure } from '../control/control-bodies.ts';
import type { Faults } from '../control/faults.ts';
import { type Exchange, jsonReply, type Reply } from '../http/exchange.ts';
import type { IdTokens } from '../openid/id-token.ts';
import type { Platform } from '../platform.ts';
import type { Token } from '../world/records.ts';
import { authenticate, missingScope, requireScope, tokenIn } from './authenticate.ts';
import { createCallArguments, readArguments } from './call-arguments.ts';
import type { CallLog, LoggedCall } from './call-log.ts';
import { type CallOutcome, letFail, rateLimited } from './let-fail.ts';
import type { Answer, Method, SignInCall } from './method.ts';
import { methods } from './methods.ts';
import { placeOfGrant } from './oauth-access.ts';
import type { RateLimits } from './rate-limits.ts';
import { Refusal } from './refusal.ts';

export type WebApi = { answer(exchange: Exchange, methodName: string): Promise<Reply | null> };

/** The Web API: reads a call, applies planned faults, checks the token and its scopes, and runs the method. */
export function createWebApi({
  platform,
  faults,
  rateLimits,
  log,
  idTokens,
}: {
  platform: Platform;
  faults: Faults;
  rateLimits: RateLimits;
  log: CallLog;
  idTokens: IdTokens;
}): WebApi {
  /**
   * Runs a call. Checks it in Slack's order: the method, the token, the rate limit, the scope, and then the arguments.
   */
  async function run(
    name: string,
    all: Record<string, unknown>,
    exchange: Exchange,
    logged: LoggedCall,
    failure: Failure | undefined,
  ): Promise<CallOutcome> {
    const authorization = exchange.header('authorization');
    let token: Token | undefined;
    let method: Method | undefined;
    try {
      method = methods[name];
      if (!method) throw new Refusal('unknown_method', { req_method: name });
      const args = createCallArguments(all);
      if (method.needs === 'nothing') {
        const idTokenFlaw = failure?.type === 'id-token' ? failure.flaw : undefined;
        const answer = await method.run({ platform, args, authorization, idTokens, idTokenFlaw });
        logged.wasActedUpon = true;
        return { answer };
      }
      const value = tokenIn(authorization, isJson(exchange) ? {} : all);
      const signIn = platform.world.signInTokens.get(value ?? '');
      if (signIn) {
        const answer = runSignedIn(method, { platform, signIn });
        logged.wasActedUpon = true;
        return { answer };
      }
      const caller = authenticate(platform, value);
      token = caller.token;
      if (method.needs === 'sign-in') throw missingScope(token, ['openid']);
      const waitSeconds = rateLimits.count(name, method.tier, caller.installation.id, String(all.channel));
      if (waitSeconds) return rateLimited(waitSeconds);
      requireScope(token, method.scopes);
      const answer = await method.run({ platform, args, rateLimits, ...caller });
      logged.wasActedUpon = true;
      return { answer, headers: scopeHeaders(token, method) };
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      return {
        answer: { ok: false, error: error.code, ...error.fields },
        headers: scopeHeaders(token, method),
      };
    }
  }

  function describe(logged: LoggedCall, all: Record<string, unknown>, exchange: Exchange): string[] {
    const { token: _token, ...rest } = all;
    const value = tokenIn(exchange.header('authorization'), isJson(exchange) ? {} : all);
    const known = platform.world.tokens.get(value ?? '');
    const signIn = platform.world.signInTokens.get(value ?? '');
    const place = known
      ? platform.world.installations.get(known.installationId)
      : placeOfGrant(platform, all);
    logged.arguments = rest;
    logged.token = value ?? null;
    logged.enterpriseId = place?.enterpriseId ?? null;
    logged.teamId = place?.teamId ?? signIn?.teamId ?? (typeof all.team_id === 'string' ? all.team_id : null);
    return [logged.teamId, logged.enterpriseId].filter((id) => id !== null);
  }

  return {
    async answer(exchange, methodName) {
      const startedAt = performance.now();
      const logged = log.begin(methodName, platform.clock.now());
      let all: Record<string, unknown> = {};
      let unreadable: CallOutcome | undefined;
      try {
        all = readArguments(exchange.url.searchParams, exchange.header('content-type') ?? '', exchange.body);
      } catch (error) {
        if (!(error instanceof Refusal)) throw error;
        unreadable = { answer: { ok: false, error: error.code } };
      }
      const failure = faults.take(methodName, describe(logged, all, exchange));
      const latencyMs = faults.latencyOf(methodName);
      if (latencyMs > 0) await delay(latencyMs);
      const act = async () => unreadable ?? (await run(methodName, all, exchange, logged, failure));
      const outcome = failure ? await letFail(failure, act, exchange, logged) : await act();
      logged.ms = Math.round(performance.now() - startedAt);
      const told = outcome && 'answer' in outcome ? outcome.answer : null;
      logged.answer = told;
      const { teamId } = logged;
      platform.activity.tell({
        kind: 'called',
        method: methodName,
        teamId,
        ok: told !== null && told.ok !== false,
      });
      if (!outcome) return null;
      logged.status = outcome.status ?? 200;
      return 'answer' in outcome ? jsonReply(outcome.answer, outcome.status, outcome.headers) : outcome;
    },
  };
}

function runSignedIn(method: Method, call: SignInCall): Answer {
  if (method.needs === 'sign-in') return method.run(call);
  if (method.needs === 'token' && method.whenSignedIn) return method.whenSignedIn(call);
  throw missingScope(call.signIn, method.needs === 'token' ? method.scopes : []);
}

function scopeHeaders(token: Token | undefined, method: Method | undefined): Record<string, string> {
  if (!token) return {};
  const accepted = method?.needs === 'token' ? method.scopes.join(',') : '';
  return { 'x-oauth-scopes': token.scopes.join(','), 'x-accepted-oauth-scopes': accepted };
}

function isJson(exchange: Exchange): boolean {
  return exchange.method === 'POST' && (exchange.header('content-type') ?? '').startsWith('application/json');
}
