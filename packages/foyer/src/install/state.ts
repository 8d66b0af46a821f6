import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { parseCookie, stringifySetCookie } from 'cookie';
import { z } from 'zod';
import { linkClaims } from '../connections/link.ts';
import { type QuestionKey, questionValue, readQuestionValue } from '../database/questions.ts';
import type { Sealer } from '../installations/sealer.ts';

/**
 * A state binds the callback of an install or a sign-in to the browser that started it (invariant 5).
 *
 * Why states are sealed and not stored: no one can fill the database by asking for states, and every replica with the
 * keyring can open them. Why one cookie per state: two tabs that start at the same time must both be able to finish.
 */

/** How long a state is valid, from the start to the callback. */
export const stateLifetimeMs = 10 * 60_000;

/**
 * How long a browser keeps a state's cookie: longer than the state is valid. Without its cookie, an expired state would
 * look like one from another browser.
 */
const cookieLifetimeMs = 24 * 3_600_000;

/** What every state carries. */
interface StateMark {
  /** When the state is used, Foyer records this id and from then on refuses the state. */
  id: string;
  issuedAt: number;
}

/** Why Foyer does not accept a state. In the last two cases, Foyer made the state and can read its content. */
type StateFault = 'state_missing' | 'state_invalid' | 'state_wrong_browser' | 'state_expired';

/** The result of checking a callback's state. */
export type StateVerdict<Content> =
  | { ok: true; content: Content & StateMark }
  | { ok: false; fault: StateFault; content?: Content & StateMark };

const markSchema = z.object({ id: z.string(), issuedAt: z.number(), binding: z.string() });

/** How many characters a state may have: enough for the longest possible link. Foyer does not open a longer state. */
const longestState = 8000;

/** The most cookies of one kind that Foyer leaves in a browser. If there are more, Foyer deletes the oldest. */
const mostCookies = 12;

/** Returns a function that builds the Set-Cookie header of a cookie for `path` and the paths below it. */
const cookieBelow =
  (path: string, secure: boolean) =>
  (name: string, value: string, maxAge: number): string =>
    stringifySetCookie({ name, value, maxAge, path, httpOnly: true, sameSite: 'lax', secure });

/**
 * Returns the names of the oldest cookies of one kind: those that the browser must delete to make room for the cookie
 * `name`.
 */
function surplusCookies(cookieHeader: string | undefined, prefix: string, name: string): string[] {
  const held = Object.keys(parseCookie(cookieHeader ?? '')).filter(
    (other) => other.startsWith(prefix) && other !== name && /^[\w-]+$/.test(other),
  );
  return held.slice(0, Math.max(0, held.length - mostCookies + 1));
}

/** Issues the states of one flow and checks those that come back. */
export function createBoundStates<Content extends object>(deps: {
  /** Used for nothing but the states of this flow. */
  sealer: Sealer;
  /**
   * The flow that the states belong to. The sealer needs it as the `place` to seal a state and to open it again. It is
   * also part of the cookie names (`foyer-<flow>-…`).
   */
  flow: 'state' | 'signin';
  content: z.ZodType<Content>;
  secure: boolean;
  basePath?: string;
  now: () => number;
}) {
  const { sealer, flow, secure } = deps;
  const prefix = `${secure ? '__Host-' : ''}foyer-${flow}-`;
  // Browsers accept a __Host- cookie only with the path `/`; any other cookie gets the base path.
  const cookie = cookieBelow(secure ? '/' : deps.basePath || '/', secure);

  function open(state: string): (Content & StateMark & { binding: string }) | undefined {
    if (state.length > longestState) return undefined;
    try {
      const opened: unknown = JSON.parse(sealer.open(state, flow));
      return { ...deps.content.parse(opened), ...markSchema.parse(opened) };
    } catch {
      // Only Foyer can seal a state, so every error here means that the state is invalid.
      return undefined;
    }
  }

  return {
    /** Makes a new state and the Set-Cookie headers that bind it to the browser that asked. */
    issue(given: Content, cookieHeader: string | undefined): { state: string; cookies: string[] } {
      const id = randomBytes(16).toString('base64url');
      const binding = randomBytes(16).toString('base64url');
      return {
        state: sealer.seal(JSON.stringify({ ...given, id, issuedAt: deps.now(), binding }), flow),
        cookies: [
          cookie(prefix + id, binding, cookieLifetimeMs / 1000),
          ...surplusCookies(cookieHeader, prefix, prefix + id).map((name) => cookie(name, '', 0)),
        ],
      };
    },

    /**
     * Checks a state without the database. The flow itself finds out whether the state was used before, by recording
     * its id.
     */
    judge(state: string | null, cookieHeader: string | undefined): StateVerdict<Content> {
      if (!state) return { ok: false, fault: 'state_missing' };
      const opened = open(state);
      if (!opened) return { ok: false, fault: 'state_invalid' };
      const { binding, ...rest } = opened;
      // TypeScript cannot infer that a generic type from which `binding` is removed is `Content & StateMark`.
      const content = rest as unknown as Content & StateMark;
      const held = parseCookie(cookieHeader ?? '')[prefix + content.id];
      if (!held || !sameText(held, binding)) return { ok: false, fault: 'state_wrong_browser', content };
      const age = deps.now() - content.issuedAt;
      // Another replica's clock may be up to a minute ahead of this one.
      if (age > stateLifetimeMs || age < -60_000) return { ok: false, fault: 'state_expired', content };
      return { ok: true, content };
    },
  };
}

