import type { StageDatabase } from '../../support/stage-database.ts';

/** A clock that runs at the speed of the real clock, and can jump. */
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

/** What `jumpToNextTry` found. */
export interface RunsSeen {
  /** How many runs are not finished. */
  open: number;
  /** The time to which the clock jumped; absent if it did not jump. */
  jumpedTo?: number;
}

/** Jumps to the time when the next waiting or queued run is due. Does not jump if that run is due already. */
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
