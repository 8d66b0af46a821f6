import type { Database } from '../database/database.ts';
import { findAppId } from '../database/installations.ts';
import { clientAddress } from '../http/bound-connections.ts';
import type { InstallationStore, TenantQuery } from '../installations/installation-store.ts';
import { type BoltAppDeps, createBoltApp } from './bolt-app.ts';
import { createKeepNames } from './keep-names.ts';
import { createCommitLifecycle } from './lifecycle-events.ts';
import { createNoteUnknownTeam } from './note-unknown-team.ts';
import { createSeenDeliveries } from './seen-deliveries.ts';
import { createSlackReceiver, type SlackReceiverDeps } from './slack-receiver.ts';
import { createSignatureCheck } from './verify-signature.ts';

/**
 * Creates the parts that handle Slack's events: the receiver, the Bolt app behind it, and the memory of deliveries that
 * Foyer has already seen.
 */
export function assembleEvents(
  deps: Omit<BoltAppDeps, 'receiver' | 'noteUnknownTeam'> &
    Pick<SlackReceiverDeps, 'bodies' | 'refusals' | 'onAnswered' | 'now'> & {
      store: InstallationStore;
      /** Called after an event that may have changed runs or what App Home shows. Must not throw or block. */
      onChanged(query: TenantQuery, type: string): void;
      /** Whether the definition has `opened` steps, which run when a member first opens the app. */
      hearsOpenings: boolean;
    },
) {
  const { config, database, store, hearsOpenings, onChanged, now, log } = deps;
  const { clientId, signingSecret } = config.slack;
  const shared = config.database.kind === 'postgres';
  const seen = createSeenDeliveries({ database, shared, clientId, now, log });
  const keepNames = createKeepNames({ database, clientId, now, log });
  const receiver = createSlackReceiver({
    ...deps,
    signature: createSignatureCheck({ signingSecret, now }),
    namesThisApp: createOwnApp({ database, clientId }),
    addressOf: (req) => clientAddress(req, config.http.trustProxy),
    commitLifecycle: createCommitLifecycle({ keepNames, store, hearsOpenings, onChanged, log }),
    seen,
  });
  const noteUnknownTeam = createNoteUnknownTeam({ database, clientId, now, log });
  return { receiver, seen, bolt: createBoltApp({ ...deps, receiver, noteUnknownTeam }) };
}

/** How long to wait before asking the database for the app id again, if it had none or could not be read. */
const askAgainMs = 60_000;

/**
 * Creates the function that checks whether a request's body contains the app id, which Foyer stores with each install.
 * Strangers rarely know the app id. So if a request contains it but has a wrong signature, the request is probably from
 * Slack, and SLACK_SIGNING_SECRET is wrong. Foyer counts such requests separately. The function never waits for the
 * database, and returns false until it has read the app id.
 */
function createOwnApp(deps: { database: Database; clientId: string }): (body: Buffer) => boolean {
  const { database, clientId } = deps;
  let appId: string | undefined;
  let askedAt = -Infinity;

  async function learn(): Promise<void> {
    askedAt = performance.now();
    try {
      appId = await findAppId(database.queries, clientId);
    } catch {
      // Nothing to do here: the next call tries again, and other code logs that the database is down.
    }
  }

  return function namesThisApp(body) {
    if (appId === undefined) {
      if (performance.now() - askedAt > askAgainMs) void learn();
      return false;
    }
    return body.includes(appId);
  };
}
