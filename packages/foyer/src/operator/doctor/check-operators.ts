import type { Config } from '../../config/config.ts';
import { counted } from '../../config/counted.ts';
import { isLoopback } from '../../config/environment-schema.ts';
import type { Queries } from '../../database/database.ts';
import { countNotices, listChannelTroubles } from '../../database/notices.ts';
import { type Finding, findingsOf } from './finding.ts';
import { networkReason } from './network-reason.ts';

const weekMs = 7 * 24 * 3_600_000;

/**
 * Reports whether the operator's pages are on, and checks that no password or session crosses the network in the clear.
 */
export function checkOperatorPages(
  config: Pick<Config, 'operatorPassword' | 'operatorSlackUsers' | 'http'>,
): Finding {
  const { ok, fault } = findingsOf('operator-pages');
  const { baseUrl: publicUrl, secure } = config.http;
  const hasPassword = config.operatorPassword !== undefined;
  if (!hasPassword && config.operatorSlackUsers.length === 0)
    return ok(
      'The operator pages are off: /operator answers 404. OPERATOR_PASSWORD or OPERATOR_SLACK_USERS turns them on.',
    );
  if (!secure && !isLoopback(new URL(publicUrl).hostname)) {
    const what = hasPassword ? 'the password' : 'each operator’s session';
    const names = [
      ...(hasPassword ? ['OPERATOR_PASSWORD'] : []),
      ...(config.operatorSlackUsers.length > 0 ? ['OPERATOR_SLACK_USERS'] : []),
    ];
    const fix = `Put a TLS proxy in front of Foyer, or remove ${names.join(' and ')}.`;
    return fault(
      `The operator pages are on at ${publicUrl}/operator, but ${what} crosses the network unencrypted.`,
      fix,
    );
  }
  return ok(`The operator pages are on at ${publicUrl}/operator.`);
}

/** Checks that a channel to notify the operators is configured, and that it accepted the messages of the last week. */
export async function checkNotices(
  config: Pick<Config, 'notify' | 'slack'>,
  queries: Queries | undefined,
  now: number,
): Promise<Finding> {
  const { ok, warning } = findingsOf('notify');
  const { slackWebhookUrl, mail } = config.notify;
  const { clientId } = config.slack;
  const ways = [...(slackWebhookUrl ? ['a webhook'] : []), ...(mail ? ['mail'] : [])];
  if (ways.length === 0) {
    const fix =
      'Set NOTIFY_SLACK_WEBHOOK_URL, or NOTIFY_SMTP_URL with NOTIFY_EMAIL_FROM and NOTIFY_EMAIL_TO.';
    return warning(
      'Foyer does not notify you of installs, failed runs, uninstalls and dead tokens: no channel is set up.',
      fix,
    );
  }
  const [trouble] = queries ? await listChannelTroubles(queries, clientId) : [];
  if (trouble) {
    const name = trouble.channel === 'webhook' ? 'webhook' : 'mail server';
    const since = new Date(trouble.since).toISOString().slice(0, 16).replace('T', ' ');
    return warning(
      `The ${name} has accepted no notification since ${since} UTC (${trouble.errorCode ?? 'no answer'}). Installs are not affected.`,
      `Fix it (see the check “${trouble.channel === 'webhook' ? 'webhook' : 'mail-server'}”): Foyer tries for a day to deliver waiting messages. \`npm run foyer -- list\` shows what was missed, and \`npm run foyer -- retry --failed --step notify-operators\` then sends the missed messages about installs.`,
    );
  }
  if (queries) {
    const { failed, unconfirmed } = await countNotices(queries, { clientId, since: now - weekMs });
    if (failed + unconfirmed > 0) {
      return warning(
        `In the last seven days, ${counted(failed, 'notification')} could not be sent and ${unconfirmed} could not be confirmed.`,
        'As far as Foyer knows, no channel is failing now. `npm run foyer -- list` shows what was missed, and `npm run foyer -- retry --failed --step notify-operators` sends the missed messages about installs.',
      );
    }
  }
  return ok(`The operators are notified by ${ways.join(' and ')}.`);
}

/**
 * Checks that the webhook still exists, without posting a message. Slack checks the webhook first (404 `no_service`,
 * 403, 410) and then the body. The body here is not JSON, so Slack posts nothing and answers 400 `invalid_payload`.
 * (api.slack.com/changelog/2016-05-17-changes-to-errors-for-incoming-webhooks)
 */
export async function checkWebhook(config: Pick<Config, 'notify'>): Promise<Finding[]> {
  const { slackWebhookUrl } = config.notify;
  if (slackWebhookUrl === undefined) return [];
  const { ok, warning, fault } = findingsOf('webhook');
  const fix =
    'Add a new webhook on the app’s Incoming Webhooks page at api.slack.com/apps, set NOTIFY_SLACK_WEBHOOK_URL to it, and restart Foyer.';
  try {
    const { status } = await fetch(slackWebhookUrl, {
      method: 'POST',
      redirect: 'manual',
      headers: { 'content-type': 'application/json', connection: 'close' },
      body: 'This request from the command doctor only tests whether the webhook exists.',
      signal: AbortSignal.timeout(5000),
    });
    if (status === 403 || status === 404 || status === 410) {
      const reason =
        status === 410 ? 'its channel is archived' : 'it was removed, or is no longer allowed to post';
      return [fault(`The webhook no longer works (HTTP ${status}): ${reason}.`, fix)];
    }
    if (status >= 500 || (status >= 300 && status < 400)) {
      const later =
        'Run doctor again in a few minutes. If this continues, check the address (NOTIFY_SLACK_WEBHOOK_URL).';
      return [warning(`The webhook’s server answers with HTTP ${status}.`, later)];
    }
    return [ok('The webhook exists.')];
  } catch (error) {
    const reach =
      'Check NOTIFY_SLACK_WEBHOOK_URL, and allow this machine to reach its host (firewall, proxy, DNS).';
    return [fault(`The webhook’s server ${networkReason(error)}.`, reach)];
  }
}

/** Checks that the mail server can be reached, over TLS if required, and accepts the login. Sends no mail. */
export async function checkMailServer(config: Pick<Config, 'notify'>): Promise<Finding[]> {
  const { mail } = config.notify;
  if (!mail) return [];
  const { ok, fault } = findingsOf('mail-server');
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
    return [ok('The mail server answers and accepts the login.')];
  } catch (error) {
    if (given.aborted) return [fault('The mail server did not answer in time.', mailFix)];
    return [fault(`${mailFailure(error).message}.`, mailFix)];
  } finally {
    transport.close({ force: true });
  }
}

const mailFix =
  'Check host, port, user and password of NOTIFY_SMTP_URL (smtps:// is TLS from the start, usually port 465; smtp:// is STARTTLS, usually 587).';
