import type { SpanContext } from '@opentelemetry/api';
import type { Database } from '../database/database.ts';
import { findRequestOfRun } from '../database/install-requests.ts';
import type { RunRow } from '../database/records.ts';

/** Where a run came from: the OAuth attempt whose callback stored it. */
export interface RunOrigin {
  /** The id of the install request, as failure pages show it. */
  requestId: string;
  /** When the callback came, in milliseconds since 1970. */
  callbackAt: number;
  /** The trace of the callback; only the process that stored the run knows it. */
  trace?: SpanContext;
}

/** Knows the origins of runs. */
export interface RunOrigins {
  /** Keeps the origin of a run that this process has just stored. */
  remember(runId: string, origin: RunOrigin): void;
  /** Finds a run's origin; undefined if no install request led to it. @throws DatabaseUnavailableError */
  find(run: Pick<RunRow, 'id' | 'created_at' | 'pipeline'>): Promise<RunOrigin | undefined>;
  /** Forgets a run that has ended. */
  forget(runId: string): void;
}

/** Runs that wait for days, or that another process takes, are not remembered: the database knows them too. */
const mostRemembered = 1000;

/**
 * Makes the origins of runs. Why in memory: an install's run usually starts in the process that stored it, a moment
 * later, and needs no query. Any other process, and a run after a restart, asks the database.
 */
export function createRunOrigins(deps: { database: Database; clientId: string }): RunOrigins {
  const remembered = new Map<string, RunOrigin>();
  return {
    remember(runId, origin) {
      remembered.set(runId, origin);
      const [oldest] = remembered.keys();
      if (remembered.size > mostRemembered && oldest !== undefined) remembered.delete(oldest);
    },
    async find(run) {
      const known = remembered.get(run.id);
      if (known || run.pipeline !== 'install') return known;
      const { clientId } = deps;
      const search = { clientId, runId: run.id, storedAt: run.created_at };
      const request = await findRequestOfRun(deps.database.queries, search);
      return request && { requestId: request.id, callbackAt: request.started_at };
    },
    forget: (runId) => void remembered.delete(runId),
  };
}
