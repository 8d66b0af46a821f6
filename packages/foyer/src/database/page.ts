/**
 * Why keysets and not page numbers: `offset` reads every row that it skips, and a list that grows at its head would
 * show a row twice. A page starts next to a known row, which an index finds at once.
 */

/** A row's position in a list that goes from new to old. */
export interface PagePosition {
  /** Milliseconds since 1970. */
  at: number;
  id: string;
}

/** Which rows a page holds: those next to this position, on its older or its newer side. */
export interface PageCursor extends PagePosition {
  towards: 'older' | 'newer';
}

/**
 * A part of a list, newest first; `newer` is the position of its first row, `older` that of its last; each is null if
 * no row lies beyond.
 */
export interface Page<Row> {
  rows: Row[];
  newer: PagePosition | null;
  older: PagePosition | null;
}

/**
 * Makes a page from the rows that a query found, in the query's own order. The query must have the limit `limit` + 1,
 * which shows whether more rows follow.
 */
export function toPage<Row>(
  found: readonly Row[],
  page: { limit: number; cursor?: PageCursor; positionOf(row: Row): PagePosition },
): Page<Row> {
  const { limit, cursor, positionOf } = page;
  const rows = found.slice(0, limit);
  const hasMore = found.length > limit;
  const upwards = cursor?.towards === 'newer';
  if (upwards) rows.reverse();
  const [first, last] = [rows.at(0), rows.at(-1)];
  return {
    rows,
    newer: first && (upwards ? hasMore : cursor !== undefined) ? positionOf(first) : null,
    older: last && (upwards || hasMore) ? positionOf(last) : null,
  };
}
