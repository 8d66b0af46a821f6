import { isAbsolute, resolve } from 'node:path';

/** Where installations live: a SQLite file, or a Postgres server. */
export type DatabaseTarget = { kind: 'sqlite'; file: string } | { kind: 'postgres'; url: string };

/** Parses DATABASE_URL; returns undefined if it names no database. */
export function parseDatabaseUrl(url: string): DatabaseTarget | undefined {
  if (isPostgresUrl(url)) return { kind: 'postgres', url };
  return isFileUrl(url) ? { kind: 'sqlite', file: sqliteFile(url) } : undefined;
}

/**
 * Whether a text is a file URL that names the intended file. `file://data/foyer.db` would be a path from the file
 * system's root; a query (`?mode=ro`) or `:memory:` would become part of the file's name. A path that ends in a slash
 * names a folder.
 */
function isFileUrl(text: string): boolean {
  return /^file:(?!\/\/(?!\/))[^?]*[^?/]$/i.test(text) && !/^file::memory:$/i.test(text);
}

/**
 * Whether a text is a Postgres URL that names a database. An @ in the path means that the password has a slash that is
 * not encoded. Such a URL is refused: messages would show the end of the password as part of the database's name.
 */
function isPostgresUrl(text: string): boolean {
  return /^postgres(ql)?:\/\/./i.test(text) && URL.canParse(text) && /^\/[^@]+$/.test(new URL(text).pathname);
}

/**
 * Lists the passwords in a Postgres URL, which may have one before the host and one in the query. Each is returned both
 * as written and decoded.
 */
export function passwordsOf(url: string): string[] {
  const { password, searchParams } = new URL(url);
  const given = [password, searchParams.get('password') ?? ''].filter((text) => text !== '');
  return [...new Set(given.flatMap(withDecoded))];
}

/** Returns a part of a URL as written and as decoded. */
export function withDecoded(text: string): string[] {
  try {
    return [text, decodeURIComponent(text)];
  } catch {
    // A % that encodes nothing stands for itself.
    return [text];
  }
}

/**
 * Returns the absolute path of a file URL, such as `file:./data/foyer.db` or `file:///var/lib/foyer.db`. A relative
 * path starts at the working directory.
 */
function sqliteFile(url: string): string {
  const path = url.slice('file:'.length).replace(/^\/\/(?=\/)/, '');
  return isAbsolute(path) ? path : resolve(path);
}

/** Returns a connection URL without the password and the parameters, so that messages can show it. */
export function serverName(url: string): string {
  const { protocol, username, host, pathname } = new URL(url);
  return `${protocol}//${username && `${username}@`}${host}${pathname}`;
}
