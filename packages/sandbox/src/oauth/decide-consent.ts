import { digits, secretHex } from '../ids.ts';
import type { Platform } from '../platform.ts';
import { placeOf } from '../world/find.ts';
import type { Person, Place, Role } from '../world/records.ts';
import { type AuthorizeRequest, optionalScopes } from './authorize-request.ts';

/** How long an app can exchange a code. Source: docs.slack.dev/authentication/installing-with-oauth */
export const codeLifetimeMs = 10 * 60_000;

/** What a person decided on the consent page. */
export type ConsentChoice = {
  request: AuthorizeRequest;
  userId: string;
  /** A workspace's id, or an org's id for an install in the whole org. */
  placeId: string;
  decision: 'allow' | 'cancel';
  declinedScopes: readonly string[];
};

export type ConsentOutcome =
  | { kind: 'redirect'; location: string }
  | { kind: 'approval-requested' }
  | { kind: 'refused'; explanation: string };

/** Carries out a person's decision: a redirect with a code or an error, a request to the admins, or a refusal. */
export function decideConsent(platform: Platform, choice: ConsentChoice): ConsentOutcome {
  const { world, app, activity } = platform;
  const { request, decision } = choice;
  const person = world.people.get(choice.userId);
  const place = placeOf(world, choice.placeId);
  if (!person || !place) return refused('There is no such person or workspace.');
  if (app.isSuspended) return refused('Slack has suspended this app.');
  const told = { teamId: place.teamId, enterpriseId: place.enterpriseId, userId: person.id };
  if (decision === 'cancel') {
    activity.tell({ kind: 'consent-cancelled', ...told });
    return { kind: 'redirect', location: backTo(request, { error: 'access_denied' }) };
  }
  if (isForeign(platform, place)) {
    const location = backTo(request, { error: 'invalid_team_for_non_distributed_app' });
    return { kind: 'redirect', location };
  }
  const obstacle = obstacleFor(platform, person, place);
  if (obstacle) return obstacle;
  const declined = choice.declinedScopes.filter((scope) =>
    optionalScopes(app.settings, request).includes(scope),
  );
  const code = issueCode(platform, request, person, place, declined);
  activity.tell({ kind: 'consent-allowed', ...told });
  return { kind: 'redirect', location: backTo(request, { code }) };
}

function refused(explanation: string): ConsentOutcome {
  return { kind: 'refused', explanation };
}

/** Whether public distribution is off and the place is neither the app's own workspace nor that workspace's org. */
export function isForeign({ world, app }: Platform, place: Place): boolean {
  if (app.onlyTeamId === null) return false;
  if (place.teamId !== null) return place.teamId !== app.onlyTeamId;
  return world.workspaces.get(app.onlyTeamId)?.enterpriseId !== place.enterpriseId;
}

function obstacleFor(platform: Platform, person: Person, place: Place): ConsentOutcome | undefined {
  const { world, app } = platform;
  const { teamId } = place;
  if (teamId === null) {
    if (!app.settings.isOrgDeployEnabled)
      return refused('This app cannot be installed in a whole organization.');
    return person.isOrgAdmin
      ? undefined
      : refused('Only an org admin can install an app in the whole organization.');
  }
  const role = person.roles[teamId];
  if (person.isDeactivated) return refused(`The account of ${person.realName} was deactivated.`);
  if (!role) return refused(`${person.realName} is not a member of this workspace.`);
  if (!needsApproval(platform, person, teamId)) return undefined;
  if (!world.approvalRequests.some((each) => each.teamId === teamId && each.userId === person.id)) {
    world.approvalRequests.push({ teamId, userId: person.id, at: platform.clock.now(), isApproved: false });
    platform.activity.tell({ kind: 'approval-requested', teamId, userId: person.id });
  }
  return { kind: 'approval-requested' };
}

/** Whether a person must ask the workspace's admins before the app is installed there. */
export function needsApproval({ world }: Platform, person: Person, teamId: string): boolean {
  if (!world.workspaces.get(teamId)?.requiresApproval || !isBelowAdmin(person.roles[teamId])) return false;
  return !world.approvalRequests.some((each) => each.teamId === teamId && each.isApproved);
}

function isBelowAdmin(role: Role | undefined): boolean {
  return role === 'member' || role === 'guest';
}

function issueCode(
  { world, clock }: Platform,
  request: AuthorizeRequest,
  person: Person,
  place: Place,
  declined: readonly string[],
): string {
  const granted = (scopes: readonly string[]) => scopes.filter((scope) => !declined.includes(scope));
  const value = `${digits(12)}.${digits(13)}.${secretHex(32)}`;
  world.codes.set(value, {
    value,
    place,
    isEnterpriseInstall: place.teamId === null,
    userId: person.id,
    botScopes: granted(request.botScopes),
    userScopes: granted(request.userScopes),
    redirectUri: request.redirectUri,
    expiresAt: clock.now() + codeLifetimeMs,
    isUsed: false,
  });
  return value;
}

/** The redirect address with Slack's parameters. Like Slack, returns `state` even if it is empty. */
export function backTo(
  request: Pick<AuthorizeRequest, 'returnTo' | 'state'>,
  parameters: Record<string, string>,
): string {
  const location = new URL(request.returnTo);
  for (const [name, value] of Object.entries(parameters)) location.searchParams.set(name, value);
  location.searchParams.set('state', request.state ?? '');
  return location.href;
}
