import type { SlackAnswer } from './slack-transport.ts';

/**
 * Makes a Response of an answer that was read already. Its body is had by `text`, `json` and `arrayBuffer`, which is how
 * Slack's SDK reads one, and by those of a clone, which is how an exchange is watched (invariant 1).
 *
 * Why: a Response wraps its body in a stream, only for it to be collected again.
 */
export function readResponse(answer: SlackAnswer): Response {
  const { status, headers, body } = answer;
  return Object.assign(new Response(null, { status, headers }), {
    text: async () => body.toString('utf8'),
    json: async () => JSON.parse(body.toString('utf8')),
    arrayBuffer: async () => new Uint8Array(body).buffer,
    clone: () => readResponse(answer),
  });
}
