import type { IncomingWebhookSendArguments } from '@slack/webhook';
import { registeredTeamId } from '../database/install-record.ts';
import { escapeMrkdwn, mrkdwnCode } from '../slack/escape-mrkdwn.ts';
import type { StepContext } from './step.ts';
import { fetchProfile } from './steps/fetch-profile.ts';
import { registerTeam } from './steps/register-team.ts';
import { registerUser } from './steps/register-user.ts';

/** What the operators are told of a run: who, where, new or known, and what failed. */
export function operatorMessage(
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
): IncomingWebhookSendArguments {
  const profile = context.output(fetchProfile);
  const appName = escapeMrkdwn(context.services.config.app.name, 80);
  const placeId = registeredTeamId(context);
  const place = profile?.team?.name ?? context.teamName ?? context.enterpriseName ?? placeId;
  const person = profile?.user?.realName ?? profile?.user?.name ?? context.userId;
  const what = context.isEnterpriseInstall ? 'organisation' : 'team';
  const headline =
    `*${escapeMrkdwn(person, 200)}* installed ${appName} in *${escapeMrkdwn(place, 200)}*` +
    `${context.isEnterpriseInstall ? ' (org-wide)' : ''}.`;
  const facts = [
    `${newOrKnown(context.output(registerTeam))} ${what} ${mrkdwnCode(placeId)}`,
    `${newOrKnown(context.output(registerUser)).toLowerCase()} user ${mrkdwnCode(context.userId)}`,
    `run ${mrkdwnCode(context.runId)}`,
  ].join(' · ');
  const troubles = context.earlierSteps
    .filter((step) => step.status === 'failed' || step.status === 'unconfirmed')
    .map((step) => `• ${mrkdwnCode(step.name)} ${step.status}: ${mrkdwnCode(step.errorCode ?? 'unknown')}`);
  const text = [headline, facts, ...troubles].join('\n');
  return {
    text,
    blocks: [{ type: 'section', text: { type: 'mrkdwn', text, verbatim: true } }],
    unfurl_links: false,
    unfurl_media: false,
  };
}

function newOrKnown(registered: { created: boolean } | null): string {
  if (registered === null) return 'Unregistered';
  return registered.created ? 'New' : 'Known';
}
