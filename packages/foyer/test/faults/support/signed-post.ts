import { createHmac } from 'node:crypto';

/** What Slack would post to an app, signed with the app's secret. */
export interface SignedPost {
  /** Foyer's own address. */
  url: string;
  signingSecret: string;
  /** An event's envelope, or the payload of an interaction. */
  body: Record<string, unknown>;
  /** When the request is signed, in milliseconds. By default the real time. */
  now?: number;
  /** Whether to send the body as a form, as Slack sends a press. By default true, except for an event. */
  form?: boolean;
}

/** Posts a signed request to `/slack/events`: JSON for an event, a form for a press. */
export async function signedPost({
  url,
  signingSecret,
  body,
  now = Date.now(),
  form = body.type !== 'event_callback',
}: SignedPost): Promise<Response> {
  const isEvent = !form;
  const text = isEvent
    ? JSON.stringify(body)
    : new URLSearchParams({ payload: JSON.stringify(body) }).toString();
  const timestamp = Math.floor(now / 1000);
  const signature = createHmac('sha256', signingSecret).update(`v0:${timestamp}:${text}`).digest('hex');
  return fetch(`${url}/slack/events`, {
    method: 'POST',
    headers: {
      'content-type': isEvent ? 'application/json' : 'application/x-www-form-urlencoded',
      'x-slack-request-timestamp': String(timestamp),
      'x-slack-signature': `v0=${signature}`,
      connection: 'close',
    },
    body: text,
    signal: AbortSignal.timeout(30_000),
  });
}
