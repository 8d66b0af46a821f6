import { existsSync } from 'node:fs';
import type { Command } from 'commander';
import type { Config } from '../../config/config.ts';
import { type DatabaseTarget, parseDatabaseUrl } from '../../config/database-target.ts';
import type { ComparedTable } from '../../database/copy/compare-tables.ts';
import { UsageError } from '../command-error.ts';
import type { MovedDatabase } from '../copy/move-database.ts';
import type { OperatorDeps } from '../operator-deps.ts';
import { type Column, table } from '../terminal/table.ts';
import { operatorCommand } from './command-help.ts';

/** `copy --to DATABASE_URL`: copies everything to another database. */
export function copyCommand(deps: OperatorDeps): Command {
  return operatorCommand('copy', {
    summary: 'copy everything to another database, SQLite or Postgres, and verify it',
    description:
      'Copies everything from the database in DATABASE_URL to an empty one, SQLite or Postgres, and compares every ' +
      'row of both. Stop every Foyer first. If the copy is interrupted, run it again: it continues where it stopped. ' +
      'The target cannot be used until the copy is complete. Tokens stay encrypted: no key is needed, and none is ' +
      'copied. Every user of the machine can read the arguments of a process, so pass a password on stdin (--to -) ' +
      'or in PGPASSWORD.',
    examples: [
      ['copy --to postgres://foyer@db.example.com/foyer', 'one machine is no longer enough'],
      ['copy --to - < target-url', 'the URL contains a password, so read it from a file'],
      ['copy --to file:./data/foyer.db', 'move back to a SQLite file'],
    ],
  })
    .requiredOption('--to <url>', 'the database to copy to, written like DATABASE_URL; - reads it from stdin')
    .action((options: { to: string; json?: boolean }) => copy(deps, options));
}

async function copy(deps: OperatorDeps, options: { to: string; json?: boolean }): Promise<void> {
  const { output, progress } = deps;
  const config = deps.readConfig();
  const target = parseDatabaseUrl(options.to === '-' ? (await deps.readStdin()).trim() : options.to);
  if (!target) {
    throw new UsageError(
      '--to is neither a file nor a Postgres address: use file:./data/foyer.db or postgres://user@host/database.',
    );
  }
  let moved: MovedDatabase;
  try {
    const { moveDatabase } = await import('../copy/move-database.ts');
    moved = await moveDatabase({
      source: config.database,
      target,
      openDatabase: deps.openDatabase,
      migrations: deps.migrations,
      onProgress: ({ doing, done, of }) => progress({ doing, done, of, unit: 'rows' }),
      onStartOver: () => output.note('The source has changed since the interrupted copy. Starting over.'),
    });
  } finally {
    progress(null);
  }
  const { source, resumed, tables } = moved;
  const rows = tables.reduce((sum, each) => sum + each.source.rows, 0);
  if (options.json) {
    return output.printJson({ source, target: moved.target, resumed, rows, verified: true, tables });
  }
  output.print(table(output, columns, tables));
  const verb = resumed ? 'Copied and compared (continued an interrupted copy)' : 'Copied and compared';
  output.note(`${verb}: ${number(rows)} rows, the same on both sides.\n${closingNote(config, target)}`);
}

const number = (value: number): string => value.toLocaleString('en-US');

/** Says what the operator must do next. */
function closingNote(config: Config, target: DatabaseTarget): string {
  const url = target.kind === 'sqlite' ? `file:${target.file}` : 'the address that you gave as --to';
  return [
    'Before you start Foyer again:',
    `  1. Set DATABASE_URL to ${url}.`,
    `  2. ${keyNote(config)}`,
    '  3. Run `npm run foyer -- doctor`, then start Foyer. Never start it on the old database again; keep that as a backup.',
  ].join('\n');
}

/** Says where the keys are, without revealing a key. */
function keyNote({ database, encryptionKeys }: Config): string {
  if (database.kind !== 'sqlite' || encryptionKeys) {
    return 'Leave TOKEN_ENCRYPTION_KEYS as it is, on every machine: the tokens are encrypted with these keys.';
  }
  const file = `${database.file}.key`;
  const keys = existsSync(file)
    ? `the lines of ${file}, joined with commas`
    : 'the keys that encrypted the tokens in the source';
  return `On every machine, set TOKEN_ENCRYPTION_KEYS to ${keys}. Without these keys no token can be decrypted.`;
}

const columns: Column<ComparedTable>[] = [
  { title: 'TABLE', value: (row) => row.table },
  { title: 'ROWS IN SOURCE', value: (row) => row.source.rows },
  { title: 'IN TARGET', value: (row) => row.target.rows },
  { title: 'CHECKSUM OF SOURCE', value: (row) => row.source.checksum },
  { title: 'OF TARGET', value: (row) => row.target.checksum },
];
