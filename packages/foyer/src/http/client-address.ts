import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';

/**
 * Returns the client's address, as far as it can be trusted. Each trusted proxy appends the address of its caller to
 * X-Forwarded-For; the client itself wrote everything to the left of those entries.
 */
export function clientAddress(req: Pick<IncomingMessage, 'headers' | 'socket'>, trustProxy: number): string {
  // A request that came through `fetch` has no socket.
  const direct = req.socket?.remoteAddress ?? '';
  if (trustProxy === 0) return direct;
  const header = req.headers['x-forwarded-for'] ?? '';
  const forwarded = String(header)
    .split(',')
    .map((part) => part.trim())
    .filter(Boolean);
  const address = [...forwarded, direct].at(-1 - trustProxy) ?? forwarded[0] ?? direct;
  return isIP(address) === 0 ? direct : address;
}

/** The key of the limits: an IPv4 address, or the /64 of an IPv6 address, since one customer controls all of it. */
export function networkOf(address: string): string {
  if (!address.includes(':') || address.startsWith('::ffff:')) return address.replace(/^::ffff:/, '');
  const [head = '', tail] = address.split('::', 2);
  const groups = head === '' ? [] : head.split(':');
  const rest = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros =
    tail === undefined ? [] : Array.from({ length: Math.max(0, 8 - groups.length - rest.length) }, () => '0');
  return [...groups, ...zeros, ...rest].slice(0, 4).join(':');
}
