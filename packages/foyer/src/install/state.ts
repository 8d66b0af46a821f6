import { randomBytes, timingSafeEqual } from 'node:crypto';
import { parseCookie, stringifySetCookie } from 'cookie';
import { z } from 'zod';
import { type LinkClaims, linkClaims } from '../connections/link.ts';
import type { Sealer } from '../installations/sealer.ts';

/**
 * The state binds a callback to the browser that started it (invariant 5).
 *
 * Why it is sealed and not stored: no one can fill the database by asking for states, and every replica with the keyring
 * can open one. Why one cookie per state: two tabs that start at the same time must both be able to finish. Why it holds
 * the progress token: a callback that repeats a used state can then send its own browser to its progress page, while the
 * database holds only a hash.
 */

/** How long a state is valid, from Add to Slack to the callback. */
export const stateLifetimeMs = 10 * 60_000;

/** The content of a state, once it has been opened. */
export interface StateContent {
  /** Recorded when the state is used, and never accepted again. */
  id: string;
  issuedAt: number;
  /** The workspace that `?team=` asked for. */
  teamId?: string;
  progressToken: string;
  /** The verified link that started this install. */
  link?: LinkClaims;
  /** The workspace (`team:T…`) whose move to the link's account its installer has confirmed. */
  moves?: string;
  /** Whether a member connects their own account to an app that is installed. */
  member?: boolean;
}

/** Why a state is not accepted. The content of one that is ours, but expired or in another browser, is still known. */
export type StateFault = 'state_missing' | 'state_invalid' | 'state_wrong_browser' | 'state_expired';

/** The result of checking a callback's state. */
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
  member: z.boolean().optional(),
  binding: z.string(),
});

/** The length of a state with the longest possible link. */
const longestState = 8000;

/** Most unfinished installs in one browser: beyond this, the oldest cookies are deleted. */
const mostCookies = 12;

/** Issues states and checks those that come back. `sealer` is for this purpose only. */
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
    /** Makes a new state and the Set-Cookie headers that bind it to the browser that asked. */
    issue(
      request: Pick<StateContent, 'teamId' | 'link' | 'moves' | 'member'> & {
        cookieHeader: string | undefined;
      },
    ): {
      state: string;
      cookies: string[];
    } {
      const id = randomBytes(16).toString('base64url');
      const binding = randomBytes(16).toString('base64url');
      const progressToken = randomBytes(24).toString('base64url');
      const { teamId, link, moves, member } = request;
      const content = { id, issuedAt: deps.now(), teamId, link, moves, member, progressToken, binding };
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

    /** Checks a state without the database: `consumeState` finds out whether it was used already. */
    judge(state: string | null, cookieHeader: string | undefined): StateVerdict {
      if (!state) return { ok: false, fault: 'state_missing' };
      const sealed = open(deps.sealer, state);
      if (!sealed) return { ok: false, fault: 'state_invalid' };
      const { binding, ...content } = sealed;
      const held = parseCookie(cookieHeader ?? '')[prefix + content.id];
      if (!held || !sameText(held, binding)) return { ok: false, fault: 'state_wrong_browser', content };
      const age = deps.now() - content.issuedAt;
      // The clock of another replica may be a little ahead of ours.
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
    // Only we can make a valid state, so every other text is the same error to the visitor.
    return undefined;
  }
}

function sameText(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)];
  return left.length === right.length && timingSafeEqual(left, right);
}
