import type { JobStatus } from '../../chores/read-jobs.ts';
import type {
  AttemptOutcome,
  InstallationStatus,
  InstallRequestOutcome,
  RunStatus,
  StepStatus,
} from '../../database/records.ts';
import type { Style } from './output.ts';

type AnyStatus =
  | InstallationStatus
  | RunStatus
  | StepStatus
  | AttemptOutcome
  | InstallRequestOutcome
  | JobStatus;

/** How good or bad each status is, so that a status has the same color in every table and on every page. */
export const statusTones = {
  active: 'good',
  broken: 'bad',
  uninstalled: 'muted',
  queued: 'busy',
  running: 'busy',
  waiting: 'warn',
  succeeded: 'good',
  failed: 'bad',
  refused: 'warn',
  cancelled: 'muted',
  pending: 'muted',
  retrying: 'warn',
  retry: 'warn',
  skipped: 'muted',
  unconfirmed: 'warn',
  started: 'busy',
  installed: 'good',
  interrupted: 'bad',
  overdue: 'bad',
  removed: 'muted',
} as const satisfies Record<AnyStatus, string>;

const styles = { good: 'green', bad: 'red', warn: 'yellow', busy: undefined, muted: 'dim' } as const;

/** Returns the style of a status on a terminal; undefined if the status has no style. */
export function statusStyle(status: AnyStatus): Style | undefined {
  return styles[statusTones[status]];
}
