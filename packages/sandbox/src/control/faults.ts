import type { IdTokenFlaw } from '../openid/id-token.ts';

/**
 * What goes wrong with a call:
 * - `error`: answers `ok: false` with this error, and does nothing;
 * - `status`: answers with an HTTP status (429 with `retryAfterSeconds`), and does nothing;
 * - `hang`: acts (unless `acts: false`), then answers only after `delayMs`, or never if the caller disconnects first;
 * - `reset-before-acting`, `reset-after-acting`: cuts the connection;
 * - `malformed-json`: acts (unless `acts: false`), then answers with half a JSON text;
 * - `id-token`: acts, but something is wrong with the ID token (only for `openid.connect.token`).
 */
export type Failure =
  | { type: 'error'; error: string; fields?: Record<string, unknown> }
  | { type: 'status'; status: number; retryAfterSeconds?: number }
  | { type: 'hang'; delayMs: number; acts?: boolean }
  | { type: 'reset-before-acting' }
  | { type: 'reset-after-acting' }
  | { type: 'malformed-json'; acts?: boolean }
  | { type: 'id-token'; flaw: IdTokenFlaw };

export type FaultPlan = {
  /** A Web API method, or `*` for any. */
  method: string;
  /** Only calls for this workspace or org. */
  teamId?: string;
  /** How many calls fail; 1 by default. */
  times?: number;
  /** How many matching calls succeed first; 0 by default. */
  after?: number;
  failure: Failure;
};

export function createFaults() {
  let plans: Required<Omit<FaultPlan, 'teamId'>>[] & FaultPlan[] = [];
  const latencies = new Map<string, number>();
  const fits = (plan: FaultPlan, method: string, placeIds: readonly string[]) =>
    (plan.method === '*' || plan.method === method) && (!plan.teamId || placeIds.includes(plan.teamId));

  return {
    /** The next matching calls fail; plans are used up in the order they were added. */
    add: (plan: FaultPlan) => void plans.push({ ...plan, times: plan.times ?? 1, after: plan.after ?? 0 }),
    /** The plans that are not used up yet. */
    list: (): FaultPlan[] => plans.map((plan) => ({ ...plan })),
    /** Uses up and returns the failure planned for a call, if there is one. */
    take(method: string, placeIds: readonly string[]): Failure | undefined {
      for (const plan of plans) {
        if (!fits(plan, method, placeIds)) continue;
        if (plan.after > 0) {
          plan.after -= 1;
          continue;
        }
        plan.times -= 1;
        if (plan.times <= 0) plans = plans.filter((each) => each !== plan);
        return plan.failure;
      }
      return undefined;
    },
    /** How long each call of a method (or `*`) takes, in milliseconds; 0 turns it off. */
    setLatency(method: string, delayMs: number): void {
      if (delayMs > 0) latencies.set(method, delayMs);
      else latencies.delete(method);
    },
    latencyOf: (method: string): number => latencies.get(method) ?? latencies.get('*') ?? 0,
    latencies: (): Record<string, number> => Object.fromEntries(latencies),
    clear(): void {
      plans = [];
      latencies.clear();
    },
  };
}

export type Faults = ReturnType<typeof createFaults>;
