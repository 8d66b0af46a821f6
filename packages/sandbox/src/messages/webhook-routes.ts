import { type Exchange, jsonReply, type Reply } from '../http/exchange.ts';
import type { Route } from '../http/routes.ts';
import type { Platform } from '../platform.ts';
import { type CallArguments, createCallArguments, readArguments } from '../web-api/call-arguments.ts';
import { readMessageContent } from '../web-api/message-content.ts';
import { Refusal } from '../web-api/refusal.ts';
import type { Conversation } from '../world/records.ts';
import { addMessage, tellChanged } from './conversations.ts';

/** The addresses that an app posts to without a token: incoming webhooks and response_urls. */
export function webhookRoutes(platform: Platform): Route[] {
  return [
    {
      on: 'POST /services/:key*',
      handle: (exchange, { key = '' }) => postToWebhook(platform, exchange, key),
    },
    { on: 'POST /actions/:key*', handle: (exchange, { key = '' }) => answerPress(platform, exchange, key) },
  ];
}

/** Slack's webhooks answer in plain text: `ok`, or an error's name with its status. */
function plain(text: string, status = 200): Reply {
  return { status, headers: { 'content-type': 'text/plain' }, body: text };
}

function readPayload({ url, header, body }: Exchange): CallArguments {
  const sent = readArguments(url.searchParams, header('content-type') ?? '', body);
  return createCallArguments(
    typeof sent.payload === 'string' ? (JSON.parse(sent.payload) as Record<string, unknown>) : sent,
  );
}

function postToWebhook(platform: Platform, exchange: Exchange, key: string): Reply {
  const { world } = platform;
  const webhook = world.webhooks.get(key);
  const installation = world.installations.get(webhook?.installationId ?? '');
  const conversation = world.conversations.get(webhook?.conversationId ?? '');
  if (!installation || !conversation) return plain('no_service', 404);
  if (installation.uninstalledAt !== null) return plain('no_active_hooks', 404);
  try {
    const content = readMessageContent(readPayload(exchange));
    const { botUserId: userId, botId } = installation;
    addMessage(platform, conversation, { userId, botId, appId: platform.app.id, ...content });
    return plain('ok');
  } catch (error) {
    return plain(error instanceof Refusal ? error.code : 'invalid_payload', 400);
  }
}

/** Handles a call to a response_url: replaces or deletes the message with the button, or posts a new message. */
function answerPress(platform: Platform, exchange: Exchange, key: string): Reply {
  const { world, clock } = platform;
  const target = world.responseUrls.get(key);
  const conversation = world.conversations.get(target?.conversationId ?? '');
  if (!target || !conversation || target.expiresAt <= clock.now()) {
    return jsonReply({ ok: false, error: target ? 'expired_url' : 'invalid_url' }, 404);
  }
  if (target.usesLeft === 0) return jsonReply({ ok: false, error: 'used_url' }, 404);
  target.usesLeft -= 1;
  try {
    applyAnswer(platform, conversation, target, readPayload(exchange));
    return jsonReply({ ok: true });
  } catch (error) {
    return jsonReply({ ok: false, error: error instanceof Refusal ? error.code : 'invalid_payload' }, 400);
  }
}

function applyAnswer(
  platform: Platform,
  conversation: Conversation,
  { messageTs, installationId }: { messageTs: string; installationId: string },
  args: CallArguments,
): void {
  const message = conversation.messages.find((each) => each.ts === messageTs);
  if (args.flag('delete_original') && message) {
    conversation.messages.splice(conversation.messages.indexOf(message), 1);
    tellChanged(platform, conversation, message);
    return;
  }
  const content = readMessageContent(args);
  if (args.flag('replace_original') && message) {
    Object.assign(message, content, { editedTs: platform.nextTs() });
    tellChanged(platform, conversation, message);
    return;
  }
  const installation = platform.world.installations.get(installationId);
  if (!installation) return;
  const { botUserId: userId, botId } = installation;
  addMessage(platform, conversation, { userId, botId, appId: platform.app.id, ...content });
}
