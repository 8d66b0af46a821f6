import { randomBytes } from 'node:crypto';

/** Creates a nonce for one response: 128 bits, base64url. */
export function newNonce(): string {
  return randomBytes(16).toString('base64url');
}

/** After each visit, a browser uses only https for one year. */
const transportSecurity = 'max-age=31536000';

/**
 * Returns the headers of every response, whether it is a page or not. They forbid caching (except of the logo),
 * framing, content sniffing and referrers. `pageHeaders` replaces the content security policy with one that allows a
 * page its own style and script.
 */
export function securityHeaders(secure: boolean): Record<string, string> {
  return {
    'Content-Security-Policy':
      "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
    'Referrer-Policy': 'no-referrer',
    'X-Content-Type-Options': 'nosniff',
    'X-Frame-Options': 'DENY',
    'Cache-Control': 'no-store',
    'Cross-Origin-Resource-Policy': 'same-origin',
    ...(secure ? { 'Strict-Transport-Security': transportSecurity } : {}),
  };
}

/**
 * Returns the headers of every page. A page may load nothing from other sites except pictures. It must not be cached or
 * framed, and sends no referrer, since the address of a progress page contains its token.
 */
export function pageHeaders(options: {
  nonce: string;
  /** Whether browsers use https to reach Foyer. */
  secure: boolean;
  /** Whether to tell search engines not to list the page. */
  noIndex?: boolean;
  /** Where the page may send its forms; most pages have no form. */
  formAction?: 'none' | 'self';
  /**
   * Other schemes or origins to which the answer to a form may redirect. Needed because browsers apply `form-action` to
   * redirects too.
   */
  formLeadsTo?: readonly string[];
}): Record<string, string> {
  const { nonce, secure, noIndex = false, formAction = 'none', formLeadsTo = [] } = options;
  return {
    ...securityHeaders(secure),
    'Content-Type': 'text/html; charset=utf-8',
    'Content-Security-Policy': [
      "default-src 'none'",
      `style-src 'nonce-${nonce}'`,
      `script-src 'nonce-${nonce}'`,
      "connect-src 'self'",
      "img-src 'self' https: data:",
      [`form-action '${formAction}'`, ...formLeadsTo].join(' '),
      "base-uri 'none'",
      "frame-ancestors 'none'",
    ].join('; '),
    'Cross-Origin-Opener-Policy': 'same-origin',
    'Permissions-Policy': 'camera=(), geolocation=(), microphone=(), payment=(), usb=()',
    ...(noIndex ? { 'X-Robots-Tag': 'noindex, nofollow' } : {}),
  };
}
