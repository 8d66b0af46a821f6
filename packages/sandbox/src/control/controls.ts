import type { Delivery } from '../events/delivery.ts';
import { emitEvent, verifyEventUrl } from '../events/emit-event.ts';
import { newTrigger, type PressedIn, pressableElements, sendPress } from '../events/interactions.ts';
import { grantAccess, revokeAccess, revokeTokens, uninstall } from '../installs/end-installs.ts';
import { addMessage, openDirectMessage } from '../messages/conversations.ts';
import type { Platform } from '../platform.ts';
import { personJson } from '../web-api/users.ts';
import { addPerson, addWorkspace } from '../world/create-world.ts';
import { directMessage, homeViewOf, installationAt, installationServing, liveTokens } from '../world/find.ts';
import type { Installation, Message, Person, Place, Role, Workspace } from '../world/records.ts';
import type { ControlOptions } from './control-bodies.ts';

/** A person in a workspace. */
export type Whom = { teamId: string; userId: string };

/** Where an app is installed: a workspace, or a whole org. */
export type Where =
  | { teamId: string; enterpriseId?: undefined }
  | { enterpriseId: string; teamId?: undefined };

type PressOptions = ControlOptions<'press'>;

type Access = { enterpriseId: string; teamIds: string[] };

type Sent = Promise<Delivery | null>;

