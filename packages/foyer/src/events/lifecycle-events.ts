import type { Logger } from '../config/log.ts';
import { DatabaseUnavailableError } from '../database/database.ts';
import { inTime } from '../http/in-time.ts';
import {
  type InstallationStore,
  type RemovalOptions,
  TenantUnclearError,
} from '../installations/installation-store.ts';
import {
  type EventEnvelope,
  eventTypeOf,
  type InstallationQuery,
  idOf,
  readEnvelope,
} from './slack-request.ts';

/**
 * The events that change what Foyer stores about an installation. Foyer commits an event's effect before it
 * acknowledges the event (invariant 6). So the effects are not Bolt listeners: listeners receive these events too, but
 * only after the acknowledgment. An event may arrive twice, late and in any order (invariant 7), so the transaction
 * that applies an event decides whether the event still matters.
 */

interface LifecycleDeps {
  store: InstallationStore;
  /** The effects of further events, by event type (`keep-names.ts`). */
  keepNames?: ReadonlyMap<string, Effect>;
  /**
   * Called if the `Effect` function of an event resolved to true: runs, or what App Home shows, may have changed. Must
   * not throw or block.
   */
  onChanged(query: InstallationQuery, type: string): void;
  /**
   * Whether the definition has steps that run when a member first opens the app (its Home or its Messages tab). If not,
   * such an event changes nothing.
   */
  hearsOpenings?: boolean;
  log: Logger;
}

/** What an `Effect` needs to know about a delivery. */
export interface Delivery {
  event: EventEnvelope;
  query: InstallationQuery;
  /**
   * When the event happened, by Slack's clock, in milliseconds since 1970. If Slack sent no time, this is the time at
   * which the event arrived.
   */
  happenedAt: number;
  removal: RemovalOptions;
}

/** Applies a delivery. Resolves to true if it made a change after which `onChanged` must be called. */
export type Effect = (delivery: Delivery) => Promise<boolean>;

/**
 * How long Foyer retries while the database is locked. After that, it answers 503, and Slack sends the event again.
 * Slack waits three seconds for an answer.
 */
const patienceMs = 2000;
/**
 * The time limit for all writes of one event together. `patienceMs` is not enough: it limits each write separately, and
 * a revocation may need two writes. It also does not limit a write to a database that hangs.
 */
const commitWithinMs = 2500;

/**
 * Creates the function that commits what a delivery changes. That function returns undefined if events of this type
 * change nothing; otherwise it returns a promise that resolves after the commit. If the promise rejects with a
 * DatabaseUnavailableError, Foyer answers 503, and Slack sends the event again.
 */
export function createCommitLifecycle(deps: LifecycleDeps) {
  const { store, log } = deps;

  const effects = new Map<unknown, Effect>([
    ...(deps.keepNames ?? []),
    ['app_uninstalled', ({ query, removal }) => store.deleteInstallation(query, removal)],
    ['tokens_revoked', revokeTokens],
    ['team_access_granted', (delivery) => changeAccess(delivery, true)],
    ['team_access_revoked', (delivery) => changeAccess(delivery, false)],
    ...(deps.hearsOpenings ? [['app_home_opened', recordOpening] as const] : []),
  ]);

  async function revokeTokens({ event, query, removal }: Delivery): Promise<boolean> {
    const { userIds, botUserIds } = event;
    const usersGone = userIds.length > 0 && (await store.revokeUserTokens(query, { ...removal, userIds }));
    const botGone = botUserIds.length > 0 && (await store.revokeBot(query, { ...removal, botUserIds }));
    return usersGone || botGone;
  }

  function changeAccess({ event, query, happenedAt }: Delivery, granted: boolean): Promise<boolean> {
    return store.recordTeamAccess(query, {
      teamIds: event.teamIds,
      granted,
      changedAt: happenedAt,
      patienceMs,
    });
  }

  async function recordOpening({ event, query, happenedAt }: Delivery): Promise<boolean> {
    const { user, tab, channel } = event.fields;
    const userId = idOf(user);
    if (userId === undefined || (tab !== 'home' && tab !== 'messages')) return false;
    const channelId = idOf(channel) ?? null;
    return store.recordOpening(query, { userId, tab, channelId, openedAt: happenedAt, patienceMs });
  }

  async function commit(effect: Effect, body: Record<string, unknown>, now: number): Promise<void> {
    const event = readEnvelope(body);
    const { type, eventId, happenedAt } = event;
    if (event.candidates.length === 0) {
      // If Slack sent the event again, it would still name no team. So Foyer logs an error and acknowledges the event.
      return log.error({ event: type, eventId }, 'a lifecycle event names neither a team nor an enterprise');
    }
    const apply = async (): Promise<void> => {
      const query = await store.findTenant(event.candidates, happenedAt);
      const removal = { before: happenedAt, eventId, reason: type, patienceMs };
      const changed = await effect({ event, query, happenedAt: happenedAt ?? now, removal }).catch(
        (error) => {
          // The event says that access changed, but names no enterprise. Foyer cannot apply it, and could not apply a
          // repeat.
          if (error instanceof TenantUnclearError) return false;
          throw error;
        },
      );
      if (changed) deps.onChanged(query, type);
      // Most of these events change nothing: Slack sends `user_change` for each change of each member, and
      // `app_home_opened` each time that a member opens the app.
      const isUsual = type === 'user_change' || type === 'app_home_opened';
      const level = isUsual && !changed ? 'debug' : 'info';
      log[level]({ event: type, eventId, ...query, changed }, 'lifecycle event');
    };
    // A commit that exceeds `commitWithinMs` continues, and may still succeed. But Foyer answers 503 when the time is
    // up, so Slack sends the event again. If the commit has succeeded by then, the repeated event changes nothing.
    const late = () => new DatabaseUnavailableError('The database did not commit an event in time.');
    await inTime(apply(), commitWithinMs, late);
  }

  return function commitLifecycle(body: Record<string, unknown>, now: number): Promise<void> | undefined {
    // Read the type before the rest of the event: most types of events change nothing here.
    const effect = effects.get(eventTypeOf(body));
    return effect && commit(effect, body, now);
  };
}
