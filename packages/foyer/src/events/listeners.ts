import type { App, BlockAction, ButtonAction, SlackActionMiddlewareArgs } from '@slack/bolt';
import type { Logger } from '../config/log.ts';
import type { Database } from '../database/database.ts';
import { readInstallRecord } from '../database/install-record.ts';
import type { FindViewer } from '../home/find-viewer.ts';
import { homeActions, mayAct } from '../home/may-act.ts';
import type { PublishHome } from '../home/publish-home.ts';
import { retryRun } from '../pipeline/retry-run.ts';
import { requestWelcome } from '../steps/request-welcome.ts';
import { openHomeActionId } from '../steps/welcome-message.ts';

/**
 * What Foyer does when somebody opens App Home or presses a button there. Add the listeners of your own app here, or in
 * a file of your own that is called from here.
 */

export interface ListenersDeps {
  database: Database;
  publishHome: PublishHome;
  findViewer: FindViewer;
  wakeWorker(): void;
  now: () => number;
  log: Logger;
}

/** What was pressed, by whom, in which installation. */
interface Press {
  installationId: string;
  userId: string;
  teamId: string | undefined;
  value: string;
}

/** Adds Foyer's listeners to a Bolt app. */
export function addListeners(app: App, deps: ListenersDeps): void {
  const { database, publishHome, log } = deps;

  app.event('app_home_opened', async ({ event, context }) => {
    if (event.tab !== 'home') return;
    const installationId = installationIdOf(context);
    if (!installationId) return;
    const result = await publishHome({
      installationId,
      userId: event.user,
      teamId: context.teamId,
      opened: true,
    });
    log.debug({ installationId, userId: event.user, ...result }, 'App Home opened');
  });

  // A link button opens its address by itself; Slack only wants to hear that the press was seen.
  for (const link of [homeActions.updatePermissions, homeActions.finishConnecting, openHomeActionId]) {
    app.action(link, async ({ ack }) => ack());
  }

  app.action<BlockAction<ButtonAction>>(homeActions.retryRun, (args) =>
    onPress(args, async ({ value, userId, installationId }, owns) => {
      if (!(await owns(value))) return;
      const outcome = await retryRun(database, value, { userId, now: deps.now() });
      log.info({ installationId, runId: value, userId, outcome }, 'Try again was pressed');
    }),
  );

  app.action<BlockAction<ButtonAction>>(homeActions.sendWelcome, (args) =>
    onPress(args, async ({ installationId, userId }) => {
      const outcome = await requestWelcome(database, { installationId, userId, now: deps.now() });
      log.info({ installationId, userId, outcome }, 'Send the welcome again was pressed');
    }),
  );

  /**
   * Handles a button: the effect is committed, then the press is acknowledged. What the person may do is looked up, not
   * taken from the view or the payload; Slack is not asked for it, since nothing may stand before the acknowledgement.
   */
  async function onPress(
    args: SlackActionMiddlewareArgs<BlockAction<ButtonAction>> & { context: object },
    act: (press: Press, owns: (runId: string) => Promise<boolean>) => Promise<void>,
  ): Promise<void> {
    const { ack, action, body, context } = args;
    const installationId = installationIdOf(context);
    const record = installationId ? await readInstallRecord(database.queries, installationId) : undefined;
    if (!installationId || !record) return ack();
    const press = { installationId, userId: body.user.id, teamId: body.team?.id, value: action.value ?? '' };
    const viewer = await deps.findViewer(record, press.userId, { ask: false });
    if (mayAct(record, viewer)) {
      await act(press, async (runId) => record.run?.id === runId);
      deps.wakeWorker();
    } else {
      log.warn(
        { installationId, userId: press.userId, action: action.action_id },
        'a button was pressed by someone who may not',
      );
    }
    await ack();
    await publishHome({ installationId, userId: press.userId, teamId: press.teamId });
  }
}

function installationIdOf(context: object): string | undefined {
  const id = 'installationId' in context ? context.installationId : undefined;
  return typeof id === 'string' ? id : undefined;
}
