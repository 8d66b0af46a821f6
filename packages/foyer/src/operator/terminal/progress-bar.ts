import { Presets, SingleBar } from 'cli-progress';
import type { OutputStream } from './output.ts';
import { plainText } from './plain-text.ts';
import { spanText } from './time-text.ts';

/** The progress of long work. In `620 of 1,000 rows`, `done` is 620, `of` is 1,000, and `unit` is rows. */
export interface WorkProgress {
  doing: 'backing up' | 'copying' | 'comparing' | 'reading' | 're-encrypting';
  done: number;
  /** The total. Null if it is unknown: then no bar is shown. */
  of: number | null;
  unit: 'rows' | 'pages' | 'tokens' | 'entries';
}

/** Shows the progress of long work. Call it with null at the end, to remove the progress from the screen. */
export type ShowWork = (progress: WorkProgress | null) => void;

const number = (value: number): string => Math.round(value).toLocaleString('en-US');

/**
 * Returns `copying ■■■■■■    62 %  620 of 1,000 rows, 310/s, 2 s left`. The rate and the estimate appear after the
 * first second. They count only the work since `start`, because a copy may resume an earlier one.
 */
function progressText(
  { doing, done, of, unit }: WorkProgress,
  start: { done: number; elapsedMs: number },
  bar: string,
): string {
  const perSecond = start.elapsedMs < 1000 ? 0 : (done - start.done) / (start.elapsedMs / 1000);
  const rate = perSecond > 0 ? `, ${number(perSecond)}/s` : '';
  if (of === null) return `${doing} ${number(done)} ${unit}${rate}`;
  const share = of === 0 ? 1 : done / of;
  const left = rate && `, ${spanText(((of - done) / perSecond) * 1000)} left`;
  return `${doing} ${bar} ${Math.floor(share * 100)} %  ${number(done)} of ${number(of)} ${unit}${rate}${left}`;
}

/** Creates a progress bar with rate and estimate. Shows nothing if stderr is not a terminal. */
export function createProgressBar(stderr: OutputStream): ShowWork {
  if (!stderr.isTTY) return () => {};
  let shown: { bar: SingleBar; doing: WorkProgress['doing'] } | undefined;
  const end = (): void => {
    shown?.bar.stop();
    shown = undefined;
  };
  return (progress) => {
    if (progress === null) return end();
    const { done } = progress;
    const current = { ...progress, of: progress.of === null ? null : Math.max(progress.of, done) };
    if (shown?.doing !== current.doing) {
      end();
      const [startedAt, from] = [Date.now(), done];
      const bar = new SingleBar(
        {
          stream: stderr as NodeJS.WriteStream,
          clearOnComplete: true,
          // Without this, the first Ctrl+C would end the bar and not the command.
          gracefulExit: false,
          barsize: 24,
          format(options, { progress: share }, payload: WorkProgress) {
            const filled = Math.round(share * (options.barsize ?? 0));
            const line =
              (options.barCompleteString ?? '').slice(0, filled) +
              (options.barIncompleteString ?? '').slice(filled);
            const start = { done: from, elapsedMs: Date.now() - startedAt };
            return plainText(progressText(payload, start, line));
          },
        },
        Presets.rect,
      );
      bar.start(current.of ?? done, done, current);
      shown = { bar, doing: current.doing };
    }
    shown.bar.setTotal(current.of ?? done);
    shown.bar.update(done, current);
  };
}
