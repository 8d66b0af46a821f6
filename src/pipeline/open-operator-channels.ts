import type { Config } from '../config.ts';
import { createMailChannel } from './mail-channel.ts';
import type { OperatorChannel } from './operator-channel.ts';
import { createWebhookChannel } from './webhook-channel.ts';

/** The channels that are configured. Close each when done. */
export function openOperatorChannels(notify: Config['notify']): OperatorChannel[] {
  const channels: OperatorChannel[] = [];
  if (notify.slackWebhookUrl) channels.push(createWebhookChannel(notify.slackWebhookUrl));
  if (notify.mail) channels.push(createMailChannel(notify.mail));
  return channels;
}
