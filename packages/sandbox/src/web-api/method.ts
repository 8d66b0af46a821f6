import type { IdTokenFlaw, IdTokens } from '../openid/id-token.ts';
import type { Platform } from '../platform.ts';
import type { Installation, SignInToken, Token } from '../world/records.ts';
import type { CallArguments } from './call-arguments.ts';
import type { RateLimits, Tier } from './rate-limits.ts';

/** A call that has passed authentication and the scope check. */
export type Call = {
  platform: Platform;
  args: CallArguments;
  token: Token;
  installation: Installation;
  rateLimits: Pick<RateLimits, 'isOn' | 'isHistoryLimited'>;
};

export type OpenCall = {
  platform: Platform;
  args: CallArguments;
  authorization: string | undefined;
  idTokens: IdTokens;
  /** The flaw to put into this call's ID token. Undefined for a correct token. */
  idTokenFlaw: IdTokenFlaw | undefined;
};

/** A call with an access token from “Sign in with Slack”. */
export type SignInCall = { platform: Platform; signIn: SignInToken };

export type Answer = Record<string, unknown>;

/** One Web API method: who may call it, how often, and what it does. `run` throws a `Refusal` for `ok: false`. */
export type Method =
  | {
      needs: 'token';
      /** One of these scopes is enough. If the list is empty, any token may call the method. */
      scopes: readonly string[];
      tier: Tier;
      run(call: Call): Answer | Promise<Answer>;
      /** Runs if the call's token came from Sign in with Slack. Without this, such a call gets `missing_scope`. */
      whenSignedIn?(call: SignInCall): Answer;
    }
  | { needs: 'sign-in'; tier: Tier; run(call: SignInCall): Answer }
  | { needs: 'nothing'; tier: Tier; run(call: OpenCall): Answer | Promise<Answer> };

type RunOf<Needs extends Method['needs']> = Extract<Method, { needs: Needs }>['run'];

/** A method for tokens that have one of `scopes`, or for any token if `scopes` is empty. */
export function tokenMethod(tier: Tier, scopes: readonly string[], run: RunOf<'token'>): Method {
  return { needs: 'token', scopes, tier, run };
}

/** A method that needs no token. */
export function openMethod(tier: Tier, run: RunOf<'nothing'>): Method {
  return { needs: 'nothing', tier, run };
}
