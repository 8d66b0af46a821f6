import type { InstallRecord, RunRecord } from '../database/install-record.ts';
import type { UserRecord } from '../database/people.ts';

/**
 * Why here: the view decides with these which buttons to draw, and the handlers decide with the same ones what a press
 * may do. A button that somebody forged or kept from yesterday then does nothing.
 */

/** The action ids of the view's buttons. Pressing a link button sends one too, which only wants to be acknowledged. */
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

/** Whoever looks at App Home or presses one of its buttons. `isAdmin` is true only where that is proven. */
export interface Viewer {
  userId: string;
  isAdmin: boolean;
  /** Of another workspace: their user id may also be that of a person of this team. */
  isExternal?: boolean;
  /** Their own profile as stored; undefined where nothing is. */
  profile: UserRecord | undefined;
}

/** Whether a person may start things over in this installation: its installer and the admins, nobody else. */
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
 * Carries out a press, by the same rules wherever the button was: "Try again" and "Send the welcome again" only for
 * those who may act, "Disconnect" for oneself. Resolves once the effect is committed.
 */
export type PressHome = (press: HomePress) => Promise<void>;

function isOver(run: RunRecord): boolean {
  return run.status === 'succeeded' || run.status === 'failed';
}

/**
 * Whether there is something to try again: the newest run is over, and a step failed or is unconfirmed. An unconfirmed
 * welcome is not: asking for another welcome is a choice of its own (invariant 3).
 */
export function canRetryRun(record: Pick<InstallRecord, 'status' | 'run'>): boolean {
  if (record.status !== 'active' || record.run === null || !isOver(record.run)) return false;
  return record.run.steps.some(
    ({ name, status }) =>
      // A step for operators alone fails no run.
      (status === 'failed' && record.run?.status === 'failed') ||
      (status === 'unconfirmed' && name !== welcomeStepName),
  );
}

/** Whether another welcome can be asked for: the installation is usable, and its newest run is over. */
export function canSendWelcome(record: Pick<InstallRecord, 'status' | 'run'>): boolean {
  return record.status === 'active' && record.run !== null && isOver(record.run);
}
