import type { Database } from '../database/database.ts';
import { findAppId } from '../database/installations.ts';

/** How soon the database is asked again while it holds no install. */
const askAgainMs = 60_000;

/**
 * Makes the check whether a request's body names this app, by the app id that Slack gave with an install. A request
 * that does so under a wrong signature probably is Slack's, and SLACK_SIGNING_SECRET is not; strangers rarely know the
 * id, and what they send without it counts apart. It answers at once; false until the id is known.
 */
export function createOwnApp(deps: { database: Database; clientId: string }): (body: Buffer) => boolean {
  const { database, clientId } = deps;
  let appId: string | undefined;
  let askedAt = -Infinity;

  async function learn(): Promise<void> {
    askedAt = performance.now();
    try {
      appId = await findAppId(database.queries, clientId);
    } catch {
      // Asked again later; an outage of the database has its own lines in the log.
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
