import { registeredTeamId } from '../../database/installations/install-record.ts';
import { registerTeam as registerTeamRow } from '../../database/people/register-team.ts';
import type { Step } from '../step.ts';

/** The registered team: for an org-wide install, its enterprise. */
export type RegisteredTeam = {
  teamId: string;
  /** Whether the app had never met it before this install. */
  created: boolean;
};

/**
 * Gets or creates the team.
 *
 * Safe to run twice: a new team is first seen at the time of the run, which does not change, so a second time tells
 * `created` as the first did.
 */
export const registerTeam: Step<RegisteredTeam> = {
  name: 'register-team',
  required: true,
  timeLimitMs: 10_000,
  maxAttempts: 5,
  async run(context) {
    const { clientId, enterpriseId, isEnterpriseInstall, runCreatedAt, services } = context;
    const teamId = registeredTeamId(context);
    const { firstSeenAt } = await registerTeamRow(services.database, {
      clientId,
      teamId,
      name: isEnterpriseInstall ? context.enterpriseName : context.teamName,
      enterpriseId,
      seenAt: runCreatedAt,
      now: context.now(),
    });
    return { teamId, created: firstSeenAt === runCreatedAt };
  },
};
