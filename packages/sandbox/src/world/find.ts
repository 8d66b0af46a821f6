import type { Conversation, Installation, Person, Place, Token, View, Workspace } from './records.ts';
import type { World } from './world.ts';

/** The people of a workspace, or of every workspace of an org. */
export function peopleOf(world: World, place: Place): Person[] {
  const teamIds = teamIdsOf(world, place);
  return [...world.people.values()].filter((person) => teamIds.some((id) => person.roles[id]));
}

/** The id of the workspace at a place; for a whole org, the ids of all its workspaces. */
export function teamIdsOf(world: World, { teamId, enterpriseId }: Place): string[] {
  if (teamId) return [teamId];
  return [...world.workspaces.values()]
    .filter((each) => each.enterpriseId === enterpriseId)
    .map((each) => each.id);
}

/** The key of a place: the org's id for an org-wide install, otherwise the workspace's. */
export function placeKey({ teamId, enterpriseId }: Place): string {
  return teamId ?? enterpriseId ?? '';
}

/** The org (E…) or workspace (T…) that has this id, as a place; undefined if there is none. */
export function placeOf(world: World, id: string): Place | undefined {
  if (world.enterprises.has(id)) return { teamId: null, enterpriseId: id };
  const workspace = world.workspaces.get(id);
  return workspace && { teamId: workspace.id, enterpriseId: workspace.enterpriseId };
}

/** The live installation made at exactly this place; undefined if there is none. */
export function installationAt(world: World, place: Place): Installation | undefined {
  return [...world.installations.values()].find(
    (each) => each.uninstalledAt === null && placeKey(each) === placeKey(place),
  );
}

/**
 * The live installation that serves a workspace. This is the org's installation if the org gave it access to the
 * workspace; otherwise the workspace's own, if any.
 */
export function installationServing(world: World, workspace: Workspace): Installation | undefined {
  const place = { teamId: null, enterpriseId: workspace.enterpriseId };
  const orgWide = workspace.enterpriseId ? installationAt(world, place) : undefined;
  if (orgWide?.grantedTeamIds.includes(workspace.id)) return orgWide;
  return installationAt(world, { teamId: workspace.id, enterpriseId: workspace.enterpriseId });
}

/** Returns an installation's tokens that were not revoked, also not by an uninstall. They may have expired. */
export function liveTokens(world: World, installationId: string): Token[] {
  return [...world.tokens.values()].filter(
    (token) => token.installationId === installationId && token.status === 'live',
  );
}

/** The DM between a bot user and a person, if it was ever opened. */
export function directMessage(world: World, botUserId: string, userId: string): Conversation | undefined {
  return [...world.conversations.values()].find(
    (each) => each.kind === 'im' && each.memberIds.includes(botUserId) && each.memberIds.includes(userId),
  );
}

/** The Home view that the app last published for a person; undefined if there is none. */
export function homeViewOf(world: World, installation: Installation, userId: string): View | undefined {
  return world.homeViews.get(`${installation.id}:${userId}`);
}
