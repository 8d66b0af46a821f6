import { existsSync, readFileSync } from 'node:fs';

/** Returns which files of a SQLite database contain a text, even if only in deleted content. */
export function filesWith(databaseFile: string, text: string): string[] {
  return [databaseFile, `${databaseFile}-wal`].filter(
    (file) => existsSync(file) && readFileSync(file).includes(text),
  );
}