/** What people and admins do in Slack, for tests and the panel. An action throws if Slack would not offer it. */
export function createControls(platform: Platform) {
  const { world, activity } = platform;

  function installedAt(where: Where): Installation {
    const { teamId = null } = where;
    const enterpriseId = where.enterpriseId ?? null;
    const installation = installationAt(world, { teamId, enterpriseId });
    if (!installation) throw new Error(`The app is not installed in ${teamId ?? enterpriseId}.`);
    return installation;
  }

  function served({ teamId, userId }: Whom) {
    const workspace = world.workspaces.get(teamId);
    const person = world.people.get(userId);
    if (!workspace || !person?.roles[teamId]) throw new Error(`${userId} is not a member of ${teamId}.`);
    if (person.isDeactivated) throw new Error(`The account of ${userId} is deactivated.`);
    const installation = installationServing(world, workspace);
    if (!installation) throw new Error(`The app is not installed in ${workspace.name}.`);
    return { installation, workspace, person, place: placeIn(workspace) };
  }

  function pressedIn(installation: Installation, options: PressOptions): PressedIn {
    const { where = options.messageTs ? 'message' : 'home', messageTs, actionId, userId } = options;
    const conversation = directMessage(world, installation.botUserId, userId);
    if (where !== 'message') {
      const view = where === 'home' ? homeViewOf(world, installation, userId) : world.modals.get(userId);
      if (!view) throw new Error(`${userId} has no ${where === 'home' ? 'Home view' : 'modal'}.`);
      return { view };
    }
    const hasElement = (each: Message) =>
      pressableElements(each.blocks ?? []).some(({ element }) => element.action_id === actionId);
    const message = conversation?.messages.findLast((each) =>
      messageTs ? each.ts === messageTs : hasElement(each),
    );
    if (!conversation || !message)
      throw new Error(`${userId} has no message ${messageTs ?? `with the action_id ${actionId}`}.`);
    return { conversation, message };
  }

  return {
    /**
     * A person opens the app's Home (or Messages) tab. Returns null if the sandbox sends no event, for example because
     * the app does not subscribe to `app_home_opened`.
     */
    async openHome({ tab = 'home', ...whom }: Whom & { tab?: 'home' | 'messages' }): Sent {
      const { installation, workspace, person, place } = served(whom);
      const { conversation } = openDirectMessage(platform, installation, person, workspace);
      activity.tell({ kind: 'home-opened', teamId: workspace.id, userId: person.id, tab });
      const view = tab === 'home' ? homeViewOf(world, installation, person.id) : undefined;
      const event = { type: 'app_home_opened', user: person.id, channel: conversation.id, tab };
      const event_ts = platform.nextTs();
      return emitEvent(platform, { ...event, ...(view ? { view } : {}), event_ts }, { place, installation });
    },
    /**
     * A person presses Connect or Disconnect for the app in Slack's own interface. Returns null if the sandbox sends no
     * event, for example because the app does not subscribe to `user_connection`.
     * Source: docs.slack.dev/reference/events/user_connection
     */
    async requestConnection({ subtype, ...whom }: Whom & { subtype: 'connect' | 'disconnect' }): Sent {
      const { installation, workspace, person, place } = served(whom);
      const trigger = subtype === 'connect' ? { trigger_id: newTrigger(platform, person, workspace) } : {};
      const event = { type: 'user_connection', subtype, user: person.id, ...trigger };
      return emitEvent(platform, { ...event, event_ts: platform.nextTs() }, { place, installation });
    },
    /** A person presses a button, or chooses something. */
    async press(options: PressOptions): Promise<Delivery> {
      const { installation, workspace, person } = served(options);
      const where = pressedIn(installation, options);
      return sendPress(platform, { ...options, installation, workspace, person, where });
    },
    /**
     * A person writes to the app in their DM. Sends the event `message` if the app has `im:history` and subscribes to
     * `message.im`.
     */
    async sendMessage({ text, ...whom }: Whom & { text: string }) {
      const { installation, workspace, person, place } = served(whom);
      const { settings } = platform.app;
      if (!settings.isMessagesTabEnabled || settings.isMessagesTabReadOnly) {
        throw new Error('The app does not accept messages: its Messages tab is off or read-only.');
      }
      const { conversation } = openDirectMessage(platform, installation, person, workspace);
      const message = addMessage(platform, conversation, { userId: person.id, text });
      const { ts } = message;
      const inner = { type: 'message', user: person.id, text, ts, event_ts: ts, team: workspace.id };
      const event = { ...inner, channel: conversation.id, channel_type: 'im' };
      const mayRead = installation.botScopes.includes('im:history');
      const delivery = mayRead ? await emitEvent(platform, event, { place, installation }) : null;
      return { message, delivery };
    },
    /** An admin removes the app. */
    uninstall: async (where: Where) => uninstall(platform, installedAt(where)),
    /** Revokes a person's authorization, and with it their user token. */
    async revokeUser({ userId, ...where }: Where & { userId: string }) {
      const installation = installedAt(where);
      const tokens = liveTokens(world, installation.id).filter(
        (each) => each.kind === 'user' && each.userId === userId,
      );
      if (tokens.length === 0) throw new Error(`There is no user token of ${userId} to revoke.`);
      return revokeTokens(platform, installation, tokens);
    },
    /** Revokes the bot's token. If no person's token remains, this uninstalls the app. */
    async revokeBot(where: Where) {
      const installation = installedAt(where);
      const tokens = liveTokens(world, installation.id).filter((each) => each.kind === 'bot');
      return revokeTokens(platform, installation, tokens);
    },
    /** An org admin gives an org-wide app access to workspaces. */
    grantAccess: async ({ enterpriseId, teamIds }: Access) =>
      grantAccess(platform, installedAt({ enterpriseId }), teamIds),
    /** An org admin removes an org-wide app's access to workspaces. */
    revokeAccess: async ({ enterpriseId, teamIds }: Access) =>
      revokeAccess(platform, installedAt({ enterpriseId }), teamIds),
    /** Sends any event unchanged, even if the app does not subscribe to it. */
    async sendEvent({ event, teamId, enterpriseId, ...options }: ControlOptions<'sendEvent'>): Sent {
      const workspace = world.workspaces.get(teamId ?? '');
      const serving = workspace && installationServing(world, workspace);
      const isLifecycle = /^(app_uninstalled|tokens_revoked|team_access_)/.test(event.type);
      const installation = isLifecycle ? undefined : serving;
      return emitEvent(platform, event, {
        place: { teamId, enterpriseId },
        installation,
        ...options,
        isForced: true,
      });
    },
    /** Sends Slack's challenge to the event request URL. */
    verifyEventUrl: () => verifyEventUrl(platform),
    /** Adds a standalone workspace, with an owner, an admin and a member. The next reset removes it. */
    addWorkspace: ({ name }: { name: string }) => addWorkspace(world, name),
    /**
     * Turns public distribution off: from now on, the app can be installed only in the given workspace and in that
     * workspace's org. Null turns distribution on again. Like the manifest, the setting survives `reset`.
     */
    setDistribution({ onlyTeamId }: { onlyTeamId: string | null }): void {
      if (onlyTeamId !== null && !world.workspaces.has(onlyTeamId))
        throw new Error(`There is no workspace ${onlyTeamId}.`);
      platform.app.onlyTeamId = onlyTeamId;
    },
    /**
     * Slack suspends the app, or lifts the suspension. While the app is suspended, Slack refuses its tokens and refresh
     * tokens in every workspace with `account_inactive`, no one can install it, and it gets no events except events
     * that a test sends with `sendEvent`. `reset` lifts the suspension. Slack does not document its answer for a
     * suspended app. The sandbox gives the same answer as for the bot of a removed app, so an app cannot tell a
     * suspension from a removal.
     */
    setSuspended({ isSuspended }: { isSuspended: boolean }): void {
      platform.app.isSuspended = isSuspended;
    },
    /** Adds a person to a workspace, as a member by default. The next reset removes the person. */
    addMember({
      teamId,
      realName,
      role = 'member',
    }: {
      teamId: string;
      realName: string;
      role?: Role;
    }): Person {
      if (!world.workspaces.has(teamId)) throw new Error(`There is no workspace ${teamId}.`);
      return addPerson(world, { teamId, realName, role });
    },
    /** An admin deactivates an account. Sends `user_change`, which needs `users:read` and a subscription. */
    deactivate: ({ userId }: { userId: string }) => setDeactivated(platform, userId, true),
    reactivate: ({ userId }: { userId: string }) => setDeactivated(platform, userId, false),
    /** Sets whether members must ask the admins before they install. */
    requireApproval({ teamId, isRequired }: { teamId: string; isRequired: boolean }): void {
      const workspace = world.workspaces.get(teamId);
      if (!workspace) throw new Error(`There is no workspace ${teamId}.`);
      workspace.requiresApproval = isRequired;
    },
    /** The admins approve the app for a workspace. */
    approve({ teamId }: { teamId: string }): void {
      const requests = world.approvalRequests.filter((each) => each.teamId === teamId);
      if (requests.length === 0) throw new Error(`No one in ${teamId} has asked for approval.`);
      for (const request of requests) request.isApproved = true;
    },
  };
}

