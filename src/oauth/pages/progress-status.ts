import type { StepRecord } from '../../database/install-record.ts';
import type { RunStatus } from '../../database/records.ts';

/** An install as its progress page tells it. A `RunRecord`'s `id`, `status`, `waitingFor` and `steps` fit as they are. */
export interface Progress {
  /** The run's id, shown small; null before there is a run. */
  id: string | null;
  /**
   * The run's status; `connecting` while the code is being exchanged; `not_installed` when that failed after the page
   * was opened.
   */
  status: RunStatus | 'connecting' | 'not_installed';
  /** The team's name; for an org-wide install the enterprise's. */
  teamName: string | null;
  steps: readonly Pick<StepRecord, 'name' | 'status' | 'attempts' | 'errorCode' | 'errorMessage'>[];
  /** The event that a waiting run waits for; null when it only waits for its next try. */
  waitingFor?: string | null;
  /** What ended a cancelled run. */
  cancelledBy?: 'uninstall' | 'reinstall';
}

/** One step as `/installs/:token/status` tells it. */
export interface ProgressStepStatus {
  name: string;
  label: string;
  status: StepRecord['status'];
  attempts: number;
  /** The error by name. */
  error: string | null;
  /** A sentence for the installer. */
  note: string | null;
}

/** The body of `GET /installs/:token/status`; the page shows the same values. */
export interface ProgressStatus {
  id: string | null;
  status: Progress['status'];
  /** Whether nothing more will happen by itself. */
  done: boolean;
  teamName: string | null;
  steps: ProgressStepStatus[];
  tone: 'busy' | 'waiting' | 'good' | 'bad' | 'ended';
  heading: string;
  message: string;
  /** Which links the page offers now. */
  offers: 'nothing' | 'open' | 'install';
}

/** Says how an install stands, in words and for the script: what the status address answers with, as JSON. */
export function progressStatus(appName: string, progress: Progress): ProgressStatus {
  return {
    id: progress.id,
    status: progress.status,
    done: false,
    teamName: progress.teamName,
    steps: [],
    tone: 'busy',
    heading: appName,
    message: '',
    offers: 'nothing',
  };
}
