import type { Installation } from '@slack/oauth';

/** What the bench uses of an installation store. A call is one commit, or one read of all that an event needs. */
export interface BenchStore {
  store(installation: Installation<'v2', false>): unknown;
  /** The team's installation, with its tokens decrypted. */
  fetch(teamId: string): unknown;
  /** Removes the installation, so that its tokens are gone. */
  remove(teamId: string): unknown;
  close(): unknown;
}
