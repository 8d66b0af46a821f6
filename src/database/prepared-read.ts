import { type Compilable, type Expression, type Kysely, sql } from 'kysely';
import type { Tables } from './records.ts';

/** The value of a parameter of a prepared read. */
export type ReadValue = string | number | null;

/** Makes a place for a value that is given at each call. */
export type Parameter<Name extends string> = (name: Name) => Expression<string>;

/** Builds a query whose parameters are named. */
export type BuildRead<Name extends string, Row> = (
  queries: Kysely<Tables>,
  parameter: Parameter<Name>,
) => Compilable<Row>;

/** Answers with the first row, or undefined where there is none. @throws DatabaseUnavailableError */
export type PreparedRead<Name extends string, Row> = (
  values: Readonly<Record<Name, ReadValue>>,
) => Promise<Row | undefined>;

/** A query compiled once: its text, and which values its placeholders stand for. */
export interface CompiledRead<Name extends string> {
  sql: string;
  valuesOf(values: Readonly<Record<Name, ReadValue>>): ReadValue[];
}

/** What a parameter's value is while its query is compiled. */
class Place {
  readonly name: string;
  constructor(name: string) {
    this.name = name;
  }
}

/** Compiles a read: to build and compile it at each call costs more than the database takes to answer it. */
export function compileRead<Name extends string, Row>(
  queries: Kysely<Tables>,
  build: BuildRead<Name, Row>,
): CompiledRead<Name> {
  const compiled = build(queries, (name) => sql<string>`${new Place(name)}`).compile();
  const places = [...compiled.parameters];
  return {
    sql: compiled.sql,
    valuesOf: (values) =>
      places.map((place) => (place instanceof Place ? values[place.name as Name] : (place as ReadValue))),
  };
}
