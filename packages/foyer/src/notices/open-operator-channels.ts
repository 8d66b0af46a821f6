import type { Config } from '../config/config.ts';
import type { OperatorChannel } from './operator-channel.ts';

/**
 * Opens the configured channels. Close each when done.
 *
 * Why dynamic imports: the channels and their packages would be 5% of all modules that Foyer loads at the start, and
 * most setups use no channel. Foyer opens each configured channel once when it starts, so that a failed import is
 * reported then and not with the first message.
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
