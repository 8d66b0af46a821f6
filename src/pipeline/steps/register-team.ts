import type { Step } from '../step.ts';

export const registerTeam: Step<null> = {
  name: 'register-team',
  required: true,
  timeLimitMs: 20_000,
  maxAttempts: 5,
  async run() {
    return null;
  },
};
