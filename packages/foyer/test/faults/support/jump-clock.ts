import type { StageDatabase } from '../../support/stage-database.ts';

/** A clock that runs with the real one, and can jump. */
export interface JumpClock {
  now: () => number;
  jump(byMs: number): void;
}

/** Makes a clock that shows real time until it jumps. */
export function createJumpClock(): JumpClock {
  let offset = 0;
  return {
    now: () => Date.now() + offset,
    jump(byMs) {
      offset += byMs;
    },
  };
}

/** What a look at the runs found. */
export interface RunsSeen {
  /** How many are not over. */
  open: number;
  /** When the resting run that was jumped to fell due; absent where none rests for a time that is still to come. */
  jumpedTo?: number;
}

/** Jumps to the time at which a resting run falls due. */
export async function jumpToNextTry(clock: JumpClock, database: StageDatabase): Promise<RunsSeen> {
  const [row] = await database.rows<{ open: number; due: number | null }>(
    "select count(*) as open, min(case when status in ('waiting', 'queued') then due_at end) as due from runs where finished_at is null",
  );
  const { open = 0, due = null } = row ?? {};
  const aheadMs = due === null ? 0 : due - clock.now();
  if (due === null || aheadMs <= 0) return { open };
  clock.jump(aheadMs);
  return { open, jumpedTo: due };
}
