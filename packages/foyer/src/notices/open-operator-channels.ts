import type { Config } from '../config/config.ts';
import type { OperatorChannel } from './operator-channel.ts';

/**
 * The channels that are configured. Close each when done.
 *
 * Why each is loaded here: with their packages they are one module in twenty of a start, and most have neither. Who
 * starts Foyer opens them once, so that what cannot be loaded is told then and not with the first message.
 */
export async function openOperatorChannels(notify: Config['notify']): Promise<OperatorChannel[]> {
  const channels: OperatorChannel[] = [];
  if (notify.slackWebhookUrl) {
    const { createWebhookChannel } = await import('./webhook-channel.ts');
    channels.push(createWebhookChannel(notify.slackWebhookUrl));
  }
  if (notify.mail) {
    const { createMailChannel } = await import('./mail-channel.ts');
    channels.push(createMailChannel(notify.mail));
  }
  return channels;
}
