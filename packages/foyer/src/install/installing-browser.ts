import { parseCookie, stringifySetCookie } from 'cookie';
import { type QuestionKey, questionValue, readQuestionValue } from '../database/questions.ts';
import type { Sealer } from '../installations/sealer.ts';

/**
 * Why a cookie beside the progress token: the token is in an address, which people share to show how far the setup is.
 * Only the browser in which the person came back from Slack may act for that person, so the callback gives it a sealed
 * cookie for this one install request.
 */

const mostCookies = 12;

/** Creates the functions that bind an install request to its browser and check that. `sealer` is for this purpose only. */
export function createInstallingBrowser(deps: { sealer: Sealer; secure: boolean; lifetimeMs: number }) {
  const { sealer, secure, lifetimeMs } = deps;
  const prefix = `${secure ? '__Host-' : ''}foyer-installer-`;
  const cookie = (name: string, value: string, maxAge: number): string =>
    stringifySetCookie({ name, value, maxAge, path: '/', httpOnly: true, sameSite: 'lax', secure });

  function opened(sealed: string | null | undefined, place: string): string | undefined {
    if (!sealed || sealed.length > 2000) return undefined;
    try {
      return sealer.open(sealed, place);
    } catch {
      return undefined;
    }
  }

  return {
    /** Returns the Set-Cookie lines for the browser whose callback was verified. The oldest of many cookies go. */
    bind(requestId: string, cookieHeader: string | undefined): string[] {
      const held = Object.keys(parseCookie(cookieHeader ?? '')).filter(
        (name) => name.startsWith(prefix) && name !== prefix + requestId && /^[\w-]+$/.test(name),
      );
      const old = held.slice(0, Math.max(0, held.length - mostCookies + 1));
      return [
        cookie(prefix + requestId, sealer.seal(requestId, 'browser'), lifetimeMs / 1000),
        ...old.map((name) => cookie(name, '', 0)),
      ];
    },

    /** Whether this browser made the install request. */
    isBound(requestId: string, cookieHeader: string | undefined): boolean {
      return opened(parseCookie(cookieHeader ?? '')[prefix + requestId], 'browser') === requestId;
    },

    /** The hidden value of the form for one question; it is shown only to the browser that is bound. */
    formFor(requestId: string, key: QuestionKey): string {
      return sealer.seal(questionValue(key), `form:${requestId}`);
    },

    /** The question that a form was made for; undefined if Foyer made no such form for this install request. */
    readForm(requestId: string, value: string | null): QuestionKey | undefined {
      const text = opened(value, `form:${requestId}`);
      return text === undefined ? undefined : readQuestionValue(text);
    },
  };
}

export type InstallingBrowser = ReturnType<typeof createInstallingBrowser>;
