import { wrapAnsi } from 'fast-wrap-ansi';
import type { Output, Style } from './output.ts';
import { plainText } from './plain-text.ts';

/** One column of a table: its title, the value that it shows (the table makes it safe), and the style of the value. */
export interface Column<Row> {
  title: string;
  value: (row: Row) => string | number | null;
  style?: (row: Row) => Style | undefined;
}

type Canvas = Pick<Output, 'style' | 'width'>;

const gap = 2;
/**
 * A word of up to 12 columns is never broken. A word of up to 32 columns, such as a run's id, is broken only if the
 * table does not fit otherwise.
 */
const wholeWords = [32, 12] as const;

/**
 * Builds lines of aligned columns under their titles. An absent value is shown as `-`. On a terminal, values wrap so
 * that the table fits the terminal's width if possible. In a pipe, each row is one line, so that grep works.
 */
export function table<Row>(output: Canvas, columns: readonly Column<Row>[], rows: readonly Row[]): string {
  return createTable(output, columns)(rows);
}

/**
 * Builds a table from rows that come in pages. Only the first page has titles. The columns are wide enough for all rows
 * so far.
 */
export function createTable<Row>(
  output: Canvas,
  columns: readonly Column<Row>[],
): (rows: readonly Row[]) => string {
  const natural = columns.map(({ title }) => displayWidth(title));
  const longest = columns.map(({ title }) => longestWord(title));
  let hasTitles = false;
  return (rows) => {
    const grid = rows.map((row) => columns.map((column) => cellText(column, row)));
    for (const cells of grid)
      for (const [at, text] of cells.entries()) {
        natural[at] = Math.max(natural[at] ?? 0, displayWidth(text));
        if (Number.isFinite(output.width)) longest[at] = Math.max(longest[at] ?? 0, longestWord(text));
      }
    const room = output.width - gap * (columns.length - 1);
    const widths = fit(natural, longest, room);
    const titles = line(columns.map(({ title }) => title));
    const lines = rows.map((row, at) =>
      line(
        grid[at] ?? [],
        columns.map((column) => column.style?.(row)),
      ),
    );
    const head = hasTitles ? [] : [titles];
    hasTitles = true;
    return [...head, ...lines].join('\n');

    function line(cells: readonly string[], styles?: readonly (Style | undefined)[]): string {
      const wrapped = cells.map((text, at) => wrap(text, widths[at] ?? 0));
      const height = Math.max(...wrapped.map((parts) => parts.length));
      return Array.from({ length: height }, (_, row) =>
        wrapped
          .map((parts, at) => {
            const text = parts[row] ?? '';
            const style = styles ? styles[at] : 'dim';
            const pad = at === columns.length - 1 ? 0 : (widths[at] ?? 0) - displayWidth(text) + gap;
            return (style && text ? output.style(style, text) : text) + ' '.repeat(Math.max(0, pad));
          })
          .join('')
          .trimEnd(),
      ).join('\n');
    }
  };
}

/**
 * Computes the widths of the columns. Their sum is at most `room`, if possible. The column with the most spare width
 * shrinks first.
 */
function fit(natural: readonly number[], longest: readonly number[], room: number): number[] {
  const widths = [...natural];
  let excess = widths.reduce((sum, width) => sum + width, 0) - room;
  for (const whole of wholeWords) {
    while (excess > 0) {
      const spare = widths.map((width, at) => width - Math.min(longest[at] ?? 0, whole));
      const most = Math.max(...spare);
      if (most <= 0) break;
      widths[spare.indexOf(most)] = (widths[spare.indexOf(most)] ?? 0) - 1;
      excess -= 1;
    }
  }
  return widths;
}

function longestWord(text: string): number {
  return Math.max(...text.split(' ').map(displayWidth));
}

/** Splits a text into lines: between words, and inside a word only if it is longer than a line. */
function wrap(text: string, width: number): string[] {
  return displayWidth(text) <= width ? [text] : wrapAnsi(text, width, { hard: true }).split('\n');
}

/** Builds aligned lines of `name  value`. Skips fields whose value is null. */
export function fieldLines(fields: readonly (readonly [name: string, value: string | null])[]): string {
  const present = fields.filter((field): field is [string, string] => field[1] !== null);
  const width = Math.max(0, ...present.map(([name]) => displayWidth(name)));
  return present.map(([name, value]) => `  ${name.padEnd(width)}  ${plainText(value)}`).join('\n');
}

function cellText<Row>(column: Column<Row>, row: Row): string {
  const value = column.value(row);
  return value === null || value === '' ? '-' : plainText(String(value));
}

const graphemes = new Intl.Segmenter('en', { granularity: 'grapheme' });

/** Characters that terminals draw two columns wide: East Asian wide and full-width characters, and emoji. */
const wide =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\ua960-\ua97c\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff01-\uff60\uffe0-\uffe6\u{1f300}-\u{1faff}\u{20000}-\u{3fffd}]|\p{Emoji_Presentation}|\ufe0f/u;

/**
 * Matches nearly every text. Only a text that does not match is split into graphemes: splitting every text of a list of
 * 50,000 teams took 700 MB and ten seconds.
 */
const plain = /^[\x20-\x7e]*$/;

/** Returns how many columns a text takes on a terminal. The text must not contain control characters. */
export function displayWidth(text: string): number {
  if (plain.test(text)) return text.length;
  let width = 0;
  for (const { segment } of graphemes.segment(text)) width += wide.test(segment) ? 2 : 1;
  return width;
}
