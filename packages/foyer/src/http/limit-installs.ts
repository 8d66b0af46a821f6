import { createHmac, randomBytes } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';
import { clientAddress, networkOf } from './client-address.ts';
import type { RefusalKind, Refusals } from './count-refusals.ts';
import type { Route } from './create-server.ts';
import type { SendPages } from './send-pages.ts';

/**
 * Limits what strangers can make Foyer do through the install flow (invariant 10): a callback with a state of one's own
 * and a wrong code writes rows and calls Slack, and states are free for everyone. Sign in with Slack is the same.
 *
 * Only attempts that came to nothing count. A callback counts from its start, and is taken off again when it has
 * installed the app, with the start that led to it: so a company that installs from behind one address is not limited,
 * and a flood is, however many callbacks it sends at once.
 *
 * Each process counts for itself. Why not in the database: then every stranger could write to it.
 */
export interface InstallLimits {
  perMinute: {
    callbacksPerAddress: number;
    callbacksInAll: number;
    startsPerAddress: number;
    startsInAll: number;
  };
}

export const defaultInstallLimits: InstallLimits['perMinute'] = {
  callbacksPerAddress: 120,
  callbacksInAll: 600,
  startsPerAddress: 300,
  startsInAll: 3000,
};

const windowSeconds = 60;
/** Addresses share this many counters, so that their number is bounded whatever comes. */
const buckets = 16_384;

/**
 * Makes the guards of the two routes of one flow: the install, or Sign in with Slack, which lets a stranger do the same
 * and counts for itself.
 */
export function createInstallLimits(deps: {
  flow?: 'install' | 'signin';
  trustProxy: number;
  pages: Pick<SendPages, 'sendFailure'>;
  refusals: Pick<Refusals, 'add'>;
  /** Only tests set these. */
  limits?: Partial<InstallLimits['perMinute']>;
}) {
  const { flow = 'install', trustProxy, pages, refusals } = deps;
  const isInstall = flow === 'install';
  const limits = { ...defaultInstallLimits, ...deps.limits };
  const limiter = (points: number) => new RateLimiterMemory({ points, duration: windowSeconds });
  const callbacks = {
    perAddress: limiter(limits.callbacksPerAddress),
    inAll: limiter(limits.callbacksInAll),
    kind: isInstall ? 'callbacks_limited' : 'sign_ins_limited',
  } as const;
  const starts = {
    perAddress: limiter(limits.startsPerAddress),
    inAll: limiter(limits.startsInAll),
    kind: isInstall ? 'installs_limited' : 'sign_ins_limited',
  } as const;
  type Limiters = { perAddress: RateLimiterMemory; inAll: RateLimiterMemory; kind: RefusalKind };
  // A secret of this process: a stranger cannot look for addresses that share a counter with someone else's.
  const secret = randomBytes(16);

  function keyOf(req: IncomingMessage): string {
    const network = networkOf(clientAddress(req, trustProxy));
    return String(createHmac('sha256', secret).update(network).digest().readUInt16BE() % buckets);
  }

  /** How long to wait, in milliseconds, or undefined after counting this request. */
  async function waitMs({ perAddress, inAll }: Limiters, key: string): Promise<number | undefined> {
    const own = await consume(perAddress, key);
    if (own !== undefined) return own;
    const all = await consume(inAll, 'all');
    // It is not let in, so it must not count against its address.
    if (all !== undefined) await perAddress.reward(key);
    return all;
  }

  function guard(limiters: Limiters, route: Route): Route {
    return async (req, res) => {
      const wait = await waitMs(limiters, keyOf(req));
      if (wait === undefined) return route(req, res);
      refusals.add(limiters.kind, clientAddress(req, trustProxy));
      const retryAfterSeconds = Math.max(1, Math.ceil(wait / 1000));
      pages.sendFailure(res, { kind: isInstall ? 'too_many_requests' : 'signin_limited', retryAfterSeconds });
    };
  }

  return {
    guardStart: (route: Route): Route => guard(starts, route),
    guardCallback: (route: Route): Route => guard(callbacks, route),
    /** A callback has succeeded: it and its start no longer count. */
    succeeded(req: IncomingMessage): void {
      const key = keyOf(req);
      for (const { perAddress, inAll } of [callbacks, starts]) {
        void perAddress.reward(key);
        void inAll.reward('all');
      }
    },
  };
}

/** Consumes a point; resolves to how long to wait if there is none left. */
async function consume(limiter: RateLimiterMemory, key: string): Promise<number | undefined> {
  try {
    await limiter.consume(key);
    return undefined;
  } catch (refusal) {
    if (!(refusal instanceof RateLimiterRes)) throw refusal;
    return refusal.msBeforeNext;
  }
}
