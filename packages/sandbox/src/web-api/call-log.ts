import { randomUUID } from 'node:crypto';
import type { Failure } from '../control/control-bodies.ts';

/** One Web API call and its answer. */
export type LoggedCall = {
  id: string;
  /** The sandbox's time, in milliseconds. */
  at: number;
  method: string;
  teamId: string | null;
  enterpriseId: string | null;
  /** The arguments as sent, without `token`. In a form, an argument that contains JSON stays text. */
  arguments: Record<string, unknown>;
  token: string | null;
  status: number | null;
  /** The JSON answer; null before it is sent, if it was never sent, or if the answer is not JSON. */
  answer: Record<string, unknown> | null;
  /** Whether the method took effect, regardless of what the caller received. */
  wasActedUpon: boolean;
  fault: Failure['type'] | null;
  ms: number | null;
};

/** Remembers at least the last `kept` calls. */
export function createCallLog({ kept = 5000 }: { kept?: number } = {}) {
  let calls: LoggedCall[] = [];
  return {
    begin(method: string, at: number): LoggedCall {
      const call: LoggedCall = {
        id: randomUUID(),
        at,
        method,
        arguments: {},
        wasActedUpon: false,
        teamId: null,
        enterpriseId: null,
        token: null,
        status: null,
        answer: null,
        fault: null,
        ms: null,
      };
      calls.push(call);
      if (calls.length > kept * 1.2) calls = calls.slice(-kept);
      return call;
    },
    /** The calls, oldest first. If `method` is given, only its calls. */
    list: (method?: string): LoggedCall[] => calls.filter((call) => !method || call.method === method),
    clear(): void {
      calls = [];
    },
  };
}

export type CallLog = ReturnType<typeof createCallLog>;
