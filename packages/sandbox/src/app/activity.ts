import type { Place } from '../world/records.ts';

/**
 * Something that happened in the sandbox. The demo listens to these activities to say what to click next, and the web
 * client listens to redraw its pages. Tests can listen too.
 */
export type Activity =
  | { kind: 'consent-opened'; teamId: string | null; userId: string }
  | (Place & { kind: 'consent-allowed' | 'consent-cancelled'; userId: string })
  | { kind: 'sign-in-opened' | 'signed-in' | 'sign-in-cancelled'; teamId: string; userId: string }
  | { kind: 'deactivated' | 'reactivated'; userId: string }
  | { kind: 'approval-requested'; teamId: string; userId: string }
  | (Place & { kind: 'installed'; userId: string; botScopes: string[] })
  | (Place & { kind: 'tokens-revoked'; userIds: string[] })
  | (Place & { kind: 'uninstalled' })
  | { kind: 'access-granted' | 'access-revoked'; enterpriseId: string; teamIds: string[] }
  | { kind: 'home-opened'; teamId: string; userId: string; tab: 'home' | 'messages' }
  | (Place & { kind: 'home-published'; userId: string })
  | { kind: 'modal-changed'; teamId: string; userId: string }
  | { kind: 'message-changed'; teamId: string; conversationId: string; ts: string; byApp: boolean }
  | { kind: 'button-pressed'; teamId: string; userId: string; actionId: string }
  | { kind: 'delivery'; deliveryId: string; type: string; outcome: string }
  | { kind: 'called'; method: string; teamId: string | null; ok: boolean }
  | { kind: 'reset' };

export type ActivityListener = (activity: Activity) => void;

export function createActivityFeed() {
  const listeners = new Set<ActivityListener>();
  return {
    tell(activity: Activity): void {
      for (const listener of listeners) listener(activity);
    },
    /** Calls `listener` for each later activity. Returns a function that removes the listener. */
    listen(listener: ActivityListener): () => void {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
}

export type ActivityFeed = ReturnType<typeof createActivityFeed>;
