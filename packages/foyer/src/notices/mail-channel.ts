import type { Config } from '../config/config.ts';
import { mailFailure, openMailTransport } from './mail-transport.ts';
import type { OperatorChannel } from './operator-channel.ts';
import { mailMessage } from './operator-message.ts';

/** The whole of one sending, however slowly a server trickles its answers. */
const timeoutMs = 20_000;

/**
 * Tells the operators by mail, as text and HTML. Every sending of the same cause carries the same Message-ID, by which
 * mail systems and people recognise one that came twice; so one of unknown outcome is sent again. Where a server takes
 * it for some of several addresses, it counts as sent.
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
          // What is written by itself asks for no answer by itself: no "out of office" comes back.
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

/** `<run_01J….installed@example.com>`: made of the cause alone, in the sender's domain. */
export function messageIdOf(causeId: string, from: string): string {
  const domain = /@([A-Za-z0-9.-]+)/.exec(from)?.[1] ?? 'foyer.invalid';
  return `<foyer.${causeId.replace(/[^A-Za-z0-9_-]/g, '.')}@${domain}>`;
}
