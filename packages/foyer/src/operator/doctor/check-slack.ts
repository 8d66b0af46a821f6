import type { Config } from '../../config/config.ts';
import type { SlackClientFactory } from '../../slack/create-slack-client.ts';
import { slackFailure } from '../../slack/slack-failure.ts';
import { createSlackTransport } from '../../slack/slack-transport.ts';
import { type Finding, findingsOf } from './finding.ts';
import { networkReason } from './network-reason.ts';

const reach = findingsOf('slack');
const clock = findingsOf('clock');

const timeoutMs = 5000;

/**
 * Checks that Foyer's own transport can reach Slack, and that this machine's clock agrees with Slack's. If the clock
 * here is wrong, Slack still accepts Foyer's calls, but Foyer refuses Slack's requests.
 */
export async function checkSlack(config: Pick<Config, 'slack'>, now: () => number): Promise<Finding[]> {
  const { apiUrl } = config.slack;
  try {
    const askedAt = now();
    const response = await createSlackTransport(config.slack)(`${apiUrl}api.test`, {
      method: 'POST',
      headers: {},
      body: '',
      signal: AbortSignal.timeout(timeoutMs),
    });
    const clock = clockFinding(response.headers.get('date'), (askedAt + now()) / 2);
    if (response.status !== 200)
      return [notReached(`${apiUrl}api.test answers with HTTP ${response.status}`), clock];
    return [reach.ok(`Slack answers at ${apiUrl}.`), clock];
  } catch (error) {
    return [
      notReached(`${apiUrl}api.test ${networkReason(error)}`),
      clock.unchecked('Slack does not answer'),
    ];
  }
}

function notReached(what: string): Finding {
  const fix =
    'Allow this machine to make https connections to slack.com (firewall, proxy, DNS); slack-status.com shows outages.';
  return reach.fault(`${what}.`, fix);
}

/**
 * Compares this machine's clock with Slack's. Slack's Date header has no fraction of a second, so half a second is
 * added to its time.
 */
function clockFinding(date: string | null, now: number): Finding {
  const theirs = date === null ? Number.NaN : Date.parse(date) + 500;
  if (Number.isNaN(theirs)) return clock.unchecked('Slack’s answer has no date');
  const seconds = Math.round((now - theirs) / 1000);
  const distance = `${Math.abs(seconds)} s ${seconds > 0 ? 'ahead of' : 'behind'} Slack’s`;
  const fix = 'Synchronize this machine’s clock with NTP (timedatectl set-ntp true).';
  if (Math.abs(seconds) >= 240) {
    const detail = `This machine’s clock is ${distance}. If the difference reaches five minutes, Foyer refuses every request from Slack as a replay.`;
    return clock.fault(detail, fix);
  }
  if (Math.abs(seconds) >= 30) return clock.warning(`This machine’s clock is ${distance}.`, fix);
  return clock.ok('This machine’s clock agrees with Slack’s.');
}

/**
 * Checks the client id and secret by asking Slack to exchange a code that was never issued. Slack checks the app first
 * (`invalid_client_id`, `bad_client_secret`) and the code last (`invalid_code`), so the request changes nothing at
 * Slack. Slack offers no way to check the signing secret, so this function checks only that it differs from the client
 * secret. (docs.slack.dev/reference/methods/oauth.v2.access#errors)
 */
export async function checkCredentials(
  config: Pick<Config, 'slack'>,
  slack: SlackClientFactory,
): Promise<Finding> {
  const { ok, fault, unchecked } = findingsOf('credentials');
  const { clientId, clientSecret, signingSecret } = config.slack;
  const where = 'Copy it again from the app’s Basic Information page at api.slack.com/apps.';
  if (clientSecret === signingSecret) {
    return fault(
      'SLACK_SIGNING_SECRET is the same as SLACK_CLIENT_SECRET.',
      `The signing secret is a different value. ${where}`,
    );
  }
  try {
    const request = { client_id: clientId, client_secret: clientSecret, code: 'foyer-doctor-asks' };
    await slack(undefined, { timeoutMs }).oauth.v2.access(request);
  } catch (error) {
    const failure = slackFailure(error);
    if (!failure) throw error;
    switch (failure.code) {
      case 'invalid_code':
        return ok(
          'Slack accepts the client id and secret. (The first event shows whether the signing secret is right.)',
        );
      case 'invalid_client_id':
        return fault('Slack does not know SLACK_CLIENT_ID.', where);
      case 'bad_client_secret':
        return fault('SLACK_CLIENT_SECRET is not this app’s.', where);
      default:
        return unchecked(`${failure.message} when asked about the client id and secret`);
    }
  }
  return unchecked('Slack accepted a code that it never issued');
}
