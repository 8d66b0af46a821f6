import type { Step } from '../step.ts';

export const notifyOperators: Step<null> = {
  name: 'notify-operators',
  required: false,
  timeLimitMs: 20_000,
  maxAttempts: 5,
  async run() {
    return null;
  },
};
