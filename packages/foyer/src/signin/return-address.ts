/**
 * Checks `return_to`, the address where the browser goes after a sign-in or sign-out. Returns the whole address;
 * undefined if Foyer refuses it.
 *
 * It may be a path on this host, or a whole http(s) address of a listed origin. Why no other form: browsers accept much
 * more as an address (`//evil.example`, `/\evil.example`, `https:evil.example`), and each such form has been an open
 * redirect somewhere. Foyer parses the address, compares the origin, and redirects to the parser's text, never to the
 * given text.
 */
export function returnAddress(
  given: string,
  allowed: { publicUrl: string; returnOrigins: readonly string[] },
): string | undefined {
  if (given.length > mostLength || /[\p{Cc}\s\\]/u.test(given)) return undefined;
  const isPath = /^\/(?!\/)/.test(given);
  if (!isPath && !/^https?:\/\/[^/]/.test(given)) return undefined;
  const address = isPath ? allowed.publicUrl + given : given;
  const url = URL.canParse(address) ? new URL(address) : undefined;
  // `https://trusted.example@evil.example` looks like an address of trusted.example, but leads to evil.example.
  if (url === undefined || url.username + url.password !== '') return undefined;
  const isListed = url.origin === allowed.publicUrl || allowed.returnOrigins.includes(url.origin);
  return isListed ? url.href : undefined;
}

const mostLength = 1000;
