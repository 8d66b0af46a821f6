import type { Platform } from '../platform.ts';
import { directMessage, homeViewOf, installationServing } from '../world/find.ts';
import type {
  Conversation,
  Enterprise,
  Installation,
  Person,
  Role,
  Token,
  View,
  Workspace,
} from '../world/records.ts';

export type PersonState = Person & {
  role: Role;
  /** The DM with the app, with its messages; null if it was never opened. */
  directMessage: Conversation | null;
  homeView: View | null;
};

export type WorkspaceState = Workspace & {
  /** The installation that currently serves the workspace: its own or the org's. Null if there is none. */
  installationId: string | null;
  channels: Conversation[];
  people: PersonState[];
};

export type InstallationState = Installation & { tokens: Token[] };

/** Everything that the sandbox has stored, as plain data. */
export type SandboxState = {
  /** The sandbox's time, in milliseconds. */
  now: number;
  app: { id: string; name: string; clientId: string; eventUrl: string | null };
  enterprises: Enterprise[];
  workspaces: WorkspaceState[];
  /** All installations, including uninstalled ones, oldest first. */
  installations: InstallationState[];
  approvalRequests: Platform['world']['approvalRequests'];
};

export function readState(platform: Platform): SandboxState {
  const { world, app, clock } = platform;
  const tokens = [...world.tokens.values()];
  return {
    now: clock.now(),
    app: { id: app.id, name: app.settings.name, clientId: app.clientId, eventUrl: app.settings.eventUrl },
    enterprises: [...world.enterprises.values()],
    workspaces: [...world.workspaces.values()].map((workspace) => workspaceState(platform, workspace)),
    installations: [...world.installations.values()].map((installation) => ({
      ...installation,
      tokens: tokens.filter((token) => token.installationId === installation.id),
    })),
    approvalRequests: [...world.approvalRequests],
  };
}

function workspaceState({ world }: Platform, workspace: Workspace): WorkspaceState {
  const installation = installationServing(world, workspace);
  const people = [...world.people.values()].flatMap((person): PersonState[] => {
    const role = person.roles[workspace.id];
    if (!role) return [];
    const bot = installation?.botUserId ?? botAt(world.botIdentities, workspace);
    return [
      {
        ...person,
        role,
        directMessage: (bot && directMessage(world, bot, person.id)) || null,
        homeView: (installation && homeViewOf(world, installation, person.id)) ?? null,
      },
    ];
  });
  const channels = [...world.conversations.values()].filter(
    (each) => each.kind === 'channel' && each.teamId === workspace.id,
  );
  return { ...workspace, installationId: installation?.id ?? null, channels, people };
}

/** The bot user that the app had in a workspace before the app was removed. The bot's DMs survive the removal. */
function botAt(
  identities: Platform['world']['botIdentities'],
  { id, enterpriseId }: Workspace,
): string | undefined {
  return (identities.get(id) ?? identities.get(enterpriseId ?? ''))?.botUserId;
}
