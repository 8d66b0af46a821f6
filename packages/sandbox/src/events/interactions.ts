import { isRecord } from '../blocks/fault-list.ts';
import { digits, secretHex } from '../ids.ts';
import { messageJson } from '../messages/message-json.ts';
import type { Platform } from '../platform.ts';
import type {
  Block,
  Conversation,
  Installation,
  Message,
  Person,
  View,
  Workspace,
} from '../world/records.ts';
import type { Delivery } from './delivery.ts';

/** Where a press happened. */
export type PressedIn = { view: View } | { conversation: Conversation; message: Message };

export type Press = {
  installation: Installation;
  workspace: Workspace;
  person: Person;
  where: PressedIn;
  actionId: string;
  /** Needed only if two elements have the same action id. */
  blockId?: string;
  /** What the person chose in a select, date picker or similar element. The sandbox merges it into the action. */
  chosen?: Record<string, unknown>;
  /** The values of the inputs of the view or message, by block id and action id. */
  entered?: Record<string, Record<string, unknown>>;
};

type Pressable = { block: Block; element: Record<string, unknown> };

/** How long an app can use a trigger id to open a modal. */
const triggerLifetimeMs = 3000;
const responseUrlLifetimeMs = 30 * 60_000;

/** The interactive elements of blocks, each with its block. */
export function pressableElements(blocks: readonly Block[]): Pressable[] {
  return blocks.flatMap((block) => {
    const elements = Array.isArray(block.elements) ? block.elements : [];
    return [block.accessory, block.element, ...elements]
      .filter(isRecord)
      .filter((element) => typeof element.action_id === 'string')
      .map((element) => ({ block, element }));
  });
}

/** Sends a signed `block_actions` request to the app's interactivity URL. Throws if there is no such element or URL. */
export async function sendPress(platform: Platform, press: Press): Promise<Delivery> {
  const { app, deliveries, activity } = platform;
  const { where, actionId, blockId, workspace, person } = press;
  const blocks = 'view' in where ? where.view.blocks : (where.message.blocks ?? []);
  const pressed = pressableElements(blocks).find(
    ({ block, element }) => element.action_id === actionId && (!blockId || block.block_id === blockId),
  );
  if (!pressed) throw new Error(`There is no button or other control with the action_id ${actionId}.`);
  const url = app.settings.interactivityUrl;
  if (!url) throw new Error('The app has no interactivity request URL.');
  const payload = blockActionsPayload(platform, press, pressed);
  activity.tell({ kind: 'button-pressed', teamId: workspace.id, userId: person.id, actionId });
  return deliveries.send({
    kind: 'interaction',
    type: 'block_actions',
    eventId: null,
    teamId: workspace.id,
    enterpriseId: workspace.enterpriseId,
    url,
    contentType: 'application/x-www-form-urlencoded',
    body: new URLSearchParams({ payload: JSON.stringify(payload) }).toString(),
  });
}

/** Source: docs.slack.dev/reference/interaction-payloads/block_actions-payload */
function blockActionsPayload(platform: Platform, press: Press, pressed: Pressable): Record<string, unknown> {
  const { app } = platform;
  const { installation, workspace, person, where } = press;
  const enterprise = platform.world.enterprises.get(workspace.enterpriseId ?? '');
  const grid = enterprise ? { enterprise_id: enterprise.id, enterprise_name: enterprise.name } : {};
  return {
    type: 'block_actions',
    user: { id: person.id, username: person.name, name: person.name, team_id: workspace.id },
    api_app_id: app.id,
    token: app.verificationToken,
    ...('view' in where ? inView(where.view) : inMessage(platform, press, where.conversation, where.message)),
    state: { values: press.entered ?? {} },
    trigger_id: newTrigger(platform, person, workspace),
    team: { id: workspace.id, domain: workspace.domain, ...grid },
    enterprise: enterprise ? { id: enterprise.id, name: enterprise.name } : null,
    is_enterprise_install: installation.isEnterpriseInstall,
    actions: [actionOf(platform, pressed, press.chosen ?? {})],
  };
}

function actionOf(platform: Platform, { block, element }: Pressable, chosen: Record<string, unknown>) {
  const { type, action_id, text, value, style, url } = element;
  const own = Object.fromEntries(
    Object.entries({ text, value, style, url }).filter(([, part]) => part !== undefined),
  );
  return { action_id, block_id: block.block_id, ...own, ...chosen, type, action_ts: platform.nextTs() };
}

function inView(view: View) {
  return { container: { type: 'view', view_id: view.id }, view };
}

function inMessage(
  platform: Platform,
  { installation }: Press,
  conversation: Conversation,
  message: Message,
) {
  const name = conversation.kind === 'im' ? 'directmessage' : conversation.name;
  return {
    container: { type: 'message', message_ts: message.ts, channel_id: conversation.id, is_ephemeral: false },
    channel: { id: conversation.id, name },
    message: messageJson(platform, conversation, message, { withMetadata: true }),
    response_url: newResponseUrl(platform, installation, conversation, message),
  };
}

/** Issues a trigger id for a person. */
export function newTrigger({ world, clock }: Platform, person: Person, workspace: Workspace): string {
  const id = `${digits(12)}.${digits(12)}.${secretHex(16)}`;
  const expiresAt = clock.now() + triggerLifetimeMs;
  world.triggers.set(id, { id, userId: person.id, teamId: workspace.id, expiresAt, isUsed: false });
  return id;
}

function newResponseUrl(
  platform: Platform,
  installation: Installation,
  conversation: Conversation,
  message: Message,
) {
  const key = `${conversation.teamId}/${digits(12)}/${secretHex(12)}`;
  platform.world.responseUrls.set(key, {
    key,
    conversationId: conversation.id,
    messageTs: message.ts,
    installationId: installation.id,
    expiresAt: platform.clock.now() + responseUrlLifetimeMs,
    usesLeft: 5,
  });
  return `${platform.url()}/actions/${key}`;
}
