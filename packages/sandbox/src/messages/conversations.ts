import { slackId } from '../ids.ts';
import type { Platform } from '../platform.ts';
import { directMessage } from '../world/find.ts';
import type { Conversation, Installation, Message, Person, Workspace } from '../world/records.ts';

/**
 * Returns the DM between an installation's bot and a person in the given workspace. Opens the DM if it is not open yet.
 */
export function openDirectMessage(
  platform: Platform,
  installation: Installation,
  person: Person,
  workspace: Workspace,
): { conversation: Conversation; isNew: boolean } {
  const { world, clock } = platform;
  const known = directMessage(world, installation.botUserId, person.id);
  if (known) return { conversation: known, isNew: false };
  const conversation: Conversation = {
    id: slackId('D'),
    kind: 'im',
    teamId: workspace.id,
    name: null,
    createdAt: clock.now(),
    memberIds: [installation.botUserId, person.id],
    messages: [],
  };
  world.conversations.set(conversation.id, conversation);
  return { conversation, isNew: true };
}

export type NewMessage = Pick<Message, 'userId' | 'text'> &
  Partial<Pick<Message, 'botId' | 'appId' | 'blocks' | 'attachments' | 'metadata' | 'threadTs'>>;

/** Appends a message to a conversation. */
export function addMessage(platform: Platform, conversation: Conversation, message: NewMessage): Message {
  const added: Message = {
    botId: null,
    appId: null,
    blocks: null,
    attachments: null,
    metadata: null,
    threadTs: null,
    ...message,
    editedTs: null,
    ts: platform.nextTs(),
  };
  conversation.messages.push(added);
  tellChanged(platform, conversation, added);
  return added;
}

/** Tells the listeners, such as the web client, that a message was added, changed or deleted. */
export function tellChanged(platform: Platform, conversation: Conversation, message: Message): void {
  platform.activity.tell({
    kind: 'message-changed',
    teamId: conversation.teamId,
    conversationId: conversation.id,
    ts: message.ts,
    byApp: message.botId !== null,
  });
}
