import type { WebClient } from '@slack/web-api';
import type { WelcomeRow } from '../database/records.ts';
import type { WelcomeKey } from '../database/welcomes.ts';
import { slackFailure } from '../slack/slack-failure.ts';

/** The event type in the metadata of each welcome. */
export const welcomeEventType = 'foyer_welcome';

/** absent: it was looked for, and is not there. unsearchable: nobody can tell, for the reason that `code` names. */
export type WelcomeSearch =
  | { kind: 'found'; channelId: string; messageTs: string }
  | { kind: 'absent' }
  | { kind: 'unsearchable'; code: string };

/** A message's time is Slack's, and the attempt's is ours: the search starts this much earlier. */
const clockSlackMs = 60_000;
const pageSize = 200;
const mostPages = 10;

/**
 * Looks in the DM's history for a welcome of this life. Failures that may pass are thrown.
 * (docs.slack.dev/messaging/message-metadata)
 */
export async function findWelcome(
  slack: WebClient,
  search: { key: WelcomeKey; welcome: WelcomeRow; botScopes: readonly string[] },
): Promise<WelcomeSearch> {
  const { key, welcome } = search;
  const channelId = welcome.channel_id;
  if (!search.botScopes.includes('im:history')) return { kind: 'unsearchable', code: 'missing_scope' };
  if (channelId === null) return { kind: 'unsearchable', code: 'channel_unknown' };
  const oldest = String(Math.max(0, welcome.attempted_at - clockSlackMs) / 1000);
  let cursor: string | undefined;
  try {
    for (let page = 0; page < mostPages; page += 1) {
      const history = await slack.conversations.history({
        channel: channelId,
        oldest,
        include_all_metadata: true,
        limit: pageSize,
        ...(cursor !== undefined && { cursor }),
      });
      const found = history.messages?.find((message) => isWelcome(message.metadata, key));
      if (found?.ts) return { kind: 'found', channelId, messageTs: found.ts };
      cursor = history.response_metadata?.next_cursor || undefined;
      if (cursor === undefined) return { kind: 'absent' };
    }
    return { kind: 'unsearchable', code: 'history_too_long' };
  } catch (error) {
    const failure = slackFailure(error);
    if (failure?.kind !== 'refused') throw error;
    return { kind: 'unsearchable', code: failure.code };
  }
}

function isWelcome(
  metadata: { event_type?: string; event_payload?: unknown } | undefined,
  key: WelcomeKey,
): boolean {
  const payload = metadata?.event_payload;
  if (metadata?.event_type !== welcomeEventType || typeof payload !== 'object' || payload === null)
    return false;
  const { installation_id: installationId, life } = payload as Record<string, unknown>;
  return installationId === key.installationId && Number(life) === key.life;
}
