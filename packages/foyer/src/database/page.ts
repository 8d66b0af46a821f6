/**
 * Why pages begin next to a known row (keyset pagination) and have no numbers: an index finds that row directly, while
 * `offset` reads every row that it skips. Also, if someone goes through numbered pages while rows are added at the head
 * of the list, they see some rows twice.
 */

/** A row's position in a list that goes from new to old. */
export interface PagePosition {
  /** Milliseconds since 1970. */
  at: number;
  id: string;
}

/** Which rows a page shows: the rows that are older than this position, or those that are newer. */
export interface PageCursor extends PagePosition {
  towards: 'older' | 'newer';
}

/**
 * A part of a list, newest first. `newer` is the position of its first row, or null if the list has no newer rows.
 * `older` is the position of its last row, or null if the list has no older rows.
 */
export interface Page<Row> {
  rows: Row[];
  newer: PagePosition | null;
  older: PagePosition | null;
}

/**
 * Makes a page from the rows that a query found. The query must return the rows that are nearest to the cursor first.
 * If it looks for older rows, it must sort from new to old. If it looks for newer rows, it must sort from old to new.
 * It must ask for `limit` + 1 rows, because the extra row shows that the list continues.
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
