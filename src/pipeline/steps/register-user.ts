import type { Step } from '../step.ts';

export const registerUser: Step<null> = {
  name: 'register-user',
  required: true,
  timeLimitMs: 20_000,
  maxAttempts: 5,
  async run() {
    return null;
  },
};
