import { registeredTeamId } from '../database/install-record.ts';
import { recordUser } from '../database/people/people.ts';
import type { RecordingStep } from '../pipeline/step.ts';

/** The registered installer. */
export type RegisteredUser = {
  userId: string;
  /** Whether the app meets them for the first time in this install. */
  created: boolean;
};

/**
 * Gets or creates the installer, and their membership in the team.
 *
 * Safe to run twice: a new person's first-seen time is that of the run, which does not change, so `created` is the same
 * both times.
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