function sameText(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)];
  return left.length === right.length && timingSafeEqual(left, right);
}

const contentSchema = z.object({
  /** The workspace or organization that `?team=` or the link names. */
  teamId: z.string().optional(),
  /**
   * The token of the progress page. The database has only its hash. The state holds the token itself, so that Foyer can
   * send the browser to the progress page even if the browser repeats the callback.
   */
  progressToken: z.string(),
  /** The verified link that started this install. */
  link: linkClaims.optional(),
  /** The tenant (`team:T…` or `enterprise:E…`) that its installer has agreed to move to the link's account. */
  moves: z.string().optional(),
  /** Whether a member connects their own account to an app that is installed. */
  member: z.boolean().optional(),
});

/** The content of an install's state, once it has been opened. */
export type StateContent = z.output<typeof contentSchema> & StateMark;

/** Issues the states of installs and checks those that come back. Use `sealer` for nothing else. */
export function createStates(deps: {
  sealer: Sealer;
  secure: boolean;
  basePath?: string;
  now: () => number;
}) {
  const states = createBoundStates({ ...deps, flow: 'state', content: contentSchema });
  return {
    ...states,
    issue(asked: Omit<z.output<typeof contentSchema>, 'progressToken'>, cookieHeader: string | undefined) {
      return states.issue({ ...asked, progressToken: randomBytes(24).toString('base64url') }, cookieHeader);
    },
  };
}

export type States = ReturnType<typeof createStates>;

/** Returns the path of the progress page for a progress token. */
export function progressPath({ basePath }: { basePath: string }, progressToken: string): string {
  return `${basePath}/installs/${progressToken}`;
}

/**
 * Returns the hash of a progress token. The database stores only the hash, so someone who reads the database cannot
 * open the page.
 */
export function progressHash(progressToken: string): string {
  return createHash('sha256').update(progressToken).digest('base64url');
}

/**
 * Why a cookie in addition to the progress token: the token is part of the page's address, and people share that
 * address to show how far the setup is. Only the browser in which the person came back from Slack may act for that
 * person. So the callback gives that browser a sealed cookie for this one install request.
 */

/**
 * Creates the functions that bind an install request to its browser and later check that browser. Use `sealer` for
 * nothing else.
 */
export function createInstallingBrowser(deps: { sealer: Sealer; secure: boolean; lifetimeMs: number }) {
  const { sealer, secure, lifetimeMs } = deps;
  const prefix = `${secure ? '__Host-' : ''}foyer-installer-`;
  const cookie = cookieBelow('/', secure);

  function opened(sealed: string | null | undefined, place: string): string | undefined {
    if (!sealed || sealed.length > 2000) return undefined;
    try {
      return sealer.open(sealed, place);
    } catch {
      return undefined;
    }
  }

  return {
    /**
     * Returns the Set-Cookie lines for the browser whose callback was verified. They also delete the oldest cookies of
     * this kind if the browser has too many.
     */
    bind(requestId: string, cookieHeader: string | undefined): string[] {
      const name = prefix + requestId;
      return [
        cookie(name, sealer.seal(requestId, 'browser'), lifetimeMs / 1000),
        ...surplusCookies(cookieHeader, prefix, name).map((old) => cookie(old, '', 0)),
      ];
    },

    /** Returns whether this browser has the cookie of the install request. */
    isBound(requestId: string, cookieHeader: string | undefined): boolean {
      return opened(parseCookie(cookieHeader ?? '')[prefix + requestId], 'browser') === requestId;
    },

    /** Returns the hidden value of the form that asks one question. Only the bound browser gets the form. */
    formFor(requestId: string, key: QuestionKey): string {
      return sealer.seal(questionValue(key), `form:${requestId}`);
    },

    /**
     * Returns the question of a form, read from its hidden value; undefined if Foyer made no such form for this install
     * request.
     */
    readForm(requestId: string, value: string | null): QuestionKey | undefined {
      const text = opened(value, `form:${requestId}`);
      return text === undefined ? undefined : readQuestionValue(text);
    },
  };
}

export type InstallingBrowser = ReturnType<typeof createInstallingBrowser>;
