/** What a cell can hold, in both engines: text, a whole number, or nothing. */
export type Cell = string | number | null;

/** A row by its columns' names. */
export type Row = Readonly<Record<string, Cell>>;
