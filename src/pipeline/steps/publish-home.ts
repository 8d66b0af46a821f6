import type { Step } from '../step.ts';

export const publishHome: Step<null> = {
  name: 'publish-home',
  required: false,
  timeLimitMs: 20_000,
  maxAttempts: 5,
  async run() {
    return null;
  },
};
