import { createHmac, createSecretKey } from 'node:crypto';
import type { PreparedRequest } from './send-requests.ts';

/** The Slack app that every contender serves. */
export const app = {
  id: 'A0BENCH0001',
  clientId: '1111111111.2222222222',
  clientSecret: 'client-secret-of-the-bench',
  signingSecret: '8f742231b10e8888abcd99yyyzzz85a5',
  botUserId: 'U0BENCHBOT',
};

export const teamIdOf = (number: number): string => `T${String(number).padStart(10, '0')}`;
/** The person who installed the app in the team with this number. */
export const installerIdOf = (number: number): string => `U${String(number).padStart(10, '0')}`;

const key = createSecretKey(Buffer.from(app.signingSecret, 'utf8'));

/** Signs a body as Slack does; the signature is valid for five minutes. */
export function signedRequest(body: string): PreparedRequest {
  const timestamp = Math.floor(Date.now() / 1000);
  const signature = createHmac('sha256', key).update(`v0:${timestamp}:${body}`).digest('hex');
  return {
    body,
    headers: [
      'User-Agent',
      'Slackbot 1.0 (+https://api.slack.com/robots)',
      'Accept',
      '*/*',
      'Accept-Encoding',
      'gzip,deflate',
      'Content-Type',
      'application/json',
      'X-Slack-Request-Timestamp',
      String(timestamp),
      'X-Slack-Signature',
      `v0=${signature}`,
    ],
  };
}

let delivered = 0;

function delivery(teamNumber: number, event: object): PreparedRequest {
  const teamId = teamIdOf(teamNumber);
  delivered += 1;
  const body = {
    token: 'ZZZZZZWSxiZZZ2yIvs3peJ',
    team_id: teamId,
    context_team_id: teamId,
    context_enterprise_id: null,
    api_app_id: app.id,
    event,
    type: 'event_callback',
    // Unique, because Foyer does not call the listeners for an event whose id it has seen before.
    event_id: `Ev${process.pid}X${String(delivered).padStart(8, '0')}`,
    event_time: Math.floor(Date.now() / 1000),
    authorizations: [
      {
        enterprise_id: null,
        team_id: teamId,
        user_id: app.botUserId,
        is_bot: true,
        is_enterprise_install: false,
      },
    ],
    is_ext_shared_channel: false,
    event_context: `4-eyJldCI6Im1lc3NhZ2UiLCJ0aWQiOiIke3RlYW1JZH0iLCJhaWQiOiJBMEJFTkNIIn0${teamId}`,
  };
  return signedRequest(JSON.stringify(body));
}

/**
 * A signed message in a channel, with the shape and size that Slack sends: about 1.3 kB, of which the body is 1.1 kB.
 */
export function messageEvent(teamNumber: number): PreparedRequest {
  const ts = `${Math.floor(Date.now() / 1000)}.${String(delivered % 1_000_000).padStart(6, '0')}`;
  const text = "Could somebody have a look at this morning's deploy? The canary is red again :eyes:";
  return delivery(teamNumber, {
    user: installerIdOf(teamNumber),
    type: 'message',
    ts,
    client_msg_id: '0f3a2b1c-9d8e-4f70-8a6b-5c4d3e2f1a0b',
    text,
    team: teamIdOf(teamNumber),
    blocks: [
      {
        type: 'rich_text',
        block_id: 'a1B2c',
        elements: [
          {
            type: 'rich_text_section',
            elements: [
              { type: 'text', text: text.replace(' :eyes:', ' ') },
              { type: 'emoji', name: 'eyes', unicode: '1f440' },
            ],
          },
        ],
      },
    ],
    channel: `C${String(teamNumber).padStart(10, '0')}`,
    event_ts: ts,
    channel_type: 'channel',
  });
}

/** A signed event that says that the installer of the team with this number opened App Home. */
export function homeOpenedEvent(teamNumber: number): PreparedRequest {
  return delivery(teamNumber, {
    type: 'app_home_opened',
    user: installerIdOf(teamNumber),
    channel: `D${String(teamNumber).padStart(10, '0')}`,
    tab: 'home',
    event_ts: `${Math.floor(Date.now() / 1000)}.000100`,
  });
}
