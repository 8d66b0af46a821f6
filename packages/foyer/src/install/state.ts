import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import { linkClaims } from '../connections/link.ts';
import type { Sealer } from '../installations/sealer.ts';
import { createBoundStates, type StateMark, type StateVerdict } from './bound-state.ts';

const contentSchema = z.object({
  /** The workspace that `?team=` asked for. */
  teamId: z.string().optional(),
  /**
   * It is in the state so that a callback that repeats a used state can send its own browser to its progress page,
   * while the database holds only a hash.
   */
  progressToken: z.string(),
  /** The verified link that started this install. */
  link: linkClaims.optional(),
  /** The workspace (`team:T…`) whose move to the link's account its installer has confirmed. */
  moves: z.string().optional(),
  /** Whether a member connects their own account to an app that is installed. */
  member: z.boolean().optional(),
});

/** The content of an install's state, once it has been opened. */
export type StateContent = z.output<typeof contentSchema> & StateMark;

/** Issues the states of installs and checks those that come back. `sealer` is for this purpose only. */
export function createStates(deps: {
  sealer: Sealer;
  secure: boolean;
  basePath?: string;
  now: () => number;
}) {
  const states = createBoundStates({ ...deps, flow: 'state', content: contentSchema });
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
      const { cookieHeader, ...asked } = request;
      const progressToken = randomBytes(24).toString('base64url');
      return states.issue({ ...asked, progressToken }, cookieHeader);
    },

    /** Checks a state without the database: `consumeState` finds out whether it was used already. */
    judge: (state: string | null, cookieHeader: string | undefined): StateVerdict<StateContent> =>
      states.judge(state, cookieHeader),
  };
}

export type States = ReturnType<typeof createStates>;
