import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';

/**
 * The address of whoever asks, as far as it can be believed: each trusted proxy adds at the right of X-Forwarded-For
 * where its request came from, and whatever stands left of that was written by the visitor.
 */
export function clientAddress(req: IncomingMessage, trustProxy: number): string {
  const direct = req.socket.remoteAddress ?? '';
  if (trustProxy === 0) return direct;
  const header = req.headers['x-forwarded-for'] ?? '';
  const forwarded = String(header)
    .split(',')
    .map((part) => part.trim())
    .filter(Boolean);
  const address = [...forwarded, direct].at(-1 - trustProxy) ?? forwarded[0] ?? direct;
  return isIP(address) === 0 ? direct : address;
}
