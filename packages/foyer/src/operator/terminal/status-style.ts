import type { JobStatus } from '../../chores/read-jobs.ts';
import type {
  AttemptOutcome,
  InstallationStatus,
  InstallRequestOutcome,
  RunStatus,
  StepStatus,
} from '../../database/records.ts';
import type { Style } from './output.ts';

const styles: Readonly<
  Record<
    InstallationStatus | RunStatus | StepStatus | AttemptOutcome | InstallRequestOutcome | JobStatus,
    Style | undefined
  >
> = {
  active: 'green',
  broken: 'red',
  uninstalled: 'dim',
  queued: undefined,
  running: undefined,
  waiting: 'yellow',
  succeeded: 'green',
  failed: 'red',
  refused: 'yellow',
  cancelled: 'dim',
  pending: 'dim',
  retrying: 'yellow',
  retry: 'yellow',
  skipped: 'dim',
  unconfirmed: 'yellow',
  started: undefined,
  installed: 'green',
  interrupted: 'red',
  overdue: 'red',
  removed: 'dim',
};

/** Returns the style of a status: the same word looks the same in every table. */
export function statusStyle(status: keyof typeof styles): Style | undefined {
  return styles[status];
}
