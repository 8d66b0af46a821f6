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

/** Jumps to the time at which a resting run falls due; returns by how many milliseconds, 0 where none rests. */
export async function jumpToNextTry(clock: JumpClock, database: StageDatabase): Promise<number> {
  const [row] = await database.rows<{ due: number | null }>(
    "select min(due_at) as due from runs where status in ('waiting', 'queued') and due_at is not null and finished_at is null",
  );
  const aheadMs = row?.due == null ? 0 : row.due - clock.now();
  if (aheadMs <= 0) return 0;
  clock.jump(aheadMs);
  return aheadMs;
}
