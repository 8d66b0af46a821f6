import { PostgresAdapter, sql } from 'kysely';
import type { Queries } from '../database.ts';
import { readTables } from '../read-tables.ts';
import { copyMarkTable } from './copy-mark.ts';

export type Engine = 'SQLite' | 'Postgres';

/** A column as its database describes it. */
export interface ColumnShape {
  name: string;
  /** In lower case: the declared type in SQLite, the internal name in Postgres (`int8`, `timestamptz`). */
  type: string;
  /** Whether the database computes the column. A column that the target computes is not copied. */
  isGenerated: boolean;
  /** Whether a Postgres sequence supplies the column's value in new rows. */
  hasSequence: boolean;
}

/** A table as its database describes it. */
export interface TableShape {
  name: string;
  /** Only SQLite has virtual tables, and only Postgres has foreign tables. Both kinds have rows. */
  kind: 'table' | 'virtual table' | 'foreign table';
  columns: ColumnShape[];
  /** The columns of its primary key, in order; empty if it has none. */
  key: string[];
  /** The tables that its rows refer to. */
  references: { table: string; onDelete: 'cascade' | 'other' }[];
  /** The names of the triggers that run when a row is inserted or deleted. */
  triggers: string[];
}

export function engineOf(queries: Queries): Engine {
  return queries.getExecutor().adapter instanceof PostgresAdapter ? 'Postgres' : 'SQLite';
}

/** Describes every table of a database, Foyer's and others, except the table that marks an unfinished copy. */
export async function readTableShapes(queries: Queries): Promise<TableShape[]> {
  const read = engineOf(queries) === 'Postgres' ? readPostgres : readSqlite;
  const { columns, references, triggers } = await read(queries);
  const names = (await readTables(queries)).map(({ name }) => name).filter((name) => name !== copyMarkTable);
  const byTable = Map.groupBy(columns, ({ table }) => table);
  return names.toSorted().map((name) => {
    const own = byTable.get(name) ?? [];
    const inKey = own.filter((column) => column.keyPlace !== null && column.keyPlace > 0);
    return {
      name,
      kind: own[0]?.kind ?? 'table',
      columns: own.map(({ name, type, ...is }) => {
        return { name, type, isGenerated: Boolean(is.isGenerated), hasSequence: Boolean(is.hasSequence) };
      }),
      key: inKey
        .sort((one, other) => Number(one.keyPlace) - Number(other.keyPlace))
        .map((column) => column.name),
      references: references
        .filter(({ table }) => table === name)
        .map(({ parent, onDelete }) => {
          return { table: parent, onDelete: onDelete === 'cascade' ? 'cascade' : 'other' };
        }),
      triggers: triggers.filter(({ table }) => table === name).map(({ trigger }) => trigger),
    };
  });
}

interface FoundColumn {
  table: string;
  kind: TableShape['kind'];
  name: string;
  type: string;
  keyPlace: number | null;
  isGenerated: number | boolean;
  hasSequence: number | boolean;
}

type FoundReference = { table: string; parent: string; onDelete: string };
type FoundTrigger = { table: string; trigger: string };

/** https://www.sqlite.org/pragma.html#pragma_table_xinfo: `hidden` is 2 or 3 for a generated column. */
async function readSqlite(queries: Queries) {
  const columns = await sql<FoundColumn>`
    select t.name as "table", case t.type when 'virtual' then 'virtual table' else 'table' end as kind,
           c.name as name, lower(c.type) as type, c.pk as "keyPlace",
           c.hidden > 1 as "isGenerated", 0 as "hasSequence"
      from pragma_table_list t join pragma_table_xinfo(t.name) c
     where t.schema = 'main'`.execute(queries);
  const references = await sql<FoundReference>`
    select t.name as "table", p.name as parent, lower(f.on_delete) as "onDelete"
      from pragma_table_list t join pragma_foreign_key_list(t.name) f
      join pragma_table_list p on p.name = f."table" collate nocase and p.schema = 'main'
     where t.schema = 'main'`.execute(queries);
  const triggers = await sql<FoundTrigger & { text: string }>`
    select t.name as "table", m.name as trigger, m.sql as text
      from sqlite_schema m join pragma_table_list t on t.name = m.tbl_name collate nocase and t.schema = 'main'
     where m.type = 'trigger' order by m.name`.execute(queries);
  const runs = ({ text }: { text: string }) =>
    /\b(?:insert|delete)\s+on\b/i.test(text.split(/\bbegin\b/i)[0] ?? '');
  return { columns: columns.rows, references: references.rows, triggers: triggers.rows.filter(runs) };
}

