import { randomBytes } from 'node:crypto';

/** Creates a nonce for one response: 128 bits, base64url. */
export function newNonce(): string {
  return randomBytes(16).toString('base64url');
}

/** A browser uses only https for one year after its latest visit. */
const transportSecurity = 'max-age=31536000';

/**
 * The headers of every response, page or not: they forbid caching (except of the logo), framing, content sniffing and
 * referrers. `pageHeaders` replaces the policy with one that lets a page have its own style and script.
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
 * The headers of every page. From other sites, a page loads nothing but pictures. It is not cached or framed, and sends
 * no referrer (the address of a progress page contains its token).
 */
export function pageHeaders(options: {
  nonce: string;
  /** Whether browsers reach Foyer by https. */
  secure: boolean;
  /** Whether to keep search engines from listing the page. */
  noIndex?: boolean;
  /** Where the page's forms may post to; most pages have none. */
  formAction?: 'none' | 'self';
  /**
   * Where the answer to a form may also redirect: browsers apply `form-action` to redirects too. Each entry is a scheme
   * or an origin.
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
