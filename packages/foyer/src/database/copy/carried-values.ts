import { type RawBuilder, sql } from 'kysely';
import type { ColumnShape, Engine } from './table-shapes.ts';

/**
 * How a value moves from one engine to the other: Foyer reads a float as a number, bytes as a Buffer, and any other
 * value as text. Foyer reads the same text from both engines for the same value. So either engine can store the text,
 * and Foyer can compare the two sides. Whole numbers are read as text too, because a JavaScript number loses digits
 * beyond 2^53.
 */

/** A value in transit. */
export type Cell = string | number | Buffer | null;

/**
 * The kind of value in a column. The kind is `exact` if no other kind fits the column's type. Foyer copies `exact`
 * values unchanged, and only between two databases of the same engine.
 */
export type Carried =
  | 'text'
  | 'integer'
  | 'boolean'
  | 'float'
  | 'bytes'
  | 'json'
  | 'timestamptz'
  | 'timestamp'
  | 'date'
  | 'uuid'
  | 'exact';

/** The kind for each Postgres type whose values SQLite can also store. */
const carriedOf: Readonly<Record<string, Carried>> = {
  text: 'text',
  varchar: 'text',
  int2: 'integer',
  int4: 'integer',
  int8: 'integer',
  bool: 'boolean',
  float8: 'float',
  bytea: 'bytes',
  json: 'json',
  jsonb: 'json',
  timestamptz: 'timestamptz',
  timestamp: 'timestamp',
  date: 'date',
  uuid: 'uuid',
};

/** https://www.sqlite.org/datatype3.html#determination_of_column_affinity */
function affinityOf(type: string): 'integer' | 'text' | 'blob' | 'real' | 'numeric' {
  if (type.includes('int')) return 'integer';
  if (/char|clob|text/.test(type)) return 'text';
  if (type.includes('blob') || type === '') return 'blob';
  return /real|floa|doub/.test(type) ? 'real' : 'numeric';
}

/**
 * For each kind, the SQLite affinities that store its values unchanged. Another affinity may change a value: SQLite
 * would turn the text 007 into the number 7. A kind that is not listed fits every affinity.
 */
const takes: Readonly<Partial<Record<Carried, readonly string[]>>> = {
  text: ['text'],
  integer: ['integer', 'numeric'],
  boolean: ['integer', 'numeric'],
  float: ['real'],
};

/** One side of a copy: a column and its engine. */
interface Side {
  engine: Engine;
  column: ColumnShape;
}

/** Returns the kind of a column's values, or the reason why they cannot be copied, such as `has no type`. */
export function carriedBetween(source: Side, target: Side): Carried | { refusal: string } {
  const [one, other] = [source.column.type, target.column.type];
  if (source.engine === target.engine) {
    if (one !== other) return { refusal: `is ${one} in the source and ${other} in the target` };
    return source.engine === 'Postgres' ? (carriedOf[one] ?? 'exact') : carriedWithinSqlite(one);
  }
  const [postgres, sqlite] = source.engine === 'Postgres' ? [one, other] : [other, one];
  const carried = carriedOf[postgres];
  if (!carried) return { refusal: `is ${postgres}, which has no equivalent in SQLite` };
  const affinity = affinityOf(sqlite);
  const suits = takes[carried]?.includes(affinity) ?? true;
  return suits
    ? carried
    : { refusal: `is ${postgres} in Postgres and ${sqlite || 'without a type'} in SQLite` };
}

function carriedWithinSqlite(type: string): Carried | { refusal: string } {
  // In a strict table, `any` also counts as no type, because the values of one column may differ in type.
  if (type === '' || type === 'any') return { refusal: 'has no type' };
  const affinity = affinityOf(type);
  if (affinity === 'integer' || affinity === 'text') return affinity;
  if (affinity === 'blob') return 'bytes';
  return affinity === 'real' ? 'float' : 'exact';
}

const postgresForms: Readonly<
  Partial<Record<Carried, (column: RawBuilder<unknown>) => RawBuilder<unknown>>>
> = {
  integer: (column) => sql`${column}::text`,
  boolean: (column) => sql`${column}::int::text`,
  json: (column) => sql`${column}::text`,
  timestamptz: (column) => sql`to_char(${column} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')`,
  timestamp: (column) => sql`to_char(${column}, 'YYYY-MM-DD"T"HH24:MI:SS.US')`,
  date: (column) => sql`to_char(${column}, 'YYYY-MM-DD')`,
  uuid: (column) => sql`${column}::text`,
  exact: (column) => sql`${column}::text`,
};

/** The SQL expression that reads a column. */
export function readingOf(
  engine: Engine,
  carried: Carried,
  column: RawBuilder<unknown>,
): RawBuilder<unknown> {
  if (engine === 'Postgres') return postgresForms[carried]?.(column) ?? column;
  // Casts whole numbers to text, because JavaScript would round large ones. Other values in such a column stay
  // unchanged.
  if (carried === 'integer' || carried === 'exact') {
    return sql`case typeof(${column}) when 'integer' then cast(${column} as text) else ${column} end`;
  }
  return carried === 'boolean' || carried === 'json' ? sql`cast(${column} as text)` : column;
}

const forms: Readonly<Partial<Record<Carried, RegExp>>> = {
  integer: /^-?\d+$/,
  boolean: /^[01]$/,
  date: /^\d{4}-\d\d-\d\d$/,
  uuid: /^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/,
};

const time = /^(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(?:\.(\d{1,6}))?(?:Z|\+00(?::?00)?)?$/;

/**
 * Returns the value in the form that both engines share. Returns undefined if the value does not match the column's
 * kind, which can happen because SQLite stores any value in any column.
 */
export function carriedCell(carried: Carried, cell: unknown): Cell | undefined {
  if (cell === null) return null;
  if (carried === 'bytes') return Buffer.isBuffer(cell) ? cell : undefined;
  if (carried === 'float') return typeof cell === 'number' && Number.isFinite(cell) ? cell : undefined;
  if (carried === 'exact') {
    return typeof cell === 'string' || typeof cell === 'number' || Buffer.isBuffer(cell) ? cell : undefined;
  }
  if (typeof cell !== 'string') return undefined;
  if (carried === 'timestamp' || carried === 'timestamptz') {
    const [, day, hour, fraction = ''] = time.exec(cell) ?? [];
    const zone = carried === 'timestamptz' ? 'Z' : '';
    return day === undefined ? undefined : `${day}T${hour}.${fraction.padEnd(6, '0')}${zone}`;
  }
  if (carried === 'json') return isJson(cell) ? cell : undefined;
  return forms[carried]?.test(cell) === false ? undefined : cell;
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/**
 * Returns a form of the value for comparison: two values are equal if their forms are equal. In JSON, keys are sorted,
 * because `jsonb` reorders them.
 */
export function comparableCell(carried: Carried, cell: Cell): string | number | null {
  if (Buffer.isBuffer(cell)) return `bytes ${cell.toString('hex')}`;
  if (carried !== 'json' || typeof cell !== 'string') return cell;
  return JSON.stringify(JSON.parse(cell), (_key, value: unknown) =>
    value !== null && typeof value === 'object' && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).sort(([one], [other]) => (one < other ? -1 : 1)))
      : value,
  );
}