export type Controls = ReturnType<typeof createControls>;

/**
 * Deactivates or reactivates an account. Sends `user_change` for each of the person's workspaces in which the app is
 * installed with `users:read`.
 */
async function setDeactivated(platform: Platform, userId: string, isDeactivated: boolean) {
  const { world, activity, clock } = platform;
  const person = world.people.get(userId);
  if (!person) throw new Error(`There is no person ${userId}.`);
  person.isDeactivated = isDeactivated;
  activity.tell({ kind: isDeactivated ? 'deactivated' : 'reactivated', userId });
  const workspaces = [...world.workspaces.values()].filter((each) => person.roles[each.id]);
  return Promise.all(
    workspaces.map(async (workspace) => {
      const installation = installationServing(world, workspace);
      if (!installation?.botScopes.includes('users:read')) return null;
      const sight = { email: installation.botScopes.includes('users:read.email'), locale: true };
      const user = personJson(platform, person, workspace, sight);
      const cache_ts = Math.floor(clock.now() / 1000);
      const event = { type: 'user_change', user, cache_ts, event_ts: platform.nextTs() };
      return emitEvent(platform, event, { place: placeIn(workspace), installation });
    }),
  );
}

function placeIn({ id: teamId, enterpriseId }: Workspace): Place {
  return { teamId, enterpriseId };
}
