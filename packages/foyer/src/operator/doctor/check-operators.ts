import type { Config } from '../../config/config.ts';
import { isLoopback } from '../../config/environment-schema.ts';
import type { Queries } from '../../database/database.ts';
import { countNotices } from '../../database/notices.ts';
import { type Finding, fault, ok, warning } from './finding.ts';

const weekMs = 7 * 24 * 3_600_000;

/** Says whether the operator's pages are on, and checks that their password is not sent in the clear. */
export function checkOperatorPages(config: Pick<Config, 'operatorPassword' | 'http'>): Finding {
  const check = 'operator-pages';
  const { baseUrl: publicUrl, secure } = config.http;
  if (config.operatorPassword === undefined)
    return ok(check, 'Off: /operator answers 404. OPERATOR_PASSWORD turns it on.');
  if (!secure && !isLoopback(new URL(publicUrl).hostname)) {
    const fix = 'Put a TLS proxy in front of Foyer, or leave OPERATOR_PASSWORD out.';
    return fault(
      check,
      `On at ${publicUrl}/operator, and the password crosses the network unencrypted.`,
      fix,
    );
  }
  return ok(check, `On at ${publicUrl}/operator.`);
}

/** Checks that a way to notify the operators is configured, and that it worked in the last week. */
export async function checkNotices(
  config: Pick<Config, 'notify'>,
  queries: Queries | undefined,
  now: number,
): Promise<Finding> {
  const check = 'notify';
  const { slackWebhookUrl, mail } = config.notify;
  const ways = [...(slackWebhookUrl ? ['a webhook'] : []), ...(mail ? ['mail'] : [])];
  if (ways.length === 0) {
    const fix =
      'Set NOTIFY_SLACK_WEBHOOK_URL, or NOTIFY_SMTP_URL with NOTIFY_EMAIL_FROM and NOTIFY_EMAIL_TO.';
    return warning(check, 'No one is notified of installs, failed runs, uninstalls and dead tokens.', fix);
  }
  if (queries) {
    const { failed, unconfirmed } = await countNotices(queries, now - weekMs);
    if (failed + unconfirmed > 0) {
      const detail = `Of last week’s notifications, ${failed} could not be sent and ${unconfirmed} stayed unconfirmed.`;
      return warning(
        check,
        detail,
        'Make sure that the webhook still exists and that the mail server accepts mail; `npm run foyer -- list` shows what was missed.',
      );
    }
  }
  return ok(check, `The operators are notified by ${ways.join(' and ')}.`);
}

/** Checks that the mail server can be reached, over TLS if required, and accepts the login. Sends no mail. */
export async function checkMailServer(config: Pick<Config, 'notify'>): Promise<Finding[]> {
  const { mail } = config.notify;
  if (!mail) return [];
  const check = 'mail-server';
  const { mailFailure, openMailTransport } = await import('../../notices/mail-transport.ts');
  const transport = openMailTransport(mail.smtpUrl);
  const given = AbortSignal.timeout(10_000);
  try {
    await Promise.race([
      transport.verify(),
      new Promise((_done, reject) =>
        given.addEventListener('abort', () => reject(given.reason), { once: true }),
      ),
    ]);
    return [ok(check, 'The mail server answers and accepts the login.')];
  } catch (error) {
    if (given.aborted) return [fault(check, 'The mail server did not answer in time.', mailFix)];
    return [fault(check, `${mailFailure(error).message}.`, mailFix)];
  } finally {
    transport.close({ force: true });
  }
}

const mailFix =
  'Check host, port, user and password of NOTIFY_SMTP_URL (smtps:// is TLS from the start, usually port 465; smtp:// is STARTTLS, usually 587).';
