import { registeredTeamId } from '../database/install-record.ts';
import { recordTeam } from '../database/teams.ts';
import type { RecordingStep } from '../pipeline/step.ts';

/** The registered team: for an org-wide install, its enterprise. */
export type RegisteredTeam = {
  teamId: string;
  /** Whether the app meets it for the first time in this install. */
  created: boolean;
};

/**
 * Gets or creates the team.
 *
 * Safe to run twice: a new team's first-seen time is that of the run, which does not change, so `created` is the same
 * both times.
 */
export const registerTeam: RecordingStep<RegisteredTeam> = {
  name: 'register-team',
  title: { todo: 'Register the workspace', doing: 'Registering the workspace' },
  required: true,
  maxAttempts: 5,
  async write(transaction, facts) {
    const { clientId, enterpriseId, isEnterpriseInstall, runCreatedAt } = facts;
    const teamId = registeredTeamId(facts);
    const { firstSeenAt } = await recordTeam(transaction, {
      clientId,
      teamId,
      name: isEnterpriseInstall ? facts.enterpriseName : facts.teamName,
      enterpriseId,
      seenAt: runCreatedAt,
      now: facts.now(),
    });
    return { teamId, created: firstSeenAt === runCreatedAt };
  },
};
