import type { PipelineDeps } from './run-pipeline.ts';

/** What a worker needs. */
export interface WorkerDeps extends PipelineDeps {
  /** How many runs are worked at once; 4 unless told. */
  concurrency?: number;
  /** How long a claimed run stays ours without a sign of life; 30,000 unless told. */
  leaseMs?: number;
  /** How often runs that other processes queued are looked for; 2,000 unless told. */
  pollMs?: number;
}

/** Works the runs of this process. */
export interface Worker {
  /** Frees what dead processes of this machine left behind, and begins to claim runs. */
  start(): void;
  /** Looks for work at once: called after an install was stored, a run was queued, or one was cancelled. */
  wake(): void;
  /** Claims nothing more, and resolves within `drainMs`: running steps end, or are handed back to be done again. */
  stop(options: { drainMs: number }): Promise<void>;
}

/** Makes the worker; nothing happens before `start`. */
export function createWorker(_deps: WorkerDeps): Worker {
  throw new Error('not built yet');
}
