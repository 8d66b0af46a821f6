import type { Config } from '../config/config.ts';
import { mailFailure, openMailTransport } from './mail-transport.ts';
import type { OperatorChannel } from './operator-channel.ts';
import { mailMessage } from './operator-message.ts';

/** The time limit for sending one mail, even if the server trickles its answers. */
const timeoutMs = 20_000;

/**
 * Notifies the operators by mail, as text and HTML. Every mail about the same cause has the same Message-ID, so mail
 * systems and people recognize a duplicate; a mail of unknown outcome is therefore sent again. If the server accepts
 * only some of several addresses, the mail counts as sent.
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
          // An automatic mail asks for no automatic reply, such as an "out of office".
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

/** Builds `<foyer.run_01J…@example.com>` from the cause alone, in the domain of the sender. */
function messageIdOf(causeId: string, from: string): string {
  const domain = /@([A-Za-z0-9.-]+)/.exec(from)?.[1] ?? 'foyer.invalid';
  return `<foyer.${causeId.replace(/[^A-Za-z0-9_-]/g, '.')}@${domain}>`;
}
