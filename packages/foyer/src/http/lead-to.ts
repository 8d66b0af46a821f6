import type { ServerResponse } from 'node:http';

/** Redirects a browser. A request that took too long has already been answered: then it does nothing. */
export function leadTo(
  res: ServerResponse,
  status: 302 | 303,
  location: string,
  cookies: string[] = [],
): void {
  if (res.headersSent) return;
  // Slack's provider deletes a cookie of its own. Ours stays, so that a callback can be repeated.
  res.removeHeader('Set-Cookie');
  const setCookie = cookies.length > 0 && { 'Set-Cookie': cookies };
  const headers = { 'Cache-Control': 'no-store', 'Referrer-Policy': 'no-referrer', ...setCookie };
  res.writeHead(status, { Location: location, ...headers }).end();
}
