import type { InstallRecord, RunRecord } from '../database/install-record.ts';
import type { UserRecord } from '../database/people/people.ts';

/**
 * Why here: the view uses these functions to decide which buttons to draw, and the handlers use the same ones to decide
 * what a press may do. A forged button, or one from yesterday, then does nothing.
 */

/** The action ids of the view's buttons. A link button sends one too, which only needs an acknowledgement. */
export const homeActions = {
  retryRun: 'foyer.retry_run',
  sendWelcome: 'foyer.send_welcome',
  updatePermissions: 'foyer.update_permissions',
  finishConnecting: 'foyer.finish_connecting',
  answer: 'foyer.answer',
  connectAccount: 'foyer.connect_account',
  disconnectAccount: 'foyer.disconnect_account',
} as const;

/** The step that sends the welcome: its name is permanent. */
export const welcomeStepName = 'send-welcome';

/** The person who opens App Home or presses one of its buttons. `isAdmin` is true only if that is proven. */
export interface Viewer {
  userId: string;
  isAdmin: boolean;
  /** Whether they belong to another workspace: a person of this team may have the same user id. */
  isExternal?: boolean;
  /** Their own stored profile; undefined if there is none. */
  profile: UserRecord | undefined;
}

/** Returns whether a person may restart things in this installation: only its installer and the admins may. */
export function mayAct(
  record: Pick<InstallRecord, 'status' | 'installerUserId'>,
  viewer: Pick<Viewer, 'userId' | 'isAdmin' | 'isExternal'>,
): boolean {
  if (record.status === 'uninstalled' || viewer.isExternal) return false;
  return viewer.isAdmin || viewer.userId === record.installerUserId;
}

/** A press on one of Home's buttons, in Slack or on the web. */
export interface HomePress {
  action: string;
  value: string;
  record: InstallRecord;
  userId: string;
  isAllowed: boolean;
}

/**
 * Carries out a press. The same rules apply wherever the button was: only those who may act can press "Try again" and
 * "Send the welcome again"; "Disconnect" affects only oneself. Resolves once the effect is committed.
 */
export type PressHome = (press: HomePress) => Promise<void>;

function isOver(run: RunRecord): boolean {
  return run.status === 'succeeded' || run.status === 'failed';
}

/**
 * Returns whether there is something to retry: the newest run has ended, and a step failed or is unconfirmed. An
 * unconfirmed welcome does not count: asking for another welcome is a separate choice (invariant 3).
 */
export function canRetryRun(record: Pick<InstallRecord, 'status' | 'run'>): boolean {
  if (record.status !== 'active' || record.run === null || !isOver(record.run)) return false;
  return record.run.steps.some(
    ({ name, status }) =>
      // A failed step that only operators see does not fail the run.
      (status === 'failed' && record.run?.status === 'failed') ||
      (status === 'unconfirmed' && name !== welcomeStepName),
  );
}

/** Returns whether a person can ask for another welcome: the installation is usable, and its newest run has ended. */
export function canSendWelcome(record: Pick<InstallRecord, 'status' | 'run'>): boolean {
  return record.status === 'active' && record.run !== null && isOver(record.run);
}
