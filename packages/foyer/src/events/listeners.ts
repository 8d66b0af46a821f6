import type { App, BlockAction, ButtonAction, SlackActionMiddlewareArgs } from '@slack/bolt';
import type { ModalView } from '@slack/types';
import type { WebClient } from '@slack/web-api';
import type { Logger } from '../config/log.ts';
import type { Database } from '../database/database.ts';
import { type InstallRecord, readInstallRecord, registeredTeamId } from '../database/install-record.ts';
import { readOnceMessage } from '../database/once-messages.ts';
import { readLocale } from '../database/people.ts';
import { plainElement, section } from '../home/blocks.ts';
import type { FindViewer } from '../home/find-viewer.ts';
import { homeActions, mayAct } from '../home/may-act.ts';
import type { PublishHome } from '../home/publish-home.ts';
import { answerInputId, closedQuestion, questionValue, readQuestionValue } from '../home/question-blocks.ts';
import type { DisconnectMember } from '../installations/disconnect-member.ts';
import { answerQuestion, questionPosts } from '../pipeline/questions.ts';
import { retryRun } from '../pipeline/retry-run.ts';
import { requestWelcome } from '../steps/request-welcome.ts';
import { openHomeActionId } from '../steps/welcome-message.ts';
import type { Texts, Words } from '../texts/create-texts.ts';

/**
 * What Foyer does when somebody opens App Home or presses a button there. Add the listeners of your own app here, or in
 * a file of your own that is called from here.
 */

export interface ListenersDeps {
  database: Database;
  publishHome: PublishHome;
  findViewer: FindViewer;
  disconnectMember: DisconnectMember;
  texts: Texts;
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
  const { updatePermissions, finishConnecting, connectAccount } = homeActions;
  for (const link of [updatePermissions, finishConnecting, connectAccount, openHomeActionId]) {
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

  // Each person disconnects only themselves. Slack is asked after the acknowledgement: a press may be repeated.
  app.action<BlockAction<ButtonAction>>(homeActions.disconnectAccount, async ({ ack, body, context }) => {
    await ack();
    const installationId = installationIdOf(context);
    if (!installationId) return;
    const userId = body.user.id;
    const outcome = await deps.disconnectMember(installationId, userId);
    log.info({ installationId, userId, outcome }, 'Disconnect was pressed');
    await publishHome({ installationId, userId, teamId: body.team?.id });
  });

  app.action<BlockAction<ButtonAction>>(homeActions.answer, async (args) => {
    const { ack, body, client } = args;
    const press = await readPress(args);
    const key = press && readQuestionValue(press.value);
    if (!press || !key) return ack();
    const { installationId, userId, isAllowed, record } = press;
    const { outcome, asked } = await answerQuestion(database, key, {
      installationId,
      userId,
      isAllowed,
      answer: answerIn(body, questionValue(key)),
      now: deps.now(),
    });
    deps.wakeWorker();
    log.info({ installationId, userId, ...key, outcome }, 'a question was answered');
    await ack();
    if (outcome === 'invalid') {
      const words = deps.texts.forLocale(await localeOf(record, userId));
      await client.views.open({ trigger_id: body.trigger_id, view: invalidAnswer(words) });
    } else if (asked && outcome !== 'denied') {
      const words = deps.texts.forLocale(await localeOf(record, record.installerUserId));
      await closeMessages(client, record, closedQuestion(words, asked), questionPosts(key));
    }
    await publishHome({ installationId, userId, teamId: press.teamId });
  });

  async function localeOf(record: InstallRecord, userId: string): Promise<string | null> {
    const teamId = registeredTeamId(record);
    return readLocale(database.queries, { clientId: record.clientId, teamId, userId });
  }

  /** The messages of a question show its answer, or that none is needed, in the place of the form. */
  async function closeMessages(
    client: WebClient,
    { id: installationId, life }: InstallRecord,
    closed: ReturnType<typeof closedQuestion>,
    posts: ReturnType<typeof questionPosts>,
  ): Promise<void> {
    for (const key of Object.values(posts)) {
      const post = await readOnceMessage(database.queries, { kind: 'post', installationId, life, key });
      if (!post?.channel_id || !post.message_ts) continue;
      try {
        await client.chat.update({ channel: post.channel_id, ts: post.message_ts, ...closed });
      } catch (error) {
        log.warn({ err: error, installationId }, 'a question still shows its form');
      }
    }
  }

  /** Who pressed what. What they may do is looked up, not taken from the view or the payload, and Slack is not asked. */
  async function readPress({
    action,
    body,
    context,
  }: PressArgs): Promise<(Press & { record: InstallRecord; isAllowed: boolean }) | undefined> {
    const installationId = installationIdOf(context);
    const record = installationId ? await readInstallRecord(database.queries, installationId) : undefined;
    if (!installationId || !record) return undefined;
    const userId = body.user.id;
    const viewer = await deps.findViewer(record, userId, { ask: false });
    const isAllowed = mayAct(record, viewer);
    return { installationId, userId, teamId: body.team?.id, value: action.value ?? '', record, isAllowed };
  }

  /**
   * Handles a button for the installer and the admins: the effect is committed, then the press is acknowledged, with no
   * call to Slack before that.
   */
  async function onPress(
    args: PressArgs,
    act: (press: Press, owns: (runId: string) => Promise<boolean>) => Promise<void>,
  ): Promise<void> {
    const { ack, action } = args;
    const press = await readPress(args);
    if (!press) return ack();
    const { installationId, userId, teamId } = press;
    if (press.isAllowed) {
      await act(press, async (runId) => press.record.run?.id === runId);
      deps.wakeWorker();
    } else {
      log.warn(
        { installationId, userId, action: action.action_id },
        'a button was pressed by someone who may not use it',
      );
    }
    await ack();
    await publishHome({ installationId, userId, teamId });
  }
}

type PressArgs = SlackActionMiddlewareArgs<BlockAction<ButtonAction>> & { context: object };

/** What was entered in the form of a question; empty if nothing was. */
function answerIn({ state }: BlockAction, blockId: string): string {
  const input = state?.values[blockId]?.[answerInputId];
  return input?.selected_option?.value ?? input?.selected_channel ?? input?.value ?? '';
}

function invalidAnswer(words: Words): ModalView {
  return {
    type: 'modal',
    title: plainElement(words.text('home.question.label'), 24),
    blocks: [section(words.text('home.question.invalid'))],
  };
}

function installationIdOf(context: object): string | undefined {
  const id = 'installationId' in context ? context.installationId : undefined;
  return typeof id === 'string' ? id : undefined;
}
