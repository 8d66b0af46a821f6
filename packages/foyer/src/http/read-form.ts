import type { IncomingMessage } from 'node:http';
import type { BodyReader, BodyRefusal } from './read-body.ts';

/** The size limit of a form, if the caller sets no other. Most of Foyer's forms are far smaller. */
const mostFormBytes = 16 * 1024;

/**
 * Reads a request's form, or returns the HTTP status that refuses it. Accepts only urlencoded forms, within the time
 * and the budget that all bodies share. Leaves out U+0000, which Postgres refuses and no one can type.
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
 * referrer, so a browser without `Sec-Fetch-Site` sends `Origin: null`, or no `Origin` header. Either counts as true:
 * then the form's own token decides. (developer.mozilla.org/docs/Web/HTTP/Reference/Headers/Origin#description)
 */
export function isFromHere(headers: IncomingMessage['headers'], publicUrl: string): boolean {
  const site = headers['sec-fetch-site'];
  if (site !== undefined) return site === 'same-origin';
  const { origin } = headers;
  if (origin === undefined || origin === 'null') return true;
  return origin === publicUrl || (URL.canParse(origin) && new URL(origin).host === headers.host);
}
