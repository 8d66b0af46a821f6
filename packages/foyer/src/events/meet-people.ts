import type { App } from '@slack/bolt';
import type { Logger } from '../config/log.ts';
import type { Database } from '../database/database.ts';
import { prepareInstallRecord } from '../database/install-record.ts';
import type { FindViewer } from '../home/viewer.ts';
import { type Fields, personIn } from './slack-request.ts';

/**
 * Only interactions with the app itself count. If the bot is in a channel, a message there does not register its
 * author.
 */
const interactions: ReadonlySet<unknown> = new Set([
  'block_actions',
  'view_submission',
  'shortcut',
  'message_action',
]);

type Middleware = Parameters<App['use']>[0];

/**
 * Creates the middleware that registers people who open App Home, press a button, submit a dialog, or use a command or
 * a shortcut, and stores when they were last seen. It does so after the listeners have run, so that no listener waits
 * for it. If the app was uninstalled in the meantime, it registers no one.
 */
export function createMeetPeople(deps: {
  database: Database;
  findViewer: FindViewer;
  log: Logger;
}): Middleware {
  const { database, findViewer, log } = deps;
  const readRecord = prepareInstallRecord(database);

  async function meet(installationId: string, { userId, from }: { userId: string; from?: string }) {
    try {
      const record = await readRecord(installationId);
      if (!record || record.status === 'uninstalled') return;
      await findViewer(record, userId, { seen: true, from });
    } catch (error) {
      log.warn({ err: error, installationId, userId }, 'a person could not be registered');
    }
  }

  return async ({ body, context, next }) => {
    try {
      await next();
    } finally {
      const person = isVisit(body) ? personIn(body) : undefined;
      const { installationId } = context;
      if (person && typeof installationId === 'string') await meet(installationId, person);
    }
  };
}

function isVisit(body: object): body is Fields {
  const { type, event, command } = body as Fields;
  if (type === 'event_callback') return (event as Fields | undefined)?.type === 'app_home_opened';
  return interactions.has(type) || typeof command === 'string';
}
