import type { Installation } from '@slack/oauth';

/** A store of installations, as far as the bench asks it. Each call is one commit, or one read of all that an event needs. */
export interface BenchStore {
  store(installation: Installation<'v2', false>): unknown;
  /** The team's installation, its tokens opened. */
  fetch(teamId: string): unknown;
  /** Ends it, so that its tokens are gone. */
  remove(teamId: string): unknown;
  close(): unknown;
}
