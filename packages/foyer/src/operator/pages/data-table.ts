import { type Html, type HtmlValue, html } from '../../http/html.ts';

/** A column of a table. If `cell` returns nothing, the table shows a dash. */
export interface TableColumn<Row> {
  title: string;
  cell(row: Row): HtmlValue;
  /** head: names what the row is about; highlighted on a phone. number: aligned right. */
  kind?: 'head' | 'number';
}

const isNothing = (value: HtmlValue): boolean =>
  value === null || value === undefined || value === false || value === '';

/**
 * Builds a table that becomes a list of cards on a phone. Its ARIA roles are explicit: browsers drop the implicit ones
 * if the style sheet changes the layout of a table.
 */
export function dataTable<Row>(
  label: string,
  columns: readonly TableColumn<Row>[],
  rows: readonly Row[],
): Html {
  const kindOf = ({ kind }: TableColumn<Row>) => kind && html` class="${kind}"`;
  const heads = columns.map(
    (column) => html`<th role="columnheader" scope="col"${kindOf(column)}>${column.title}</th>`,
  );
  const cell = (column: TableColumn<Row>, row: Row) => {
    const value = column.cell(row);
    const empty = isNothing(value);
    return html`<td role="cell" data-label="${column.title}"${kindOf(column)}${empty && html` data-empty`}><div>${empty ? '–' : value}</div></td>`;
  };
  const line = (row: Row) => html`<tr role="row">${columns.map((column) => cell(column, row))}</tr>`;
  return html`<table class="data" role="table" aria-label="${label}">
  <thead role="rowgroup"><tr role="row">${heads}</tr></thead>
  <tbody role="rowgroup">${rows.map(line)}</tbody>
</table>`;
}
