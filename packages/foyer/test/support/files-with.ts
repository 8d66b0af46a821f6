import { existsSync, readFileSync } from 'node:fs';

/** Returns which of a SQLite database's files contain a text, even in deleted content. */
export function filesWith(databaseFile: string, text: string): string[] {
  return [databaseFile, `${databaseFile}-wal`].filter(
    (file) => existsSync(file) && readFileSync(file).includes(text),
  );
}
