import type { Platform } from '../platform.ts';
import type { Conversation, Message } from '../world/records.ts';

/** A message as `conversations.history` and `chat.postMessage` return it. */
export function messageJson(
  platform: Platform,
  conversation: Conversation,
  message: Message,
  { withMetadata }: { withMetadata: boolean },
): Record<string, unknown> {
  const { metadata } = message;
  return {
    type: 'message',
    user: message.userId,
    ts: message.ts,
    ...(message.botId ? appFields(platform, conversation, message) : {}),
    text: message.text,
    team: conversation.teamId,
    ...(message.blocks ? { blocks: message.blocks } : {}),
    ...(message.attachments ? { attachments: message.attachments } : {}),
    ...(message.threadTs ? { thread_ts: message.threadTs } : {}),
    ...(message.editedTs ? { edited: { user: message.userId, ts: message.editedTs } } : {}),
    ...(metadata && withMetadata ? { metadata } : {}),
  };
}

function appFields(platform: Platform, conversation: Conversation, message: Message) {
  const { app } = platform;
  return {
    bot_id: message.botId,
    app_id: message.appId,
    bot_profile: {
      id: message.botId,
      app_id: message.appId,
      name: app.settings.botName,
      deleted: false,
      updated: Math.floor(conversation.createdAt / 1000),
      team_id: conversation.teamId,
    },
  };
}
