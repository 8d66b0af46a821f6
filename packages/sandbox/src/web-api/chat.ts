import { addMessage, openDirectMessage, tellChanged } from '../messages/conversations.ts';
import { messageJson } from '../messages/message-json.ts';
import type { Conversation, Message } from '../world/records.ts';
import { readMessageContent } from './message-content.ts';
import { type Call, tokenMethod } from './method.ts';
import { conversationInReach, personInReach } from './reach.ts';
import { Refusal } from './refusal.ts';

/** The conversation to post in: `channel` is its id, or a person's id for the DM with that person. */
function target(call: Call): Conversation {
  const { platform, args, token, installation } = call;
  const id = args.text('channel');
  if (!id) throw new Refusal('channel_not_found');
  if (/^[UW]/.test(id)) {
    const { person, workspace } = personInReach(call, id, 'channel_not_found');
    refuseClosedMessagesTab(call);
    return openDirectMessage(platform, installation, person, workspace).conversation;
  }
  const conversation = conversationInReach(call, id);
  if (conversation.kind === 'im') refuseClosedMessagesTab(call);
  const mayPost = conversation.memberIds.includes(token.userId) || token.scopes.includes('chat:write.public');
  if (!mayPost) throw new Refusal('not_in_channel');
  return conversation;
}

function refuseClosedMessagesTab({ platform }: Call): void {
  if (!platform.app.settings.isMessagesTabEnabled) throw new Refusal('messages_tab_disabled');
}

export const chatPostMessage = tokenMethod('post', ['chat:write'], (call) => {
  const { platform, args, token, installation } = call;
  const conversation = target(call);
  const byApp = token.kind === 'bot' ? { botId: installation.botId, appId: platform.app.id } : {};
  const content = readMessageContent(args);
  const threadTs = args.text('thread_ts') ?? null;
  const message = addMessage(platform, conversation, {
    userId: token.userId,
    ...byApp,
    ...content,
    threadTs,
  });
  return {
    ok: true,
    channel: conversation.id,
    ts: message.ts,
    message: messageJson(platform, conversation, message, { withMetadata: true }),
  };
});

/** Finds one of the caller's own messages. Throws `message_not_found`, or `code` if someone else wrote the message. */
function ownMessage(call: Call, code: string): { conversation: Conversation; message: Message } {
  const conversation = conversationInReach(call, call.args.required('channel'));
  const ts = call.args.required('ts');
  const message = conversation.messages.find((each) => each.ts === ts);
  if (!message) throw new Refusal('message_not_found');
  if (message.userId !== call.token.userId) throw new Refusal(code);
  return { conversation, message };
}

export const chatUpdate = tokenMethod('tier3', ['chat:write'], (call) => {
  const { platform, args } = call;
  const { conversation, message } = ownMessage(call, 'cant_update_message');
  const { metadata, ...content } = readMessageContent(args);
  Object.assign(message, content, { editedTs: platform.nextTs() }, metadata ? { metadata } : {});
  tellChanged(platform, conversation, message);
  return {
    ok: true,
    channel: conversation.id,
    ts: message.ts,
    text: message.text,
    message: messageJson(platform, conversation, message, { withMetadata: true }),
  };
});

export const chatDelete = tokenMethod('tier3', ['chat:write'], (call) => {
  const { conversation, message } = ownMessage(call, 'cant_delete_message');
  conversation.messages.splice(conversation.messages.indexOf(message), 1);
  tellChanged(call.platform, conversation, message);
  return { ok: true, channel: conversation.id, ts: message.ts };
});
