import { createHash, randomBytes } from 'node:crypto';
import { parseCookie, stringifySetCookie } from 'cookie';
import type { Sealer } from '../installations/sealer.ts';

/**
 * Two cookies protect against links and forms that a stranger sends to someone else. The host's own response sets the
 * cookie `link`. This cookie proves that the browser asked for this link, so Foyer sends the browser straight to Slack.
 * A Foyer page with a button sets the cookie `form`. Foyer accepts the form only from the browser to which it showed
 * the page. No other site can read these cookies or, on https, set them.
 */

/** The sealed content of a form. */
interface FormTicket {
  link: string;
  /** The tenant that this form moves from another account to the link's account; absent if no tenant moves. */
  moves?: string;
}

export const formLifetimeMs = 30 * 60_000;
const mostCookies = 12;

/** A response to which a cookie can be added: Node's, Express's, or a web-standard one. */
export type CookieTarget =
  | { appendHeader(name: string, value: string): unknown; readonly req?: { headers: { cookie?: string } } }
  | { readonly headers: Headers }
  | Headers;

/** Creates the functions that set and check the cookies `link` and `form`. Use `sealer` only for these cookies. */
export function createLinkCookies(deps: { sealer: Sealer; secure: boolean; now: () => number }) {
  const { sealer, secure, now } = deps;
  const prefix = secure ? '__Host-' : '';
  const linkPrefix = `${prefix}foyer-link-`;
  const formName = `${prefix}foyer-form`;
  const cookie = (name: string, value: string, maxAgeMs: number): string =>
    stringifySetCookie({
      name,
      value,
      maxAge: Math.ceil(maxAgeMs / 1000),
      path: '/',
      httpOnly: true,
      sameSite: 'lax',
      secure,
    });
  const linkName = (jti: string): string =>
    linkPrefix + createHash('sha256').update(jti).digest('base64url').slice(0, 22);

  return {
    /** Sets a cookie that binds a link to the browser that receives this response. */
    bind(res: CookieTarget, jti: string, lifetimeMs: number): void {
      const add = (line: string): void => {
        if ('appendHeader' in res) res.appendHeader('Set-Cookie', line);
        else ('headers' in res ? res.headers : res).append('Set-Cookie', line);
      };
      add(cookie(linkName(jti), sealer.seal(jti, 'link'), lifetimeMs));
      const held = 'appendHeader' in res ? parseCookie(res.req?.headers.cookie ?? '') : {};
      const old = Object.keys(held).filter((name) => name.startsWith(linkPrefix) && /^[\w-]+$/.test(name));
      for (const name of old.slice(0, Math.max(0, old.length - mostCookies + 1))) add(cookie(name, '', 0));
    },

    /** Whether the host gave this link to this browser. */
    isBound(jti: string, cookieHeader: string | undefined): boolean {
      const held = parseCookie(cookieHeader ?? '')[linkName(jti)];
      return held !== undefined && opened(held, 'link') === jti;
    },

    /** Makes the hidden value of a form, and the cookie that goes with it. */
    issueForm(ticket: FormTicket, cookieHeader: string | undefined): { value: string; setCookie: string } {
      const known = parseCookie(cookieHeader ?? '')[formName] ?? '';
      // Two tabs share one cookie value, so that both forms work.
      const browser = /^[\w-]{22}$/.test(known) ? known : randomBytes(16).toString('base64url');
      const value = sealer.seal(
        JSON.stringify({ ...ticket, browser, until: now() + formLifetimeMs }),
        'form',
      );
      return { value, setCookie: cookie(formName, browser, formLifetimeMs) };
    },

    /**
     * Opens a form's hidden value. Returns undefined if Foyer did not show this form to this browser, or showed it too
     * long ago.
     */
    readForm(value: string | null, cookieHeader: string | undefined): FormTicket | undefined {
      const text = value === null || value.length > 16_000 ? undefined : opened(value, 'form');
      if (text === undefined) return undefined;
      // Only Foyer can have sealed this text, so its shape is known.
      const { browser, until, ...ticket } = JSON.parse(text) as FormTicket & {
        browser: string;
        until: number;
      };
      const held = parseCookie(cookieHeader ?? '')[formName];
      return held === browser && until > now() ? ticket : undefined;
    },
  };

  function opened(sealed: string, place: string): string | undefined {
    try {
      return sealer.open(sealed, place);
    } catch {
      return undefined;
    }
  }
}

export type LinkCookies = ReturnType<typeof createLinkCookies>;
