import type { Installation } from '@slack/oauth';

/**
 * The part of an installation store that the bench measures. Each call either commits once or reads all that an event
 * needs.
 */
export interface BenchStore {
  store(installation: Installation<'v2', false>): unknown;
  /** The team's installation, with its tokens decrypted. */
  fetch(teamId: string): unknown;
  /** Removes the installation, so that its tokens are gone. */
  remove(teamId: string): unknown;
  close(): unknown;
}