async function readPostgres(queries: Queries) {
  const columns = await sql<FoundColumn>`
    select c.relname as "table", case c.relkind when 'f' then 'foreign table' else 'table' end as kind,
           a.attname as name, coalesce(base.typname, t.typname) as type,
           (select k.place from pg_index i, unnest(i.indkey) with ordinality k(attnum, place)
             where i.indrelid = c.oid and i.indisprimary and k.attnum = a.attnum)::int as "keyPlace",
           a.attgenerated <> '' as "isGenerated",
           pg_get_serial_sequence(quote_ident(c.relname), a.attname) is not null as "hasSequence"
      from pg_class c
      join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
      join pg_type t on t.oid = a.atttypid
      left join pg_type base on base.oid = t.typbasetype and t.typtype = 'd'
     where c.relnamespace = quote_ident(current_schema())::regnamespace and c.relkind in ('r', 'p', 'f')
     order by c.relname, a.attnum`.execute(queries);
  const references = await sql<FoundReference>`
    select c.relname as "table", parent.relname as parent,
           case k.confdeltype when 'c' then 'cascade' else 'other' end as "onDelete"
      from pg_constraint k
      join pg_class c on c.oid = k.conrelid
      join pg_class parent on parent.oid = k.confrelid
     where k.contype = 'f' and c.relnamespace = quote_ident(current_schema())::regnamespace`.execute(queries);
  // https://www.postgresql.org/docs/current/catalog-pg-trigger.html: in `tgtype`, the bit 4 means insert, and 8 means
  // delete.
  const triggers = await sql<FoundTrigger>`
    select c.relname as "table", t.tgname as trigger
      from pg_trigger t join pg_class c on c.oid = t.tgrelid
     where not t.tgisinternal and t.tgenabled <> 'D' and t.tgtype::int & 12 <> 0
       and c.relnamespace = quote_ident(current_schema())::regnamespace
     order by t.tgname`.execute(queries);
  return { columns: columns.rows, references: references.rows, triggers: triggers.rows };
}

/**
 * Lists the tables and views that cannot be copied table by table from a Postgres database, each with the reason. The
 * copy would miss some of these tables, and would insert the rows of the others twice. Lists a table in another schema
 * only if a reference connects it with one of the app's tables. Other tables there may belong to other programs.
 */
export async function readUncopied(queries: Queries): Promise<string[]> {
  if (engineOf(queries) === 'SQLite') return [];
  const { rows } = await sql<{ refusal: string }>`
    with own (oid) as (select quote_ident(current_schema())::regnamespace::oid)
    select c.relname || ': it is a materialized view' as refusal
      from pg_class c where c.relkind = 'm' and c.relnamespace = (select oid from own)
    union
    select c.relname || ': its rows are also rows of ' || parent.relname
      from pg_inherits i join pg_class c on c.oid = i.inhrelid join pg_class parent on parent.oid = i.inhparent
     where c.relkind in ('r', 'p', 'f') and c.relnamespace = (select oid from own)
    union
    select n.nspname || '.' || c.relname || ': it is in another schema, and a reference leads to it or from it'
      from pg_constraint k
      join pg_class c on c.oid in (k.conrelid, k.confrelid) and c.relnamespace <> (select oid from own)
      join pg_class linked on linked.oid in (k.conrelid, k.confrelid) and linked.relnamespace = (select oid from own)
      join pg_namespace n on n.oid = c.relnamespace
     where k.contype = 'f'
     order by refusal`.execute(queries);
  return rows.map(({ refusal }) => refusal);
}
