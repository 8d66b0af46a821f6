import { randomUUID } from 'node:crypto';
import type { Failure } from '../control/faults.ts';

/** One Web API call and its answer. */
export type LoggedCall = {
  id: string;
  /** The sandbox's time. */
  at: number;
  method: string;
  teamId: string | null;
  enterpriseId: string | null;
  /** As sent, without `token`; JSON arguments of forms are left as text. */
  arguments: Record<string, unknown>;
  token: string | null;
  status: number | null;
  /** The answer; null if the connection was cut. */
  answer: Record<string, unknown> | null;
  /** Whether the method took effect, regardless of what the caller received. */
  wasActedUpon: boolean;
  fault: Failure['type'] | null;
  ms: number | null;
};

export type CallLog = {
  begin(method: string, at: number): LoggedCall;
  /** Oldest first; of one method if given. */
  list(method?: string): LoggedCall[];
  clear(): void;
};

/** Remembers the last `kept` calls. */
export function createCallLog({ kept = 5000 }: { kept?: number } = {}): CallLog {
  let calls: LoggedCall[] = [];
  return {
    begin(method, at) {
      const nothingYet = {
        teamId: null,
        enterpriseId: null,
        token: null,
        status: null,
        answer: null,
        fault: null,
        ms: null,
      };
      const call: LoggedCall = {
        id: randomUUID(),
        at,
        method,
        arguments: {},
        wasActedUpon: false,
        ...nothingYet,
      };
      calls.push(call);
      if (calls.length > kept * 1.2) calls = calls.slice(-kept);
      return call;
    },
    list: (method) => calls.filter((call) => !method || call.method === method),
    clear() {
      calls = [];
    },
  };
}
