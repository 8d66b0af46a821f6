import type { IncomingMessage } from 'node:http';
import getRawBody from 'raw-body';
import { bodyReadBefore } from './read-body.ts';

/** A form of ours is far smaller. */
const mostFormBytes = 16 * 1024;

/** A request's form, or the HTTP status that refuses it: bounded before it is read, and urlencoded alone. */
export async function readForm(req: IncomingMessage): Promise<URLSearchParams | 400 | 413 | 415> {
  const [type = ''] = (req.headers['content-type'] ?? '').split(';', 1);
  if (type.trim().toLowerCase() !== 'application/x-www-form-urlencoded') return 415;
  if (req.readableEnded) {
    const body = bodyReadBefore(req, mostFormBytes);
    if (typeof body === 'number') return body === 413 ? 413 : 400;
    return new URLSearchParams(body.toString('utf8'));
  }
  try {
    const body = await getRawBody(req, { length: req.headers['content-length'], limit: mostFormBytes });
    return new URLSearchParams(body.toString('utf8'));
  } catch (error) {
    return error instanceof Error && 'type' in error && error.type === 'entity.too.large' ? 413 : 400;
  }
}

/**
 * Whether a form was sent from a page of ours, as far as the browser says so. Our pages send no referrer, so browsers
 * that do not know Sec-Fetch-Site send `null` as the origin: then the form's own token decides.
 * (developer.mozilla.org/docs/Web/HTTP/Reference/Headers/Origin#description)
 */
export function isFromHere(headers: IncomingMessage['headers'], publicUrl: string): boolean {
  const site = headers['sec-fetch-site'];
  if (site !== undefined) return site === 'same-origin';
  const { origin } = headers;
  if (origin === undefined || origin === 'null') return true;
  return origin === publicUrl || (URL.canParse(origin) && new URL(origin).host === headers.host);
}
