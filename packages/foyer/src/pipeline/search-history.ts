import type { WebClient } from '@slack/web-api';
import { slackFailure } from '../slack/slack-failure.ts';

/**
 * Searches a channel's history for a message whose send ended without a clear answer, so that Foyer does not send it
 * twice (invariant 3).
 *
 * Why the position is stored: an app that is sold outside the Marketplace gets one call a minute and 15 messages a
 * page. With these limits, a search that started over after each wait would never end. So the search covers a bounded
 * time, goes from the newest message to the oldest, continues where it stopped, and gives up after a bounded number of
 * calls.
 * (docs.slack.dev/changelog/2025/05/29/tos-updates)
 */

/** How many messages to request per page: the most that Slack's strictest limit allows. */
const pageSize = 15;
/** How many calls a search may make. A rate-limited call counts; a call without a usable answer does not. */
const mostCalls = 12;
/**
 * How much the search window is widened at both ends. Why: Slack's clock sets the time of a message, and our clock sets
 * the time of an attempt, and the two clocks may differ.
 */
const clockSlackMs = 60_000;

/**
 * The progress of a search. `before` is the timestamp of the oldest message seen so far, in Slack's format; null if the
 * search has seen none. `calls` is the number of calls so far that count toward the limit.
 */
interface SearchPosition {
  before: string | null;
  calls: number;
}

/** What to search for, and where the search stopped. */
export interface HistorySearch extends SearchPosition {
  channel: string;
  /**
   * Where the search begins (`from`) and ends (`until`), in milliseconds since 1970. `from` is the time of the first
   * send; `until` is the latest time at which a call may have posted the message.
   */
  from: number;
  until: number;
  matches(metadata: { event_type?: string; event_payload?: unknown } | undefined): boolean;
}

/** absent: the message is not there. unsearchable: the history gives no answer, for the reason in `code`. */
export type SearchResult =
  | { kind: 'found'; channelId: string; messageTs: string }
  | { kind: 'absent' }
  | { kind: 'unsearchable'; code: string };

/**
 * Searches only the newest page, and stores no position. For use while an earlier call may still post the message: a
 * full search then has to wait, because it could end before the message arrives.
 */
export function peekHistory(slack: WebClient, search: HistorySearch): Promise<SearchResult> {
  return searchHistory(slack, { ...search, before: null, calls: mostCalls - 1 }, async () => {});
}

/**
 * Continues a search from its position. `keep` stores each position before the call to Slack. If Slack refuses a call,
 * the result is `unsearchable`. Throws any other failure, such as a rate limit: the next attempt continues the search.
 */
export async function searchHistory(
  slack: WebClient,
  search: HistorySearch,
  keep: (position: SearchPosition) => Promise<void>,
): Promise<SearchResult> {
  const { channel, matches } = search;
  const oldest = String(Math.max(0, search.from - clockSlackMs) / 1000);
  const latest = String((search.until + clockSlackMs) / 1000);
  let { before, calls } = search;
  try {
    while (calls < mostCalls) {
      calls += 1;
      await keep({ before, calls });
      const window = { channel, oldest, latest: before ?? latest, limit: pageSize };
      const history = await slack.conversations.history({ ...window, include_all_metadata: true });
      const found = history.messages?.find(({ metadata }) => matches(metadata));
      if (found?.ts) return { kind: 'found', channelId: channel, messageTs: found.ts };
      const last = history.messages?.at(-1)?.ts;
      if (!history.has_more || last === undefined) return { kind: 'absent' };
      before = last;
    }
    return { kind: 'unsearchable', code: 'history_too_long' };
  } catch (error) {
    const failure = slackFailure(error);
    if (failure?.kind === 'refused') return { kind: 'unsearchable', code: failure.code };
    if (failure?.kind === 'unreachable') await keep({ before, calls: calls - 1 });
    throw error;
  }
}
