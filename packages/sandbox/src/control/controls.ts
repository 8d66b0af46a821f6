import type { Delivery, Parcel } from '../events/delivery.ts';
import { emitEvent, type InnerEvent, verifyEventUrl } from '../events/emit-event.ts';
import { newTrigger, type PressedIn, pressableElements, sendPress } from '../events/interactions.ts';
import { grantAccess, revokeAccess, revokeTokens, uninstall } from '../installs/end-installs.ts';
import { addMessage, openDirectMessage } from '../messages/conversations.ts';
import type { Platform } from '../platform.ts';
import { personJson } from '../web-api/users.ts';
import { addPerson, addWorkspace } from '../world/create-world.ts';
import { directMessage, homeViewOf, installationAt, installationServing, liveTokens } from '../world/find.ts';
import type { Installation, Message, Person, Role, Workspace } from '../world/records.ts';

/** A person in a workspace. */
export type Whom = { teamId: string; userId: string };

/** Where an app is installed: a workspace, or a whole org. */
export type Where =
  | { teamId: string; enterpriseId?: undefined }
  | { enterpriseId: string; teamId?: undefined };

export type PressOptions = Whom & {
  actionId: string;
  blockId?: string;
  /** `home` by default; `message` is the newest message of the DM that has such an element. */
  where?: 'home' | 'message' | 'modal';
  /** A message of the DM by its timestamp. */
  messageTs?: string;
  /** The choice in a select or similar element, merged into the action: `{ selected_option: … }`. */
  chosen?: Record<string, unknown>;
  /** The values of the surface's inputs, by block id and action id: the `state.values` of the press. */
  entered?: Record<string, Record<string, unknown>>;
};

export type RawEvent = {
  event: InnerEvent;
  teamId?: string;
  enterpriseId?: string;
  /** Seconds; the sandbox's time by default. */
  eventTimeSeconds?: number;
  eventId?: string;
  signature?: Parcel['signature'];
  /** Seconds, for the signature; real time by default. */
  timestampSeconds?: number;
};

type Sent = (Delivery | null)[];

/** What people and admins do in Slack, done by a test or the panel. Each throws if Slack would not offer it. */
export type Controls = {
  /** A person opens the app's Home (or Messages) tab. Null if the app does not subscribe to app_home_opened. */
  openHome(options: Whom & { tab?: 'home' | 'messages' }): Promise<Delivery | null>;
  /**
   * A person presses Slack's own Connect or Disconnect for the app. Null if it does not subscribe to `user_connection`.
   * Source: docs.slack.dev/reference/events/user_connection
   */
  requestConnection(options: Whom & { subtype: 'connect' | 'disconnect' }): Promise<Delivery | null>;
  /** A person presses a button, or chooses something. */
  press(options: PressOptions): Promise<Delivery>;
  /** A person writes to the app in their DM; sends `message` if the app subscribes to `message.im`. */
  sendMessage(options: Whom & { text: string }): Promise<{ message: Message; delivery: Delivery | null }>;
  /** An admin removes the app. */
  uninstall(where: Where): Promise<Sent>;
  /** A person's authorization is revoked: their user token dies. */
  revokeUser(options: Where & { userId: string }): Promise<Sent>;
  /** Only the bot's token is revoked. */
  revokeBot(where: Where): Promise<Sent>;
  /** An org admin lets an org-wide app into workspaces. */
  grantAccess(options: { enterpriseId: string; teamIds: string[] }): Promise<Delivery | null>;
  /** An org admin shuts an org-wide app out of workspaces. */
  revokeAccess(options: { enterpriseId: string; teamIds: string[] }): Promise<Delivery | null>;
  /** Sends any event unchanged, subscribed to or not. */
  sendEvent(event: RawEvent): Promise<Delivery | null>;
  /** Sends Slack's challenge to the event request URL. */
  verifyEventUrl(): Promise<{ isVerified: boolean; delivery: Delivery }>;
  /** One more standalone workspace, with an owner, an admin and a member. Gone at the next reset. */
  addWorkspace(options: { name: string }): Workspace;
  /**
   * Turns public distribution off: only the given workspace, and the org that it belongs to, can install the app from
   * now on. Null turns it on again. Like the manifest, it survives `reset`.
   */
  setDistribution(options: { onlyTeamId: string | null }): void;
  /**
   * Slack suspends the app, or lifts the suspension. While it lasts, every token and refresh token in every workspace is
   * refused with `account_inactive`, no one can install, and no event is sent. `reset` lifts it. Slack does not document
   * what it answers: this is what it answers for a bot whose app is gone, so an app cannot tell the two apart.
   */
  setSuspended(options: { isSuspended: boolean }): void;
  /** One more person in a workspace: a member unless said otherwise. Gone at the next reset. */
  addMember(options: { teamId: string; realName: string; role?: Role }): Person;
  /** An admin deactivates an account. Sends `user_change` to the app if it subscribes to it. */
  deactivate(options: { userId: string }): Promise<Sent>;
  reactivate(options: { userId: string }): Promise<Sent>;
  /** Whether members must ask the admins before they install. */
  requireApproval(options: { teamId: string; isRequired: boolean }): void;
  /** The admins approve the app for a workspace. */
  approve(options: { teamId: string }): void;
};

