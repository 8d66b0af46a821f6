import { stringifySetCookie } from 'cookie';
import type { World } from '../world/world.ts';

/** The sign-ins of one browser: the current workspace, and for each workspace the person who is signed in to it. */
export type SignedIn = { teamId: string; userIdByTeam: Record<string, string> };

const cookieName = 'sandbox_signed_in';

/**
 * Reads the sandbox's cookie. If a workspace's person is missing or invalid, uses the workspace's first active member.
 */
export function readSignedIn(world: World, cookies: Record<string, string | undefined>): SignedIn {
  const chosen = new URLSearchParams(cookies[cookieName] ?? '');
  const userIdByTeam: Record<string, string> = {};
  for (const teamId of world.workspaces.keys()) {
    const members = [...world.people.values()].filter(
      (person) => person.roles[teamId] && !person.isDeactivated,
    );
    const wanted = members.find((person) => person.id === chosen.get(teamId));
    userIdByTeam[teamId] = (wanted ?? members[0])?.id ?? '';
  }
  const current = chosen.get('current') ?? '';
  const [firstTeamId = ''] = world.workspaces.keys();
  return { teamId: world.workspaces.has(current) ? current : firstTeamId, userIdByTeam };
}

/**
 * Applies an address's `?team=` and `?user=`. If the address names only a person, and that person is not in the current
 * workspace, the browser switches to the person's first workspace.
 */
export function withOverrides(world: World, signedIn: SignedIn, query: URLSearchParams): SignedIn {
  const person = world.people.get(query.get('user') ?? '');
  const asked = world.workspaces.get(query.get('team') ?? '');
  const teamId =
    asked?.id ?? (person && !person.roles[signedIn.teamId] ? Object.keys(person.roles)[0] : undefined);
  const switched: SignedIn = {
    teamId: teamId ?? signedIn.teamId,
    userIdByTeam: { ...signedIn.userIdByTeam },
  };
  for (const id of Object.keys(person?.roles ?? {})) switched.userIdByTeam[id] = person?.id ?? '';
  return switched;
}

/** A `Set-Cookie` value that remembers who is signed in. */
export function signedInCookie({ teamId, userIdByTeam }: SignedIn): string {
  const value = new URLSearchParams({ ...userIdByTeam, current: teamId }).toString();
  return stringifySetCookie({ name: cookieName, value, path: '/', httpOnly: true, sameSite: 'lax' });
}
