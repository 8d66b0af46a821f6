import type { SandboxClock } from '../clock.ts';

/** Message timestamps: seconds with six decimals, from the sandbox's clock, never the same twice in a row. */
export function createTsCounter({ clock }: { clock: SandboxClock }): { next(): string; reset(): void } {
  let last = 0;
  return {
    next() {
      const now = Math.floor(clock.now()) * 1000;
      // Each timestamp is higher than the one before, except after the clock was set back by more than a second.
      last = now > last || last - now > 1_000_000 ? now : last + 1;
      return `${Math.floor(last / 1_000_000)}.${String(last % 1_000_000).padStart(6, '0')}`;
    },
    reset() {
      last = 0;
    },
  };
}
