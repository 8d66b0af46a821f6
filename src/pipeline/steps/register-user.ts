import { registeredTeamId } from '../../database/installations/install-record.ts';
import { registerUser as registerUserRows } from '../../database/people/register-user.ts';
import type { Step } from '../step.ts';

/** The registered installer. */
export type RegisteredUser = {
  userId: string;
  /** Whether the app had never met them before this install. */
  created: boolean;
};

/**
 * Gets or creates the installer, and their membership of the team.
 *
 * Safe to run twice: somebody new is first seen at the time of the run, which does not change, so a second time tells
 * `created` as the first did.
 */
export const registerUser: Step<RegisteredUser> = {
  name: 'register-user',
  required: true,
  timeLimitMs: 10_000,
  maxAttempts: 5,
  async run(context) {
    const { clientId, userId, runCreatedAt, services } = context;
    const { firstSeenAt } = await registerUserRows(services.database, {
      clientId,
      teamId: registeredTeamId(context),
      userId,
      seenAt: runCreatedAt,
      now: context.now(),
    });
    return { userId, created: firstSeenAt === runCreatedAt };
  },
};
