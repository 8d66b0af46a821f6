import { randomBytes, timingSafeEqual } from 'node:crypto';
import { parseCookie, stringifySetCookie } from 'cookie';
import { z } from 'zod';
import { type LinkClaims, linkClaims } from '../connections/link.ts';
import type { Sealer } from '../installations/sealer.ts';

/**
 * The state binds a callback to the browser that began it (invariant 5).
 *
 * Why it is sealed and not stored: nobody can fill the database by asking for states, and any replica that has the
 * keyring can open one. Why a cookie for each state: two tabs that begin at once must both be able to finish. Why the
 * progress token travels inside it: the callback that repeats a used state can then lead its own browser back to its
 * progress page, and the database holds a hash alone.
 */

/** How long a state is good for, from Add to Slack to the callback. */
export const stateLifetimeMs = 10 * 60_000;

/** What a state carries, once it has been opened. */
export interface StateContent {
  /** Recorded when the state is used, and never accepted again. */
  id: string;
  issuedAt: number;
  /** The workspace that was asked for with `?team=`. */
  teamId?: string;
  progressToken: string;
  /** The verified link that began this install. */
  link?: LinkClaims;
  /** The workspace (`team:T…`) whose move to the link's account its installer has confirmed. */
  moves?: string;
}

/** Why a state is not accepted. One that is ours, but expired or in another browser, is still known by its content. */
export type StateFault = 'state_missing' | 'state_invalid' | 'state_wrong_browser' | 'state_expired';

/** What a callback's state turned out to be. */
export type StateVerdict =
  | { ok: true; content: StateContent }
  | { ok: false; fault: StateFault; content?: StateContent };

const sealedSchema = z.object({
  id: z.string(),
  issuedAt: z.number(),
  teamId: z.string().optional(),
  progressToken: z.string(),
  link: linkClaims.optional(),
  moves: z.string().optional(),
  binding: z.string(),
});

/** With the longest link in it. */
const longestState = 8000;

/** More half-done installs than this in one browser at once: the oldest cookies are given up. */
const mostCookies = 12;

/** Issues states and judges those that come back. `sealer` is made for this purpose alone. */
export function createStates(deps: {
  sealer: Sealer;
  secure: boolean;
  basePath?: string;
  now: () => number;
}) {
  const prefix = `${deps.secure ? '__Host-' : ''}foyer-state-`;
  const cookie = (name: string, value: string, maxAge: number): string =>
    stringifySetCookie({
      name,
      value,
      maxAge,
      // A __Host- cookie is for the whole host; elsewhere it stays below the base path.
      path: deps.secure ? '/' : deps.basePath || '/',
      httpOnly: true,
      sameSite: 'lax',
      secure: deps.secure,
    });

  return {
    /** Makes a fresh state, and the Set-Cookie headers that bind it to the browser which asked. */
    issue(request: Pick<StateContent, 'teamId' | 'link' | 'moves'> & { cookieHeader: string | undefined }): {
      state: string;
      cookies: string[];
    } {
      const id = randomBytes(16).toString('base64url');
      const binding = randomBytes(16).toString('base64url');
      const progressToken = randomBytes(24).toString('base64url');
      const { teamId, link, moves } = request;
      const content = { id, issuedAt: deps.now(), teamId, link, moves, progressToken, binding };
      const held = Object.keys(parseCookie(request.cookieHeader ?? '')).filter((name) =>
        name.startsWith(prefix),
      );
      const givenUp = held.slice(0, Math.max(0, held.length - mostCookies + 1));
      return {
        state: deps.sealer.seal(JSON.stringify(content), 'state'),
        cookies: [
          cookie(prefix + id, binding, stateLifetimeMs / 1000),
          ...givenUp.filter((name) => /^[\w-]+$/.test(name)).map((name) => cookie(name, '', 0)),
        ],
      };
    },

    /** Judges a state. It neither reads nor writes the database: whether it was used already is told by `consumeState`. */
    judge(state: string | null, cookieHeader: string | undefined): StateVerdict {
      if (!state) return { ok: false, fault: 'state_missing' };
      const sealed = open(deps.sealer, state);
      if (!sealed) return { ok: false, fault: 'state_invalid' };
      const { binding, ...content } = sealed;
      const held = parseCookie(cookieHeader ?? '')[prefix + content.id];
      if (!held || !sameText(held, binding)) return { ok: false, fault: 'state_wrong_browser', content };
      const age = deps.now() - content.issuedAt;
      // A clock that is a little behind on another replica is no reason to turn somebody away.
      if (age > stateLifetimeMs || age < -60_000) return { ok: false, fault: 'state_expired', content };
      return { ok: true, content };
    },
  };
}

export type States = ReturnType<typeof createStates>;

function open(sealer: Sealer, state: string): z.output<typeof sealedSchema> | undefined {
  if (state.length > longestState) return undefined;
  try {
    return sealedSchema.parse(JSON.parse(sealer.open(state, 'state')));
  } catch {
    // Whatever is wrong with it, only we could have made a right one: to the visitor it is all one fault.
    return undefined;
  }
}

function sameText(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)];
  return left.length === right.length && timingSafeEqual(left, right);
}
