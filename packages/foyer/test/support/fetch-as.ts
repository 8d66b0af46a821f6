import { type IncomingMessage, request } from 'node:http';

/**
 * Sends a request to `url` with the Host header `host`, like a proxy; `fetch` cannot set that header.
 * Follows no redirect.
 */
export async function fetchAs(
  host: string,
  url: string,
  init: { method?: string; headers?: Record<string, string>; body?: string } = {},
): Promise<Response> {
  const { method = 'GET', headers, body } = init;
  const answer = await new Promise<IncomingMessage>((resolve, reject) => {
    const sent = request(url, { method, headers: { ...headers, host }, agent: false }, resolve);
    sent.on('error', reject).end(body);
  });
  const parts: Buffer[] = [];
  for await (const part of answer) parts.push(part);
  const heard = new Headers();
  for (let n = 0; n < answer.rawHeaders.length; n += 2) {
    heard.append(answer.rawHeaders[n] ?? '', answer.rawHeaders[n + 1] ?? '');
  }
  return new Response(Buffer.concat(parts), { status: answer.statusCode, headers: heard });
}
