import type { Exchange } from '../http/exchange.ts';
import { readSignedIn, type SignedIn } from '../oauth/signed-in.ts';
import type { Platform } from '../platform.ts';
import { directMessage, homeViewOf, installationAt, installationServing, peopleOf } from '../world/find.ts';
import type { Conversation, Installation, Person, Role, View, Workspace } from '../world/records.ts';
import type { Reader } from './slack-date.ts';

/** One person looking at one workspace. */
export type Visit = {
  platform: Platform;
  signedIn: SignedIn;
  workspace: Workspace;
  person: Person;
  role: Role;
  /** The installation that currently serves this workspace. Null if there is none. */
  installation: Installation | null;
  /** The org's installation, even if it has no access to this workspace; null if there is none. */
  orgInstallation: Installation | null;
  /** The DM with the app, which survives an uninstall; null if it was never opened. */
  conversation: Conversation | null;
  homeView: View | null;
  reader: Reader;
};

/**
 * Finds the visitor of a workspace by the sandbox's cookie. Returns undefined if the workspace does not exist or has no
 * active member.
 */
export function readVisit(platform: Platform, { cookies }: Exchange, teamId: string): Visit | undefined {
  const { world, clock, app } = platform;
  const signedIn = { ...readSignedIn(world, cookies), teamId };
  const workspace = world.workspaces.get(teamId);
  const person = world.people.get(signedIn.userIdByTeam[teamId] ?? '');
  if (!workspace || !person) return undefined;
  const { enterpriseId } = workspace;
  const installation = installationServing(world, workspace) ?? null;
  const bots = [...world.botIdentities].filter(([key]) => key === teamId || key === enterpriseId);
  const botUserId = installation?.botUserId ?? bots.at(-1)?.[1].botUserId;
  return {
    platform,
    signedIn,
    workspace,
    person,
    role: person.roles[teamId] ?? 'member',
    installation,
    orgInstallation: (enterpriseId && installationAt(world, { teamId: null, enterpriseId })) || null,
    conversation: (botUserId && directMessage(world, botUserId, person.id)) || null,
    homeView: (installation && homeViewOf(world, installation, person.id)) ?? null,
    reader: {
      timeZone: person.timeZone,
      // The pages are in English. A reader with an English locale keeps that locale's order of day and month.
      locale: person.locale.startsWith('en') ? person.locale : 'en-GB',
      nowMs: clock.now(),
      names: [
        ...peopleOf(world, { teamId: enterpriseId ? null : teamId, enterpriseId }).map(
          ({ id, realName }) => ({ id, name: realName }),
        ),
        ...bots.map(([, bot]) => ({ id: bot.botUserId, name: app.settings.botName })),
      ],
      channels: [...world.conversations.values()].flatMap(({ id, name, teamId: at }) =>
        name && at === teamId ? [{ id, name }] : [],
      ),
    },
  };
}
