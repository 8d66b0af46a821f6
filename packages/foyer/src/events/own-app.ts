import type { Database } from '../database/database.ts';
import { findAppId } from '../database/installations.ts';

/** How soon to query the database again while it holds no install. */
const askAgainMs = 60_000;

/**
 * Creates the check whether a request's body names this app, by the app id that Slack gave with an install. A request
 * that does so under a wrong signature is probably Slack's, and SLACK_SIGNING_SECRET is wrong; strangers rarely know
 * the id, and their requests without it count separately. Answers synchronously; false until the id is known.
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
      // The next call tries again; the log has its own lines for a database outage.
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
