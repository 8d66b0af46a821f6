import type { Config } from '../config/config.ts';
import { mailFailure, openMailTransport } from './mail-transport.ts';
import type { OperatorChannel } from './operator-channel.ts';
import { mailMessage } from './operator-message.ts';

/** The time limit for sending one mail, even if the server keeps answering slowly. */
const timeoutMs = 20_000;

/**
 * Notifies the operators by mail, as text and HTML. Mails about the same cause have the same Message-ID, so mail
 * systems and people recognize a duplicate. That is why a mail whose outcome is unknown is sent again. If the server
 * accepts only some of several addresses, the mail counts as sent.
 */
export function createMailChannel(mail: NonNullable<Config['notify']['mail']>): OperatorChannel {
  const transport = openMailTransport(mail.smtpUrl);
  return {
    name: 'mail',
    repeatable: true,
    async send(message, causeId, signal) {
      try {
        await transport.sendMail({
          from: mail.from,
          to: mail.to,
          ...mailMessage(message),
          messageId: messageIdOf(causeId, mail.from),
          // These headers ask mail systems not to send an automatic reply, such as "out of office".
          headers: { 'Auto-Submitted': 'auto-generated', 'X-Auto-Response-Suppress': 'All' },
          signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]),
        });
        return { kind: 'sent' };
      } catch (error) {
        const { final, code, message: text } = mailFailure(error);
        return { kind: final ? 'failed' : 'retry', code, message: text };
      }
    },
    close() {
      transport.close({ force: true });
    },
  };
}

/** Builds the Message-ID, such as `<foyer.run_01J…@example.com>`, only from the cause's id and the sender's domain. */
function messageIdOf(causeId: string, from: string): string {
  const domain = /@([A-Za-z0-9.-]+)/.exec(from)?.[1] ?? 'foyer.invalid';
  return `<foyer.${causeId.replace(/[^A-Za-z0-9_-]/g, '.')}@${domain}>`;
}
