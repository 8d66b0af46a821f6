import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';

/**
 * The client's address, as far as it can be believed. Each trusted proxy appends the address that it was called from to
 * X-Forwarded-For; what stands to the left of that was written by the client.
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

/** What limits count by: an IPv4 address, or the /64 of an IPv6 address, since one customer has all of it. */
export function networkOf(address: string): string {
  if (!address.includes(':') || address.startsWith('::ffff:')) return address.replace(/^::ffff:/, '');
  const [head = '', tail] = address.split('::', 2);
  const groups = head === '' ? [] : head.split(':');
  const rest = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros =
    tail === undefined ? [] : Array.from({ length: Math.max(0, 8 - groups.length - rest.length) }, () => '0');
  return [...groups, ...zeros, ...rest].slice(0, 4).join(':');
}
