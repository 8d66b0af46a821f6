import { Refusal } from './refusal.ts';

/** One page of a list, with a cursor in Slack's form for the next page (empty on the last). Throws `invalid_cursor`. */
export function pageOf<T>(
  items: readonly T[],
  limit: number,
  cursor: string | undefined,
): { items: T[]; nextCursor: string } {
  const start = cursor ? readCursor(cursor) : 0;
  const end = start + limit;
  const nextCursor = end < items.length ? Buffer.from(`offset:${end}`).toString('base64') : '';
  return { items: items.slice(start, end), nextCursor };
}

function readCursor(cursor: string): number {
  const start = /^offset:(\d+)$/.exec(Buffer.from(cursor, 'base64').toString('utf8'))?.[1];
  if (start === undefined) throw new Refusal('invalid_cursor');
  return Number(start);
}
