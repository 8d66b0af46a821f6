import type { KnownBlock } from '@slack/types';
import type { InstallRecord } from '../database/install-record.ts';
import { escapeMrkdwn, mrkdwnCode, mrkdwnLink } from '../slack/escape-mrkdwn.ts';
import { context, header, lines } from './blocks.ts';
import { historyLines } from './history-lines.ts';
import type { HomeContent } from './home-content.ts';
import { mayAct } from './may-act.ts';
import { permissionBlocks } from './permission-blocks.ts';
import { profileBlocks } from './profile-blocks.ts';
import { questionBlocks } from './question-blocks.ts';
import { setupBlocks } from './setup-blocks.ts';
import { statusBlocks } from './status-blocks.ts';

/** How many lines of history are shown. */
export const historyShown = 10;

const divider: KnownBlock = { type: 'divider' };

/**
 * The install record as App Home shows it to one person: in full to the installer and the admins, in short to members.
 * The same content always gives the same blocks, within Slack's limits for any content
 * (docs.slack.dev/reference/views/home-tab-views): each list is cut, and says so.
 */
export function homeBlocks(content: HomeContent): KnownBlock[] {
  const {
    record,
    history,
    words,
    question,
    app: { name: app },
  } = content;
  const place = record.isEnterpriseInstall ? record.enterpriseName : record.teamName;
  const shownApp = escapeMrkdwn(app, 80);
  const isInFull = mayAct(record, content.viewer);
  const historyBlocks = (): KnownBlock[] =>
    history.length === 0
      ? []
      : [header(words.text('home.history')), ...lines(historyLines(words, history, historyShown))];
  const groups: KnownBlock[][] = [
    [header(place ? words.text('home.title', { app, place }) : app), ...statusBlocks(content)],
    isInFull && question
      ? questionBlocks(words, words.text('home.question.intro', { app: shownApp }), question)
      : [],
    isInFull || hasProblem(record) ? setupBlocks(content) : [],
    permissionBlocks(content),
    profileBlocks(content),
    isInFull ? historyBlocks() : [],
    footer(content),
  ];
  return groups
    .filter((group) => group.length > 0)
    .flatMap((group, index) => (index === 0 ? group : [divider, ...group]));
}

/** Whether a member is shown the setup too, with whom to ask. */
function hasProblem({ run }: InstallRecord): boolean {
  return run?.steps.some(({ status }) => status === 'failed' || status === 'unconfirmed') ?? false;
}

function footer({ record, viewer, words, supportUrl, privacyUrl }: HomeContent): KnownBlock[] {
  const parts = [words.text('home.times')];
  if (supportUrl !== null) parts.push(mrkdwnLink(supportUrl, words.text('home.help')));
  if (privacyUrl !== null) parts.push(mrkdwnLink(privacyUrl, words.text('page.privacy')));
  if (record.run && mayAct(record, viewer)) {
    parts.push(words.text('home.reference', { id: mrkdwnCode(record.run.id, 80) }));
  }
  return [context(parts.join('  ·  '))];
}
