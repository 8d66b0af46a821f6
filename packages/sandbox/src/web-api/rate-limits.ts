import type { SandboxClock } from '../clock.ts';

/** Slack's rate limit tiers. `post` allows one message a second in each channel; `special` has no limit here. */
export type Tier = 'tier1' | 'tier2' | 'tier3' | 'tier4' | 'post' | 'special';

/** Calls a minute by tier. Source: docs.slack.dev/apis/web-api/rate-limits; `special` has no published number. */
const callsPerMinute: Record<Exclude<Tier, 'post' | 'special'>, number> = {
  tier1: 1,
  tier2: 20,
  tier3: 50,
  tier4: 100,
};

/**
 * Counts calls per method and installation over a sliding minute, and messages per channel over a sliding second. The
 * limits are off until a test or a person turns them on.
 */
export function createRateLimits({ clock }: { clock: SandboxClock }) {
  const seen = new Map<string, number[]>();

  function count(key: string, max: number, windowMs: number): number | undefined {
    const now = clock.now();
    const recent = (seen.get(key) ?? []).filter((at) => at > now - windowMs);
    const [oldest = now] = recent;
    if (recent.length >= max) return Math.max(1, Math.ceil((oldest + windowMs - now) / 1000));
    seen.set(key, [...recent, now]);
    return undefined;
  }

  const limits = {
    isOn: false,
    /**
     * Whether the limit of May 2025 applies: an app sold outside the Marketplace gets one `conversations.history` call
     * a minute, with at most 15 messages a page.
     * Source: docs.slack.dev/changelog/2025/05/29/tos-updates
     */
    isHistoryLimited: false,
    /**
     * Counts a call. Returns the seconds to wait if the call is over the limit, else undefined. `key` is the
     * installation's id, and `channel` is the target of a message.
     */
    count(method: string, tier: Tier, key: string, channel: string): number | undefined {
      if (!limits.isOn || tier === 'special') return undefined;
      if (tier === 'post') return count(`${method} ${key} ${channel}`, 1, 1000);
      if (method === 'conversations.history' && limits.isHistoryLimited)
        return count(`${method} ${key}`, 1, 60_000);
      return count(`${method} ${key}`, callsPerMinute[tier], 60_000);
    },
    reset(): void {
      seen.clear();
      limits.isOn = false;
      limits.isHistoryLimited = false;
    },
  };
  return limits;
}

export type RateLimits = ReturnType<typeof createRateLimits>;
