import type { Logger } from '../config/log.ts';
import type { Database } from '../database/database.ts';
import { homeActions, type PressHome } from '../home/viewer.ts';
import type { DisconnectMember } from '../installations/disconnect-member.ts';
import { retryRun } from '../pipeline/retry-run.ts';
import { requestWelcome } from '../steps/request-welcome.ts';

/** Creates the function that carries out a press on one of Home's buttons. */
export function createPressHome(deps: {
  database: Database;
  disconnectMember: DisconnectMember;
  wakeWorker(): void;
  now: () => number;
  log: Logger;
}): PressHome {
  const { database, log } = deps;

  return async ({ action, value, record, userId, isAllowed }) => {
    const installationId = record.id;
    if (action === homeActions.disconnectAccount) {
      const outcome = await deps.disconnectMember(installationId, userId);
      log.info({ installationId, userId, outcome }, 'someone pressed "Disconnect"');
      return;
    }
    if (!isAllowed) {
      log.warn({ installationId, userId, action }, 'someone pressed a button that they may not use');
      return;
    }
    const now = deps.now();
    if (action === homeActions.retryRun && record.run?.id === value) {
      const outcome = await retryRun(database, value, { userId, now });
      log.info({ installationId, runId: value, userId, outcome }, 'someone pressed "Try again"');
    } else if (action === homeActions.sendWelcome) {
      const outcome = await requestWelcome(database, { installationId, userId, now });
      log.info({ installationId, userId, outcome }, 'someone pressed "Send the welcome again"');
    }
    deps.wakeWorker();
  };
}
