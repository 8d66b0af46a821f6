import type { Logger } from '../config/log.ts';
import { DatabaseUnavailableError } from '../database/database.ts';
import {
  type InstallationStore,
  type RemovalOptions,
  TenantUnclearError,
} from '../installations/installation-store.ts';
import { type EventEnvelope, eventTypeOf, type InstallationQuery, readEnvelope } from './slack-request.ts';

/**
 * The events that change the record. They are committed before Slack hears "got it" (invariant 6), so they do not pass
 * through Bolt's listeners, which run after it. Each may come twice, late and in any order (invariant 7): whether it
 * still means anything is decided in the transaction that would apply it.
 */

export interface LifecycleDeps {
  store: InstallationStore;
  /** What further events change, by their types (`keep-names.ts`). */
  keepNames?: ReadonlyMap<string, Effect>;
  /** Runs may have become due or been cancelled, and App Home shows something else now. Must not throw, or wait. */
  onChanged(query: InstallationQuery): void;
  log: Logger;
}

/** One delivery, as far as its effect needs it. */
export interface Delivery {
  event: EventEnvelope;
  query: InstallationQuery;
  /** By Slack's clock; by ours if Slack did not say. */
  happenedAt: number;
  removal: RemovalOptions;
}

/** Applies a delivery, and resolves to whether that changed anything. */
export type Effect = (delivery: Delivery) => Promise<boolean>;

/** Slack waits three seconds for its answer: a locked database is asked this long, then Slack sends the event again. */
const patienceMs = 2000;
/** A write to a database that hangs outlasts its patience, and a revocation is two of them: this bounds them all. */
const commitWithinMs = 2500;

/**
 * Makes the function that commits what a delivery changes. It resolves once that is safe; for any other event there is
 * nothing to wait for. @throws DatabaseUnavailableError: then Slack is answered 503 and sends it again.
 */
export function createCommitLifecycle(deps: LifecycleDeps) {
  const { store, log } = deps;

  const effects = new Map<unknown, Effect>([
    ...(deps.keepNames ?? []),
    ['app_uninstalled', ({ query, removal }) => store.deleteInstallation(query, removal)],
    ['tokens_revoked', revokeTokens],
    ['team_access_granted', (delivery) => changeAccess(delivery, true)],
    ['team_access_revoked', (delivery) => changeAccess(delivery, false)],
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

  async function commit(effect: Effect, body: Record<string, unknown>, now: number): Promise<void> {
    const event = readEnvelope(body);
    const { type, eventId, happenedAt } = event;
    if (event.candidates.length === 0) {
      // Sent again it would be no other: it is acknowledged, and the log says that nothing was done.
      return log.error({ event: type, eventId }, 'a lifecycle event that names no team and no enterprise');
    }
    const apply = async (): Promise<void> => {
      const query = await store.findTenant(event.candidates);
      const removal = { before: happenedAt, eventId, reason: type, patienceMs };
      const changed = await effect({ event, query, happenedAt: happenedAt ?? now, removal }).catch(
        (error) => {
          // A change of access without its enterprise: there is nothing that it could change, now or when sent again.
          if (error instanceof TenantUnclearError) return false;
          throw error;
        },
      );
      if (changed) deps.onChanged(query);
      // Of these there is one for each change of each member.
      const level = type === 'user_change' && !changed ? 'debug' : 'info';
      log[level]({ event: type, eventId, ...query, changed }, 'lifecycle event');
    };
    await inTime(apply());
  }

  return function commitLifecycle(body: Record<string, unknown>, now: number): Promise<void> | undefined {
    // Looked at before the rest is read: most events change nothing here.
    const effect = effects.get(eventTypeOf(body));
    return effect && commit(effect, body, now);
  };
}

/**
 * Waits for a commit as long as Slack may wait. One that takes longer goes on, and may still succeed: Slack, which is
 * told that it did not, sends the event again, and that changes nothing more.
 */
async function inTime(commit: Promise<void>): Promise<void> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => late.reject(new DatabaseUnavailableError('The database does not commit an event in time.')),
    commitWithinMs,
  );
  try {
    await Promise.race([commit, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}