export function createControls(platform: Platform): Controls {
  const { world, activity } = platform;

  function installedAt(where: Where): Installation {
    const { teamId = null } = where;
    const enterpriseId = where.enterpriseId ?? null;
    const installation = installationAt(world, { teamId, enterpriseId });
    if (!installation) throw new Error(`The app is not installed in ${teamId ?? enterpriseId}.`);
    return installation;
  }

  function served({ teamId, userId }: Whom): {
    installation: Installation;
    workspace: Workspace;
    person: Person;
  } {
    const workspace = world.workspaces.get(teamId);
    const person = world.people.get(userId);
    if (!workspace || !person?.roles[teamId]) throw new Error(`${userId} is not a member of ${teamId}.`);
    if (person.isDeactivated) throw new Error(`The account of ${userId} is deactivated.`);
    const installation = installationServing(world, workspace);
    if (!installation) throw new Error(`The app is not installed in ${workspace.name}.`);
    return { installation, workspace, person };
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
    if (!conversation || !message) throw new Error(`${userId} has no message with ${actionId}.`);
    return { conversation, message };
  }

  return {
    async openHome({ tab = 'home', ...whom }) {
      const { installation, workspace, person } = served(whom);
      const { conversation } = openDirectMessage(platform, installation, person, workspace);
      activity.tell({ kind: 'home-opened', teamId: workspace.id, userId: person.id, tab });
      const view = tab === 'home' ? homeViewOf(world, installation, person.id) : undefined;
      const event = { type: 'app_home_opened', user: person.id, channel: conversation.id, tab };
      const place = { teamId: workspace.id, enterpriseId: workspace.enterpriseId };
      const event_ts = platform.nextTs();
      return emitEvent(platform, { ...event, ...(view ? { view } : {}), event_ts }, { place, installation });
    },
    async requestConnection({ subtype, ...whom }) {
      const { installation, workspace, person } = served(whom);
      const trigger = subtype === 'connect' ? { trigger_id: newTrigger(platform, person, workspace) } : {};
      const event = {
        type: 'user_connection',
        subtype,
        user: person.id,
        ...trigger,
        event_ts: platform.nextTs(),
      };
      const place = { teamId: workspace.id, enterpriseId: workspace.enterpriseId };
      return emitEvent(platform, event, { place, installation });
    },
    async press(options) {
      const { installation, workspace, person } = served(options);
      const { actionId, blockId, chosen, entered } = options;
      const where = pressedIn(installation, options);
      return sendPress(platform, {
        installation,
        workspace,
        person,
        where,
        actionId,
        blockId,
        chosen,
        entered,
      });
    },
    async sendMessage({ text, ...whom }) {
      const { installation, workspace, person } = served(whom);
      const { settings } = platform.app;
      if (!settings.isMessagesTabEnabled || settings.isMessagesTabReadOnly) {
        throw new Error('The app takes no messages: its Messages tab is off or read-only.');
      }
      const { conversation } = openDirectMessage(platform, installation, person, workspace);
      const message = addMessage(platform, conversation, { userId: person.id, text });
      const { ts } = message;
      const inner = { type: 'message', user: person.id, text, ts, event_ts: ts, team: workspace.id };
      const event = { ...inner, channel: conversation.id, channel_type: 'im' };
      const place = { teamId: workspace.id, enterpriseId: workspace.enterpriseId };
      const mayRead = installation.botScopes.includes('im:history');
      const delivery = mayRead ? await emitEvent(platform, event, { place, installation }) : null;
      return { message, delivery };
    },
    uninstall: async (where) => uninstall(platform, installedAt(where)),
    async revokeUser({ userId, ...where }) {
      const installation = installedAt(where);
      const tokens = liveTokens(world, installation.id).filter(
        (each) => each.kind === 'user' && each.userId === userId,
      );
      if (tokens.length === 0) throw new Error(`${userId} has authorized nothing.`);
      return revokeTokens(platform, installation, tokens);
    },
    async revokeBot(where) {
      const installation = installedAt(where);
      const tokens = liveTokens(world, installation.id).filter((each) => each.kind === 'bot');
      return revokeTokens(platform, installation, tokens);
    },
    grantAccess: async ({ enterpriseId, teamIds }) =>
      grantAccess(platform, installedAt({ enterpriseId }), teamIds),
    revokeAccess: async ({ enterpriseId, teamIds }) =>
      revokeAccess(platform, installedAt({ enterpriseId }), teamIds),
    async sendEvent({ event, teamId, enterpriseId, ...options }) {
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
    verifyEventUrl: () => verifyEventUrl(platform),
    addWorkspace: ({ name }) => addWorkspace(world, name),
    setDistribution({ onlyTeamId }) {
      if (onlyTeamId !== null && !world.workspaces.has(onlyTeamId))
        throw new Error(`There is no workspace ${onlyTeamId}.`);
      platform.app.onlyTeamId = onlyTeamId;
    },
    setSuspended({ isSuspended }) {
      platform.app.isSuspended = isSuspended;
    },
    addMember({ teamId, realName, role = 'member' }) {
      if (!world.workspaces.has(teamId)) throw new Error(`There is no workspace ${teamId}.`);
      return addPerson(world, { teamId, realName, role });
    },
    deactivate: ({ userId }) => setDeactivated(platform, userId, true),
    reactivate: ({ userId }) => setDeactivated(platform, userId, false),
    requireApproval({ teamId, isRequired }) {
      const workspace = world.workspaces.get(teamId);
      if (!workspace) throw new Error(`There is no workspace ${teamId}.`);
      workspace.requiresApproval = isRequired;
    },
    approve({ teamId }) {
      const requests = world.approvalRequests.filter((each) => each.teamId === teamId);
      if (requests.length === 0) throw new Error(`No one in ${teamId} has asked for approval.`);
      for (const request of requests) request.isApproved = true;
    },
  };
}

/** Slack sends `user_change` to each installation that serves a workspace of the person. */
async function setDeactivated(platform: Platform, userId: string, isDeactivated: boolean): Promise<Sent> {
  const { world, activity, clock } = platform;
  const person = world.people.get(userId);
  if (!person) throw new Error(`There is no ${userId}.`);
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
      const place = { teamId: workspace.id, enterpriseId: workspace.enterpriseId };
      return emitEvent(platform, event, { place, installation });
    }),
  );
}
