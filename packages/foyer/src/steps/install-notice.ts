import { registeredTeamId } from '../database/install-record.ts';
import { type OperatorMessage, troubleLine } from '../notices/operator-message.ts';
import type { StepContext } from '../pipeline/step.ts';
import { fetchProfile } from './fetch-profile.ts';
import { registerTeam } from './register-team.ts';
import { registerUser } from './register-user.ts';

/** What operators are told about an install: who, where, new or known, and what failed. */
export function installNotice(
  context: Pick<
    StepContext,
    | 'services'
    | 'runId'
    | 'userId'
    | 'teamId'
    | 'teamName'
    | 'enterpriseId'
    | 'enterpriseName'
    | 'isEnterpriseInstall'
    | 'earlierSteps'
    | 'output'
  >,
): OperatorMessage {
  const profile = context.output(fetchProfile);
  const appName = context.services.config.app.name;
  const placeId = registeredTeamId(context);
  const place = profile?.team?.name ?? context.teamName ?? context.enterpriseName ?? placeId;
  const person = profile?.user?.realName ?? profile?.user?.name ?? context.userId;
  const team = newOrKnown(context.output(registerTeam));
  const user = newOrKnown(context.output(registerUser)).toLowerCase();
  const troubles = context.earlierSteps.filter(
    ({ status }) => status === 'failed' || status === 'unconfirmed',
  );
  const failed = troubles.some(({ status }) => status === 'failed') ? ', and a step failed' : '';
  return {
    subject: `[${appName}] ${person} installed it in ${place} (${team.toLowerCase()} team, ${user} user${failed})`,
    lines: [
      [
        { bold: person },
        ' installed ',
        { name: appName },
        ' in ',
        { bold: place },
        context.isEnterpriseInstall ? ' (org-wide).' : '.',
      ],
      [
        `${team} ${context.isEnterpriseInstall ? 'organisation' : 'team'} `,
        { code: placeId },
        ` · ${user} user `,
        { code: context.userId },
        ' · run ',
        { code: context.runId },
      ],
      ...troubles.slice(0, 15).map(troubleLine),
    ],
  };
}

function newOrKnown(registered: { created: boolean } | null): string {
  if (registered === null) return 'Unregistered';
  return registered.created ? 'New' : 'Known';
}
