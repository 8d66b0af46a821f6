import { realpathSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { DatabaseTarget } from '../../config/database-target.ts';
import { serverName } from '../../config/database-target.ts';
import type { ComparedTable } from '../../database/copy/compare-tables.ts';
import { refuseUncopyable } from '../../database/copy/copied-tables.ts';
import { type CopyProgress, copyDatabase } from '../../database/copy/copy-database.ts';
import { CopyError, copyMarkTable } from '../../database/copy/copy-mark.ts';
import type { Database } from '../../database/database.ts';
import type { OwnMigrations } from '../../database/migrate.ts';
import { openAnyDatabase } from '../../database/open-database.ts';
import { isInUse, peekTables } from '../../database/peek-tables.ts';
import { underCopyName } from '../../database/postgres/inspect-postgres.ts';
import { readTables } from '../../database/read-tables.ts';
import { foyerTableNames } from '../../database/records.ts';
import { CommandError } from '../command-error.ts';

/** The result of a finished copy. Each table has the same rows in the source and in the target. */
export interface MovedDatabase {
  source: string;
  target: string;
  resumed: boolean;
  tables: ComparedTable[];
}

interface MoveDatabaseDeps {
  source: DatabaseTarget;
  target: DatabaseTarget;
  /** The app's own migrations, which create the app's tables in the target. */
  migrations?: OwnMigrations;
  /** Opens the source. */
  openDatabase: (target: DatabaseTarget) => Promise<Database>;
  onProgress?: (progress: CopyProgress) => void;
  onStartOver?: () => void;
}

/**
 * Copies a database into an empty one, or resumes an interrupted copy. Nothing else may use the source during the copy,
 * and Foyer refuses to open the target until the rows have been compared.
 *
 * Compares the rows, and also checks before and after the copy that nothing else uses the source. Why both: a
 * comparison does not notice a Foyer that is idle, and a Foyer may start during the copy. Anything that such a Foyer
 * stores later would be missing from the target.
 * @throws CommandError, CopyError, DatabaseUnavailableError, DatabaseNewerError
 */
export async function moveDatabase(deps: MoveDatabaseDeps): Promise<MovedDatabase> {
  const { source, target } = deps;
  if (isSameDatabase(source, target)) {
    throw new CommandError('--to names the same database as DATABASE_URL. Name a different, empty database.');
  }
  await refuseInUse(source);
  const from = await deps.openDatabase(underOwnName(source));
  try {
    await refuseUncopyable(from.queries);
    const ours = (await readTables(from.queries)).map(({ name }) => name);
    const there = (await peekTables(target)).map(({ name }) => name);
    refuseStrangers(there, [...foyerTableNames, ...ours, copyMarkTable]);
    const to = await openAnyDatabase(underOwnName(target), { migrations: deps.migrations });
    try {
      return await copyAll(deps, from, to, there.length === 0);
    } finally {
      await to.close();
    }
  } finally {
    await from.close();
  }
}

async function copyAll(
  deps: MoveDatabaseDeps,
  from: Database,
  to: Database,
  targetIsNew: boolean,
): Promise<MovedDatabase> {
  const names = { source: databaseName(deps.source), target: databaseName(deps.target) };
  const { onProgress, onStartOver } = deps;
  const whole = await copyDatabase({
    source: from,
    target: to,
    sourceName: names.source,
    targetIsNew,
    onProgress,
    onStartOver,
  }).catch((error: unknown) => {
    if (!(error instanceof CopyError) || error.code !== 'source_changed') throw error;
    const fix =
      'The source was written to during the copy. Stop every Foyer that uses it, and run this again: the copy starts over.';
    throw new CommandError(`${error.message} ${fix}`, { cause: error });
  });
  await from.close();
  await refuseInUse(deps.source);
  await whole.finish();
  return { ...names, resumed: whole.resumed, tables: whole.tables };
}

/**
 * How long to wait until the source is not in use: a server still lists a connection for a moment after it was closed.
 */
const closingMs = 3000;

async function refuseInUse(source: DatabaseTarget): Promise<void> {
  const giveUpAt = performance.now() + closingMs;
  let inUse = await isInUse(source);
  while (inUse && performance.now() < giveUpAt) {
    await sleep(100);
    inUse = await isInUse(source);
  }
  if (!inUse) return;
  throw new CommandError(
    `${databaseName(source)} is in use. Stop every Foyer and every command that uses it, and copy again. ` +
      'Otherwise the target would lack what they store during the copy.',
  );
}

/** Throws if the target has another program's tables: Foyer neither changes them nor mixes its own with them. */
function refuseStrangers(there: readonly string[], known: readonly string[]): void {
  const strangers = there.filter((name) => !known.includes(name));
  if (strangers.length === 0) return;
  const shown = strangers.slice(0, 5).join(', ') + (strangers.length > 5 ? ', …' : '');
  throw new CommandError(
    `The target is not empty: it has tables that do not belong to this Foyer (${shown}). Name an empty database.`,
  );
}

/**
 * Gives the connections of a copy their own name. If they had the name that Foyer's connections have, other commands
 * would report the copy as a running Foyer.
 */
function underOwnName(target: DatabaseTarget): DatabaseTarget {
  return target.kind === 'postgres' ? { ...target, url: underCopyName(target.url) } : target;
}

/**
 * Returns a stable name of a database, without its password: the file's full path, or the user, host and database name.
 */
function databaseName(target: DatabaseTarget): string {
  if (target.kind === 'postgres') return serverName(target.url);
  return statSync(target.file, { throwIfNoEntry: false }) ? realpathSync(target.file) : target.file;
}

/** Returns whether both are the same database. Does not recognize two host names of one server as the same. */
function isSameDatabase(one: DatabaseTarget, other: DatabaseTarget): boolean {
  if (one.kind === 'sqlite' && other.kind === 'sqlite') {
    const files = [resolve(one.file), resolve(other.file)];
    const [found, same] = files.map((file) => statSync(file, { throwIfNoEntry: false }));
    if (found && same) return found.ino === same.ino && found.dev === same.dev;
    return files[0] === files[1];
  }
  if (one.kind === 'postgres' && other.kind === 'postgres') return placeOf(one.url) === placeOf(other.url);
  return false;
}

/**
 * Returns a text that identifies the database of a URL: two URLs that differ only in user or password yield the same
 * text. The text contains the URL's `options`, because these may select another schema.
 */
function placeOf(url: string): string {
  const { hostname, port, pathname, searchParams } = new URL(url);
  return JSON.stringify([
    searchParams.get('host') ?? hostname,
    (searchParams.get('port') ?? port) || '5432',
    pathname,
    searchParams.get('options'),
  ]);
}
