import type { Step } from '../step.ts';

export const fetchProfile: Step<null> = {
  name: 'fetch-profile',
  required: false,
  timeLimitMs: 20_000,
  maxAttempts: 5,
  async run() {
    return null;
  },
};
