import { createHmac } from 'node:crypto';

/** Slack's v0 request signature. Source: docs.slack.dev/authentication/verifying-requests-from-slack */
export function signRequest({
  signingSecret,
  timestampSeconds,
  body,
}: {
  signingSecret: string;
  timestampSeconds: number;
  body: string;
}): string {
  return `v0=${createHmac('sha256', signingSecret).update(`v0:${timestampSeconds}:${body}`).digest('hex')}`;
}
