import { randomUUID } from 'node:crypto';
import type { Database } from '../database.ts';
import { type ComparedTable, compareTables, differingTables } from './compare-tables.ts';
import {
  advanceSequences,
  type CopiedTable,
  clearRows,
  countRows,
  holdsRows,
  matchTables,
  patienceMs,
} from './copied-tables.ts';
import {
  CopyError,
  type CopyMark,
  type CopyPlace,
  createCopyMark,
  dropCopyMark,
  moveCopyMark,
  readCopyMark,
  takeCopyMark,
} from './copy-mark.ts';
import { copyRows } from './copy-rows.ts';

/** What a copy is doing, and how far it has come. */
export interface CopyProgress {
  doing: 'copying' | 'comparing';
  table: string;
  /** How many rows of all tables have been copied or compared so far. `of` is the number of rows in the source. */
  done: number;
  of: number;
}

interface CopyDatabaseDeps {
  source: Pick<Database, 'queries'>;
  /**
   * The database to copy into, with every migration applied. It must be empty, or be marked as the target of an
   * unfinished copy of the same source. With `targetIsNew`, it may contain the rows that migrations inserted.
   */
  target: Database;
  /** The name of the source, without a password; a copy is resumed only for the same name. */
  sourceName: string;
  /**
   * Whether the target had no tables before this command. If so, all of its rows come from migrations, and the copy
   * replaces these rows.
   */
  targetIsNew?: boolean;
  onProgress?: (progress: CopyProgress) => void;
  /** Called when rows that were copied earlier no longer match the source. */
  onStartOver?: () => void;
}

/** A finished copy that was compared and equals its source. */
interface WholeCopy {
  tables: ComparedTable[];
  resumed: boolean;
  /**
   * Advances the target's sequences past the copied rows, and removes the mark that stops others from using the target.
   * @throws CopyError
   */
  finish(): Promise<void>;
}

/**
 * Copies every row of one database into another, and compares the two. If the process is killed, the next copy resumes
 * where it stopped, because each page of rows is stored in one transaction with its position. If two copies write to
 * one target, the later copy continues, and the earlier one stops. If a resumed copy finds that earlier rows no longer
 * match the source, it copies everything again. Throws if the source changes during the copy.
 * @throws CopyError, DatabaseUnavailableError
 */
export async function copyDatabase(deps: CopyDatabaseDeps): Promise<WholeCopy> {
  const { target, onStartOver } = deps;
  const owner = randomUUID();
  const tables = await matchTables(deps.source.queries, target.queries);
  let { state, place, isFresh = false } = await takeTarget(deps, tables, owner);
  const resumed = !isFresh && (state === 'clearing' || place !== null);
  const move = (mark: Pick<CopyMark, 'state' | 'place'>) =>
    target.write((tx) => moveCopyMark(tx, owner, mark), patienceMs);

  for (let mayStartOver = resumed && state === 'copying'; ; mayStartOver = false) {
    if (state === 'clearing') {
      if (resumed) onStartOver?.();
      await clearRows(target, tables, (tx) => moveCopyMark(tx, owner, { state: 'clearing', place: null }));
      await move({ state: 'copying', place: null });
      place = null;
    }
    const outcome = await copyAndCompare(deps, { owner, tables, place });
    if ('tables' in outcome) {
      const finish = () =>
        target.write(async (tx) => {
          await advanceSequences(tx, tables);
          await dropCopyMark(tx, owner);
        }, patienceMs);
      return { tables: outcome.tables, resumed, finish };
    }
    await move({ state: 'clearing', place: null });
    if (!mayStartOver) throw outcome.misfit;
    state = 'clearing';
  }
}

/** Marks an empty target, or takes over the mark of an unfinished copy of the same source. */
async function takeTarget(
  { target, sourceName, targetIsNew }: CopyDatabaseDeps,
  tables: readonly CopiedTable[],
  owner: string,
): Promise<Pick<CopyMark, 'state' | 'place'> & { isFresh?: boolean }> {
  const take = () =>
    target.write(async (tx) => {
      const found = await readCopyMark(tx);
      if (found?.source === sourceName) return takeCopyMark(tx, owner);
      if (found) return found;
      const holds = await holdsRows(tx, tables);
      if (holds && !targetIsNew) return undefined;
      const state = holds ? 'clearing' : 'copying';
      await createCopyMark(tx, { source: sourceName, owner, state });
      return { source: sourceName, state, place: null, isFresh: true } as const;
    }, patienceMs);
  // If another process creates its copy mark in the target at the same time, the first call fails. The second call then
  // finds that mark.
  const mark = await take().catch((error: unknown) => {
    if (!isThereAlready(error)) throw error;
    return take();
  });
  if (!mark) {
    const counts = await countRows(target.queries, tables);
    const held = counts.map(({ table, rows }) => `${rows} in ${table}`).join(', ');
    throw new CopyError('target_not_empty', `The target is not empty: it holds rows (${held}).`);
  }
  if (mark.source === sourceName) return mark;
  const message = `The target holds an unfinished copy of ${mark.source}. Finish that one, or name an empty database.`;
  throw new CopyError('target_not_empty', message);
}

/** Whether Postgres rejected this transaction because another one created the same table at the same time. */
function isThereAlready(error: unknown): boolean {
  return error instanceof Error && 'code' in error && /^(?:42P07|23505)$/.test(String(error.code));
}

/**
 * Copies the missing rows, and compares both sides. If the sides are equal, returns the compared tables. Otherwise
 * returns the error that says how they differ.
 */
async function copyAndCompare(
  deps: CopyDatabaseDeps,
  { owner, tables, place }: { owner: string; tables: readonly CopiedTable[]; place: CopyPlace | null },
): Promise<{ tables: ComparedTable[] } | { misfit: CopyError }> {
  const { source, target, onProgress } = deps;
  const sum = async (queries: Database['queries']) =>
    (await countRows(queries, tables)).reduce((rows, table) => rows + table.rows, 0);
  const of = await sum(source.queries);
  let done = place ? await sum(target.queries) : 0;
  try {
    await copyRows({
      source: source.queries,
      target,
      tables,
      from: place,
      onPage: (tx, at) => moveCopyMark(tx, owner, { state: 'copying', place: at }),
      onRows(rows, table) {
        done += rows;
        onProgress?.({ doing: 'copying', table, done, of });
      },
    });
  } catch (error) {
    if (error instanceof CopyError && error.code === 'source_changed') return { misfit: error };
    throw error;
  }
  done = 0;
  const compared = await compareTables(source.queries, target.queries, tables, (rows, table) => {
    done += rows;
    onProgress?.({ doing: 'comparing', table, done, of });
  });
  const differing = differingTables(compared);
  return differing.length === 0 ? { tables: compared } : { misfit: misfitOf(differing) };
}

function misfitOf(differing: readonly ComparedTable[]): CopyError {
  const named = differing.map(
    ({ table, source, target }) =>
      `${table} (${source.rows} rows in the source, ${target.rows} in the target)`,
  );
  return new CopyError('source_changed', `The copy differs from its source in ${named.join(', ')}.`);
}
