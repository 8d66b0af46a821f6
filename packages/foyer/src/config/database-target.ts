import { isAbsolute, resolve } from 'node:path';

/** Where installations live: a SQLite file, or a Postgres server. */
export type DatabaseTarget = { kind: 'sqlite'; file: string } | { kind: 'postgres'; url: string };

/** Reads what DATABASE_URL may hold; undefined where it names no database. */
export function parseDatabaseUrl(url: string): DatabaseTarget | undefined {
  if (isPostgresUrl(url)) return { kind: 'postgres', url };
  return isFileUrl(url) ? { kind: 'sqlite', file: sqliteFile(url) } : undefined;
}

/**
 * Whether it names a file, and the one that is meant: `file://data/foyer.db` would be one at the file system's root, and
 * SQLite's own query and `:memory:` a part of the name.
 */
function isFileUrl(text: string): boolean {
  return /^file:(?!\/\/(?!\/))[^?]+$/i.test(text) && !/^file::memory:$/i.test(text);
}

/** An @ behind the host is part of a password with a slash in it: taken for a database's name it would be printed. */
function isPostgresUrl(text: string): boolean {
  return /^postgres(ql)?:\/\/./i.test(text) && URL.canParse(text) && /^\/[^@]+$/.test(new URL(text).pathname);
}

/** The password of a Postgres URL as it stands there, in either of its places, and as it is sent; nothing where there is none. */
export function passwordsOf(url: string): string[] {
  const { password, searchParams } = new URL(url);
  const given = [password, searchParams.get('password') ?? ''].filter((text) => text !== '');
  return [...new Set(given.flatMap((text) => [text, decoded(text)]))];
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    // A % that encodes nothing stands for itself.
    return text;
  }
}

/** `file:./data/foyer.db`, `file:/var/lib/foyer.db` and `file:///var/lib/foyer.db` all name a path. */
function sqliteFile(url: string): string {
  const path = url.slice('file:'.length).replace(/^\/\/(?=\/)/, '');
  return isAbsolute(path) ? path : resolve(path);
}
