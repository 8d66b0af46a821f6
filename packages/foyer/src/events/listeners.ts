import type { App, BlockAction, ButtonAction, SlackActionMiddlewareArgs } from '@slack/bolt';
import type { ModalView } from '@slack/types';
import type { Config } from '../config/config.ts';
import type { Logger } from '../config/log.ts';
import type { Database } from '../database/database.ts';
import { type InstallRecord, readInstallRecord, registeredTeamId } from '../database/install-record.ts';
import { readLocale } from '../database/people/people.ts';
import { questionValue, readQuestionValue } from '../database/questions.ts';
import { button, plainElement, section } from '../home/blocks.ts';
import type { PublishHome } from '../home/publish-home.ts';
import { answerInputId } from '../home/question-blocks.ts';
import { type FindViewer, homeActions, mayAct, type PressHome } from '../home/viewer.ts';
import { escapeMrkdwn } from '../slack/slack-text.ts';
import { openHomeActionId } from '../steps/send-welcome.ts';
import type { Texts, Words } from '../texts/create-texts.ts';
import { personIn } from './slack-request.ts';
import type { TakeAnswer } from './take-answer.ts';

/**
 * What Foyer does when a person opens App Home, presses a button in Home or in one of Foyer's messages, or asks Slack
 * to connect or disconnect their account. An app adds its own listeners with the option `listeners` of `defineFoyer`.
 */

export interface ListenersDeps {
  database: Database;
  publishHome: PublishHome;
  findViewer: FindViewer;
  config: Pick<Config, 'app' | 'slack' | 'http'>;
  pressHome: PressHome;
  takeAnswer: TakeAnswer;
  texts: Texts;
  log: Logger;
}

/** A press of a button: the installation, the person, and the button's value. */
interface Press {
  installationId: string;
  userId: string;
  teamId: string | undefined;
  value: string;
}

/** Adds Foyer's listeners to a Bolt app. */
export function addListeners(app: App, deps: ListenersDeps): void {
  const { database, publishHome, pressHome, log } = deps;

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

  // Slack's client opens the address of a link button itself; Foyer only needs to acknowledge the press.
  const { updatePermissions, finishConnecting, connectAccount } = homeActions;
  for (const link of [updatePermissions, finishConnecting, connectAccount, openHomeActionId]) {
    app.action(link, async ({ ack }) => ack());
  }

  for (const action of [homeActions.retryRun, homeActions.sendWelcome]) {
    app.action<BlockAction<ButtonAction>>(action, async (args) => {
      const press = await readPress(args);
      if (!press) return args.ack();
      // Commit the effect before acknowledging the press, and make no call to Slack before that.
      await pressHome({ ...press, action });
      await args.ack();
      await publishHome({ installationId: press.installationId, userId: press.userId, teamId: press.teamId });
    });
  }

  // Acknowledge the press first, since revoking the token takes a call to Slack. If the process stops before the
  // revocation, the person can press again.
  app.action<BlockAction<ButtonAction>>(homeActions.disconnectAccount, async (args) => {
    await args.ack();
    const press = await readPress(args);
    if (!press) return;
    await pressHome({ ...press, action: homeActions.disconnectAccount });
    await publishHome({ installationId: press.installationId, userId: press.userId, teamId: press.teamId });
  });

  // If the app reports connections, Slack shows its own Connect and Disconnect buttons.
  if (deps.config.slack.reportsConnections) {
    app.event('user_connection', async ({ event, context, client }) => {
      const asked = connectionRequest(event);
      const installationId = installationIdOf(context);
      const record = installationId && (await readInstallRecord(database.queries, installationId));
      if (!asked || !installationId || !record) return;
      const { userId, triggerId } = asked;
      if (triggerId === undefined) {
        const press = { action: homeActions.disconnectAccount, value: '', record, userId, isAllowed: false };
        await pressHome(press);
        await publishHome({ installationId, userId, teamId: context.teamId });
        return;
      }
      const words = deps.texts.forLocale(await localeOf(record, userId));
      await client.views.open({ trigger_id: triggerId, view: connectView(words, record, deps.config) });
    });
  }

  app.action<BlockAction<ButtonAction>>(homeActions.answer, async (args) => {
    const { ack, body, client } = args;
    const press = await readPress(args);
    const key = press && readQuestionValue(press.value);
    if (!press || !key) return ack();
    const { teamId, userId, isAllowed, record } = press;
    const answer = answerIn(body, questionValue(key));
    const { outcome, show } = await deps.takeAnswer(record, key, { teamId, userId, isAllowed, answer });
    await ack();
    if (outcome === 'invalid') {
      const words = deps.texts.forLocale(await localeOf(record, userId));
      await client.views.open({ trigger_id: body.trigger_id, view: invalidAnswer(words) });
    }
    await show(async () => client);
  });

  async function localeOf(record: InstallRecord, userId: string): Promise<string | null> {
    const teamId = registeredTeamId(record);
    return readLocale(database.queries, { clientId: record.clientId, teamId, userId });
  }

  /**
   * Reads who pressed what; returns undefined if the installation is unknown or the person belongs to another
   * workspace. Reads the person's rights from the database: without a call to Slack, and never from the view or the
   * payload.
   */
  async function readPress({
    action,
    body,
    context,
  }: PressArgs): Promise<(Press & { record: InstallRecord; isAllowed: boolean }) | undefined> {
    const installationId = installationIdOf(context);
    const record = installationId ? await readInstallRecord(database.queries, installationId) : undefined;
    if (!installationId || !record) return undefined;
    const userId = body.user.id;
    const from = personIn({ ...body })?.from;
    const viewer = await deps.findViewer(record, userId, { ask: false, from });
    if (viewer.isExternal) {
      log.warn({ installationId, userId, from }, 'someone from another workspace pressed a button');
      return undefined;
    }
    const isAllowed = mayAct(record, viewer);
    return { installationId, userId, teamId: body.team?.id, value: action.value ?? '', record, isAllowed };
  }
}

type PressArgs = SlackActionMiddlewareArgs<BlockAction<ButtonAction>> & { context: object };

/** Returns what the person entered in a question's form; empty if they entered nothing. */
function answerIn({ state }: BlockAction, blockId: string): string {
  const input = state?.values[blockId]?.[answerInputId];
  return input?.selected_option?.value ?? input?.selected_channel ?? input?.value ?? '';
}

/**
 * Reads who asks to connect or disconnect; returns undefined for any other event. A request to connect has a trigger,
 * which Foyer uses to open a modal.
 */
function connectionRequest(event: object): { userId: string; triggerId: string | undefined } | undefined {
  const { user, subtype, trigger_id: trigger } = { ...event } as Readonly<Record<string, unknown>>;
  if (typeof user !== 'string') return undefined;
  if (subtype === 'disconnect') return { userId: user, triggerId: undefined };
  return subtype === 'connect' && typeof trigger === 'string'
    ? { userId: user, triggerId: trigger }
    : undefined;
}

/** Builds the modal that offers to connect an account, as Home does. */
function connectView(words: Words, record: InstallRecord, config: Pick<Config, 'app' | 'http'>): ModalView {
  const url = new URL(`${config.http.baseUrl}/slack/install`);
  if (record.teamId !== null) url.searchParams.set('team', record.teamId);
  url.searchParams.set('member', '1');
  const connect = button(words.text('home.account.connect'), homeActions.connectAccount, { url: url.href });
  const app = escapeMrkdwn(config.app.name, 80);
  return {
    type: 'modal',
    title: plainElement(words.text('home.account'), 24),
    blocks: [section(words.text('home.account.offer', { app }), connect)],
  };
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
