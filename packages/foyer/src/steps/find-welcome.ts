import type { WebClient } from '@slack/web-api';
import type { Database } from '../database/database.ts';
import type { WelcomeRow } from '../database/records.ts';
import { keepWelcomeSearch, type WelcomeKey } from '../database/welcomes.ts';
import { peekHistory, type SearchResult, searchHistory } from '../pipeline/search-history.ts';

/** The event type in the metadata of each welcome. */
export const welcomeEventType = 'foyer_welcome';

/**
 * Looks in the DM's history for a welcome of this life. While its call may still take effect, only at the newest page.
 * Failures that may pass are thrown. (docs.slack.dev/messaging/message-metadata)
 */
export async function findWelcome(
  slack: WebClient,
  database: Pick<Database, 'write'>,
  search: { key: WelcomeKey; welcome: WelcomeRow; botScopes: readonly string[]; mayStillArrive: boolean },
): Promise<SearchResult> {
  const { key, welcome } = search;
  const { channel_id: channel, attempted_at: from, search_before: before, search_calls: calls } = welcome;
  if (!search.botScopes.includes('im:history')) return { kind: 'unsearchable', code: 'missing_scope' };
  if (channel === null) return { kind: 'unsearchable', code: 'channel_unknown' };
  const matches = (metadata: Parameters<typeof isWelcome>[0]) => isWelcome(metadata, key);
  const wanted = { channel, from, until: welcome.sent_at ?? from, before, calls, matches };
  if (search.mayStillArrive) return peekHistory(slack, wanted);
  return searchHistory(slack, wanted, (position) =>
    database.write((tx) => keepWelcomeSearch(tx, key, position)),
  );
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
