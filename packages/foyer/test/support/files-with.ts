import { existsSync, readFileSync } from 'node:fs';

/** Returns the files of a SQLite database that contain a text, even if only deleted content contains it. */
export function filesWith(databaseFile: string, text: string): string[] {
  return [databaseFile, `${databaseFile}-wal`].filter(
    (file) => existsSync(file) && readFileSync(file).includes(text),
  );
}
