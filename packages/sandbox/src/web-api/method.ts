import type { Platform } from '../platform.ts';
import type { Installation, Token } from '../world/records.ts';
import type { CallArguments } from './call-arguments.ts';
import type { RateLimits } from './rate-limits.ts';

/** Slack's rate limit tiers, in calls a minute; `post` is one message a second and channel. */
export type Tier = 'tier1' | 'tier2' | 'tier3' | 'tier4' | 'post' | 'special';

/** A call that has passed authentication and the scope check. */
export type Call = {
  platform: Platform;
  args: CallArguments;
  token: Token;
  installation: Installation;
  rateLimits: Pick<RateLimits, 'isOn' | 'isHistoryLimited'>;
};

export type OpenCall = { platform: Platform; args: CallArguments; authorization: string | undefined };

export type Answer = Record<string, unknown>;

/** One Web API method: who may call it, how often, and what it does. `run` throws a `Refusal` for `ok: false`. */
export type Method =
  | {
      needs: 'token';
      /** One of these scopes is enough; if there are none, any token may call. */
      scopes: readonly string[];
      tier: Tier;
      run(call: Call): Answer | Promise<Answer>;
    }
  | { needs: 'nothing'; tier: Tier; run(call: OpenCall): Answer | Promise<Answer> };
