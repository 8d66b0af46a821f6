import type { ControlOptions, Failure } from './control-bodies.ts';

export type FaultPlan = ControlOptions<'fault'>;

export function createFaults() {
  let plans: Required<Omit<FaultPlan, 'teamId'>>[] & FaultPlan[] = [];
  const latencies = new Map<string, number>();
  const fits = (plan: FaultPlan, method: string, placeIds: readonly string[]) =>
    (plan.method === '*' || plan.method === method) && (!plan.teamId || placeIds.includes(plan.teamId));

  return {
    /** Makes the next matching calls fail. If several plans match a call, the one added first applies. */
    add: (plan: FaultPlan): void =>
      void plans.push({ ...plan, times: plan.times ?? 1, after: plan.after ?? 0 }),
    /** Returns the plans that will make further calls fail. */
    list: (): FaultPlan[] => plans.map((plan) => ({ ...plan })),
    /** Returns the failure planned for a call, if there is one, and counts the call as failed. */
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
    /** Delays each call of a method (or `*`) by this many milliseconds; 0 turns the delay off. */
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
