import type { KnownBlock } from '@slack/types';
import { mrkdwnCode, mrkdwnLink } from '../slack/escape-mrkdwn.ts';
import { context, header, lines } from './blocks.ts';
import { historyLines } from './history-lines.ts';
import type { HomeContent } from './home-content.ts';
import { mayAct } from './may-act.ts';
import { permissionBlocks } from './permission-blocks.ts';
import { profileBlocks } from './profile-blocks.ts';
import { setupBlocks } from './setup-blocks.ts';
import { statusBlocks } from './status-blocks.ts';

/** How many lines of history are shown. */
export const historyShown = 10;

const divider: KnownBlock = { type: 'divider' };

/**
 * The install record as App Home shows it to one person. The same content always gives the same blocks, within Slack's
 * limits for any content (docs.slack.dev/reference/views/home-tab-views): each list is cut, and says so.
 */
export function homeBlocks(content: HomeContent): KnownBlock[] {
  const { record, history, app } = content;
  const place = record.isEnterpriseInstall ? record.enterpriseName : record.teamName;
  const groups: KnownBlock[][] = [
    [header(place ? `${app.name} in ${place}` : app.name), ...statusBlocks(content)],
    setupBlocks(content),
    permissionBlocks(content),
    profileBlocks(content),
    history.length === 0 ? [] : [header('History'), ...lines(historyLines(history, historyShown))],
    footer(content),
  ];
  return groups
    .filter((group) => group.length > 0)
    .flatMap((group, index) => (index === 0 ? group : [divider, ...group]));
}

function footer({ record, viewer, supportUrl, privacyUrl }: HomeContent): KnownBlock[] {
  const parts = ['Times are in your own time zone.'];
  if (supportUrl) parts.push(mrkdwnLink(supportUrl, 'Get help'));
  if (privacyUrl) parts.push(mrkdwnLink(privacyUrl, 'Privacy'));
  if (record.run && mayAct(record, viewer)) parts.push(`Reference: ${mrkdwnCode(record.run.id, 80)}`);
  return [context(parts.join('  ·  '))];
}
