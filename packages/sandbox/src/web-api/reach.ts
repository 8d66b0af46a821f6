import { peopleOf } from '../world/find.ts';
import type { Conversation, Person, Workspace } from '../world/records.ts';
import type { Call } from './method.ts';
import { Refusal } from './refusal.ts';

/** The workspaces that a token may act in: its own or, for an org-wide install, those where the app has access. */
export function reachableWorkspaces({ platform: { world }, installation }: Call): Workspace[] {
  const ids = installation.isEnterpriseInstall ? installation.grantedTeamIds : [installation.teamId ?? ''];
  return ids.flatMap((id) => world.workspaces.get(id) ?? []);
}

/**
 * The workspace that a call is about. A call with an org-wide token may name the workspace in `team_id`, and must do so
 * if `isTeamIdNeeded`. Without `team_id`, the call is about the first workspace in reach.
 * Throws `missing_argument`, `invalid_team_id` (no such workspace) or `team_access_not_granted`.
 */
export function workspaceOf(call: Call, { isTeamIdNeeded = false } = {}): Workspace {
  const reachable = reachableWorkspaces(call);
  const teamId = call.installation.isEnterpriseInstall ? call.args.text('team_id') : undefined;
  if (teamId && !call.platform.world.workspaces.has(teamId)) throw new Refusal('invalid_team_id');
  if (!teamId && call.installation.isEnterpriseInstall && isTeamIdNeeded) {
    throw new Refusal('missing_argument', {
      response_metadata: { messages: ['[ERROR] missing required field: team_id'] },
    });
  }
  const workspace = teamId ? reachable.find((each) => each.id === teamId) : reachable[0];
  if (!workspace) throw new Refusal('team_access_not_granted');
  return workspace;
}

/**
 * Returns the person, and one of the person's workspaces in which the token may act. If there is no such workspace,
 * throws `code`, or `team_access_not_granted` if the install is org-wide and the person belongs to its org.
 */
export function personInReach(
  call: Call,
  userId: string,
  code = 'user_not_found',
): { person: Person; workspace: Workspace } {
  const { world } = call.platform;
  const person = world.people.get(userId);
  const teamId = call.installation.isEnterpriseInstall ? call.args.text('team_id') : undefined;
  const reachable = teamId ? [workspaceOf(call)] : reachableWorkspaces(call);
  const workspace = person && reachable.find((each) => person.roles[each.id]);
  if (person && workspace) return { person, workspace };
  const isInOrg = person && peopleOf(world, { ...call.installation, teamId: null }).includes(person);
  if (isInOrg && call.installation.isEnterpriseInstall) throw new Refusal('team_access_not_granted');
  throw new Refusal(code);
}

/** A conversation that the token can see. Throws `channel_not_found` otherwise. */
export function conversationInReach(call: Call, id: string): Conversation {
  const { platform, token } = call;
  const conversation = platform.world.conversations.get(id);
  const isReachable = reachableWorkspaces(call).some((each) => each.id === conversation?.teamId);
  const isMine = conversation?.kind === 'channel' || conversation?.memberIds.includes(token.userId);
  if (!conversation || !isReachable || !isMine) throw new Refusal('channel_not_found');
  return conversation;
}
