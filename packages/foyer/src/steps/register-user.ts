import { registeredTeamId } from '../database/install-record.ts';
import { recordUser } from '../database/people.ts';
import type { RecordingStep } from '../pipeline/step.ts';

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
export const registerUser: RecordingStep<RegisteredUser> = {
  name: 'register-user',
  title: { todo: 'Register the person who installs', doing: 'Registering the person who installs' },
  required: true,
  maxAttempts: 5,
  async write(transaction, facts) {
    const { clientId, userId, runCreatedAt } = facts;
    const { firstSeenAt } = await recordUser(transaction, {
      clientId,
      teamId: registeredTeamId(facts),
      userId,
      seenAt: runCreatedAt,
      now: facts.now(),
    });
    return { userId, created: firstSeenAt === runCreatedAt };
  },
};
