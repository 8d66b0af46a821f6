import { cutToWidth, displayWidth } from './display-width.ts';
import type { Output, Style } from './output.ts';
import { plainText } from './plain-text.ts';

/** One column of a table: what it shows of a row, as data (made safe here), and how that is highlighted. */
export interface Column<Row> {
  title: string;
  value: (row: Row) => string | number | null;
  style?: (row: Row) => Style | undefined;
  /** On a terminal longer values are cut to this width; in a pipe they stay whole, for grep. */
  maxWidth?: number;
}

type Canvas = Pick<Output, 'style' | 'isTerminal'>;

/** Lines of aligned columns under their titles; `-` if a value is absent. Looks the same in a pipe, without colors. */
export function table<Row>(output: Canvas, columns: readonly Column<Row>[], rows: readonly Row[]): string {
  return createTable(output, columns)(rows);
}

/** The same for rows that come in pages: only the first page has titles, and columns never get narrower later. */
export function createTable<Row>(
  output: Canvas,
  columns: readonly Column<Row>[],
): (rows: readonly Row[]) => string {
  const widths = columns.map(({ title }) => displayWidth(title));
  let hasTitles = false;
  return (rows) => {
    const grid = rows.map((row) => columns.map((column) => cellText(output, column, row)));
    for (const cells of grid)
      for (const [at, text] of cells.entries()) widths[at] = Math.max(widths[at] ?? 0, displayWidth(text));
    const pad = (text: string, at: number) =>
      at === columns.length - 1 ? '' : ' '.repeat((widths[at] ?? 0) - displayWidth(text) + 2);
    const titles = columns.map(({ title }, at) => output.style('dim', title) + pad(title, at)).join('');
    const lines = rows.map((row, line) =>
      columns
        .map((column, at) => {
          const text = grid[line]?.[at] ?? '';
          const style = column.style?.(row);
          return (style ? output.style(style, text) : text) + pad(text, at);
        })
        .join(''),
    );
    const head = hasTitles ? [] : [titles];
    hasTitles = true;
    return [...head, ...lines].join('\n');
  };
}

/** Lines of `name  value`, aligned; a field whose value is null is left out. */
export function fieldLines(fields: readonly (readonly [name: string, value: string | null])[]): string {
  const present = fields.filter((field): field is [string, string] => field[1] !== null);
  const width = Math.max(0, ...present.map(([name]) => displayWidth(name)));
  return present.map(([name, value]) => `  ${name.padEnd(width)}  ${plainText(value)}`).join('\n');
}

function cellText<Row>(output: Canvas, column: Column<Row>, row: Row): string {
  const value = column.value(row);
  const text = value === null || value === '' ? '-' : plainText(String(value));
  return output.isTerminal && column.maxWidth ? cutToWidth(text, column.maxWidth) : text;
}
