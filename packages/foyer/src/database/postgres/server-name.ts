/** Names the database of a connection URL for messages, without its password and its parameters. */
export function serverName(url: string): string {
  const { protocol, username, host, pathname } = new URL(url);
  return `${protocol}//${username && `${username}@`}${host}${pathname}`;
}
