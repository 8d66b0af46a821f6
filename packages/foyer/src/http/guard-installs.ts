import { createHmac, createSecretKey, randomBytes } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';
import type { Config } from '../config/config.ts';
import type { Database } from '../database/database.ts';
import type { Given } from '../database/prepared-query.ts';
import { clientAddress, networkOf } from './bound-connections.ts';
import type { RefusalKind, Refusals } from './count-refusals.ts';
import type { Route } from './request-handler.ts';
import type { SendPages } from './send-pages.ts';

/**
 * Limits what strangers can make Foyer do through the install flow (invariant 10). Anyone can get a state, and a
 * callback with a valid state and a wrong code writes rows and calls Slack. Sign in with Slack has the same risk.
 *
 * Only attempts that do not succeed count. Each start and each callback counts when it begins. When a callback
 * succeeds, Foyer subtracts the callback and its start from the count. So a company in which many people install from
 * the same address is not limited, but a flood is, even if many of its callbacks arrive at the same time.
 *
 * Each process counts separately. Why not in the database: every stranger could then write to it.
 */
export interface InstallLimits {
  perMinute: {
    callbacksPerAddress: number;
    callbacksInAll: number;
    startsPerAddress: number;
    startsInAll: number;
  };
}

const defaultInstallLimits: InstallLimits['perMinute'] = {
  callbacksPerAddress: 120,
  callbacksInAll: 600,
  startsPerAddress: 300,
  startsInAll: 3000,
};

const windowSeconds = 60;
/** The number of counters. It is fixed, so several addresses may share a counter. */
const buckets = 16_384;

/**
 * Creates the guards of a flow's two routes, the start and the callback. A flow is the install or Sign in with Slack.
 * Each flow has its own counters.
 */
export function createInstallLimits(deps: {
  flow?: 'install' | 'signin';
  trustProxy: number;
  basePath?: string;
  pages: Pick<SendPages, 'sendFailure'>;
  refusals: Pick<Refusals, 'add'>;
  /** Set only by tests. */
  limits?: Partial<InstallLimits['perMinute']>;
}) {
  const { flow = 'install', trustProxy, basePath = '', pages, refusals } = deps;
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
  // This key is secret, so that a stranger cannot find out which addresses share a counter.
  const secret = createSecretKey(randomBytes(16));

  function keyOf(req: IncomingMessage): string {
    const network = networkOf(clientAddress(req, trustProxy));
    return String(createHmac('sha256', secret).update(network).digest().readUInt16BE() % buckets);
  }

  /** Counts the request and returns undefined if it may proceed. Otherwise returns how many milliseconds to wait. */
  async function waitMs({ perAddress, inAll }: Limiters, key: string): Promise<number | undefined> {
    const own = await consume(perAddress, key);
    if (own !== undefined) return own;
    const all = await consume(inAll, 'all');
    // The limit for all addresses refuses the request. Its own address is not the cause, so that address gets its point
    // back.
    if (all !== undefined) await perAddress.reward(key);
    return all;
  }

  function guard(limiters: Limiters, route: Route): Route {
    return async (req, res) => {
      const wait = await waitMs(limiters, keyOf(req));
      if (wait === undefined) return route(req, res);
      refusals.add(limiters.kind, clientAddress(req, trustProxy));
      const retryAfterSeconds = Math.max(1, Math.ceil(wait / 1000));
      const kind = isInstall ? 'too_many_requests' : 'signin_limited';
      // After a GET, the page's button loads the request's URL again, with its link or its code. The button cannot send
      // a form again, so after a POST it leads to the start page.
      const path = req.method === 'POST' ? `${basePath}/` : undefined;
      pages.sendFailure(res, { kind, path, retryAfterSeconds });
    };
  }

  return {
    guardStart: (route: Route): Route => guard(starts, route),
    guardCallback: (route: Route): Route => guard(callbacks, route),
    /**
     * Call this after a callback has succeeded. The callback, and the request that started its flow, then no longer
     * count against the limits.
     */
    succeeded(req: IncomingMessage): void {
      const key = keyOf(req);
      for (const { perAddress, inAll } of [callbacks, starts]) {
        void perAddress.reward(key);
        void inAll.reward('all');
      }
    },
  };
}

/**
 * Consumes one point of the limit. If none is left, resolves to how many milliseconds to wait, otherwise to undefined.
 */
async function consume(limiter: RateLimiterMemory, key: string): Promise<number | undefined> {
  try {
    await limiter.consume(key);
    return undefined;
  } catch (refusal) {
    if (!(refusal instanceof RateLimiterRes)) throw refusal;
    return refusal.msBeforeNext;
  }
}

/** How long a request waits for the database. After that, Foyer uses the database's previous answer. */
const patienceMs = 300;

/**
 * Creates the function that returns whether an app's installs are paused. Every install calls that function, so it
 * reads the database only if a transaction was committed since its last read. It never throws: if the database does not
 * answer, it returns the previous answer, so that the start of an install still leads to Slack.
 */
export function createIsInMaintenance(
  database: Pick<Database, 'prepare' | 'changeMark'>,
  clientId: string,
): () => Promise<boolean> {
  const read = database.prepare((queries, given: Given<{ clientId: string }>) =>
    queries.selectFrom('maintenance').select('began_at').where('client_id', '=', given.clientId),
  );
  let known = { mark: Number.NaN, isOn: false };

  async function ask(mark: number): Promise<boolean> {
    known = { mark, isOn: (await read({ clientId })) !== undefined };
    return known.isOn;
  }

  return async () => {
    const mark = database.changeMark();
    if (known.mark === mark) return known.isOn;
    const late = Promise.withResolvers<boolean>();
    const timer = setTimeout(() => late.resolve(known.isOn), patienceMs);
    try {
      return await Promise.race([ask(mark).catch(() => known.isOn), late.promise]);
    } finally {
      clearTimeout(timer);
    }
  };
}

/** The Retry-After during maintenance. This is a guess, since no one knows when maintenance will end. */
const retryAfterSeconds = 300;

/**
 * Creates the guard of the install flow's routes. During maintenance, it answers 503 with a page. It refuses a callback
 * before the state and the code are used, so that the user can still finish the install by reloading the page. The
 * route for events has no such guard.
 */
export function createPauseInstalls(deps: {
  isInMaintenance: () => Promise<boolean>;
  http: Pick<Config['http'], 'trustProxy' | 'basePath'>;
  pages: Pick<SendPages, 'sendFailure'>;
  refusals: Pick<Refusals, 'add'>;
}): (route: Route) => Route {
  return (route) => async (req, res) => {
    if (!(await deps.isInMaintenance())) return route(req, res);
    deps.refusals.add('maintenance', clientAddress(req, deps.http.trustProxy));
    // The result of a form cannot be reloaded, so the page's button leads to the start page.
    const path = req.method === 'POST' ? `${deps.http.basePath}/` : undefined;
    deps.pages.sendFailure(res, { kind: 'maintenance', path, retryAfterSeconds }, { Connection: 'close' });
  };
}
