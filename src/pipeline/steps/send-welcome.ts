import type { Step } from '../step.ts';

export const sendWelcome: Step<null> = {
  name: 'send-welcome',
  required: false,
  timeLimitMs: 20_000,
  maxAttempts: 5,
  async run() {
    return null;
  },
};
