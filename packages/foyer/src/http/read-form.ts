import type { IncomingMessage } from 'node:http';
import type { BodyReader, BodyRefusal } from './read-body.ts';

/** The size limit of a form, unless the caller sets another one. Most of Foyer's forms are far smaller. */
const mostFormBytes = 16 * 1024;

/**
 * Reads a request's form, or returns the HTTP status to refuse it with. Accepts only urlencoded forms, within the time
 * limit and the budget of all bodies. Removes U+0000, because Postgres refuses it and no one can type it.
 */
export async function readForm(
  bodies: Pick<BodyReader, 'read'>,
  req: IncomingMessage,
  mostBytes = mostFormBytes,
): Promise<URLSearchParams | BodyRefusal | 415> {
  const [type = ''] = (req.headers['content-type'] ?? '').split(';', 1);
  if (type.trim().toLowerCase() !== 'application/x-www-form-urlencoded') return 415;
  const body = await bodies.read(req, mostBytes);
  if (typeof body === 'number') return body;
  return new URLSearchParams(body.toString('utf8').replaceAll('%00', '').replaceAll('\0', ''));
}

/**
 * Returns whether a form was sent from one of Foyer's pages, as far as the browser reports it. These pages send no
 * referrer, so a browser that does not send `Sec-Fetch-Site` sends `Origin: null` or no `Origin` header. In both cases
 * this returns true, because the form's own token then decides.
 * (developer.mozilla.org/docs/Web/HTTP/Reference/Headers/Origin#description)
 */
export function isFromHere(headers: IncomingMessage['headers'], publicUrl: string): boolean {
  const site = headers['sec-fetch-site'];
  if (site !== undefined) return site === 'same-origin';
  const { origin } = headers;
  if (origin === undefined || origin === 'null') return true;
  return origin === publicUrl || (URL.canParse(origin) && new URL(origin).host === headers.host);
}
