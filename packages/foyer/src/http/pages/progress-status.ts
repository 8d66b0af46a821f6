import type { StepRecord } from '../../database/install-record.ts';
import type { RunStatus } from '../../database/records.ts';
import { plainName } from './plain-name.ts';
import { stepLabel, stepStatusWords } from './step-words.ts';

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
  statusText: string;
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
  /** What the sign at the head of the page shows; `hitch`: installed, but something did not work. */
  tone: 'busy' | 'waiting' | 'good' | 'hitch' | 'bad' | 'ended';
  heading: string;
  message: string;
  /** What the reader may do meanwhile. */
  hint: string | null;
  /** Which links the page offers now. */
  offers: 'nothing' | 'open' | 'install';
}

type Words = Pick<ProgressStatus, 'tone' | 'heading' | 'message' | 'hint' | 'offers'>;

const mayClose = 'You can close this page. It goes on without you.';

function sentence(text: string): string {
  return /[.!?…]$/.test(text) ? text : `${text}.`;
}

function failureNote(step: Progress['steps'][number]): string {
  return sentence(step.errorMessage ?? 'It did not work');
}

/** What cancels a run skips its unfinished steps, by this name: those were not needless, they were stopped. */
function wasStopped(progress: Progress, step: Progress['steps'][number]): boolean {
  return progress.status === 'cancelled' && step.errorCode === 'run_cancelled';
}

function stepNote(appName: string, progress: Progress, step: Progress['steps'][number]): string | null {
  if (wasStopped(progress, step)) return null;
  switch (step.status) {
    case 'running':
      return step.attempts > 1 ? `Attempt ${step.attempts}.` : null;
    case 'retrying':
      return `${failureNote(step)} It tries again by itself.`;
    case 'failed':
      return failureNote(step);
    case 'unconfirmed':
      return step.name === 'send-welcome'
        ? `It may have arrived: look for ${appName} in Slack. Its Home tab can send it again.`
        : 'It may have worked, but we could not make sure.';
    case 'skipped':
      return progress.status === 'failed' || progress.status === 'cancelled' ? null : 'Not needed this time.';
    default:
      return null;
  }
}

function busyWords(appName: string, team: string, progress: Progress): Words {
  const again = progress.status === 'waiting' || progress.steps.some((step) => step.status === 'retrying');
  return {
    tone: 'busy',
    heading: again ? `Still setting up ${appName}` : `Setting up ${appName}`,
    message: again
      ? `${appName} is installed in ${team}. One step has not worked yet, so it tries again by itself.`
      : `${appName} is installed in ${team}. The last steps take a few seconds.`,
    hint: mayClose,
    offers: 'nothing',
  };
}

function waitingWords(appName: string, team: string, progress: Progress): Words {
  return {
    tone: 'waiting',
    heading: 'One thing left to do in Slack',
    message:
      progress.waitingFor === 'team_access_granted'
        ? `${appName} is installed for ${team}, but no workspace has it yet. In Slack’s admin pages, an org admin opens Integrations, then Installed apps, chooses ${appName}, and adds it to a workspace. The rest happens by itself.`
        : `${appName} is installed in ${team}, and goes on as soon as Slack lets it.`,
    hint: mayClose,
    offers: 'nothing',
  };
}

function succeededWords(appName: string, team: string, progress: Progress): Words {
  const welcome = progress.steps.find((step) => step.name === 'send-welcome')?.status;
  const more: Partial<Record<NonNullable<typeof welcome>, string>> = {
    succeeded: ' A welcome message is waiting for you there.',
    unconfirmed: ' We could not make sure that your welcome message arrived.',
  };
  return {
    tone: 'good',
    heading: 'You’re all set',
    message: `${appName} is ready in ${team}.${(welcome && more[welcome]) ?? ''}`,
    hint: null,
    offers: 'open',
  };
}

function failedWords(appName: string, team: string, progress: Progress): Words {
  const failed = progress.steps.filter((step) => step.status === 'failed').length;
  const what = failed > 1 ? `${failed} steps of its setup` : 'one step of its setup';
  return {
    tone: 'hitch',
    heading: `${appName} is installed, with a hitch`,
    message: `${appName} is in ${team}, but ${what} did not work. Open it in Slack: the Home tab shows what happened, and has a button to try again.`,
    hint: null,
    offers: 'open',
  };
}

function cancelledWords(appName: string, team: string, progress: Progress): Words {
  if (progress.cancelledBy === 'reinstall') {
    return {
      tone: 'ended',
      heading: 'A newer install took over',
      message: `${appName} was installed in ${team} again, and that install finishes the setup.`,
      hint: null,
      offers: 'open',
    };
  }
  const message =
    progress.cancelledBy === 'uninstall'
      ? `${appName} was removed from ${team} before its setup had finished. It no longer has access.`
      : `${appName} was removed from ${team}, or installed anew, before this setup had finished.`;
  return { tone: 'ended', heading: 'This setup was stopped', message, hint: null, offers: 'install' };
}

function wordsFor(appName: string, team: string, progress: Progress): Words {
  switch (progress.status) {
    case 'connecting':
      return {
        tone: 'busy',
        heading: 'Connecting to Slack',
        message: 'Slack has sent you back to us, and we are asking it for access. This takes a moment.',
        hint: null,
        offers: 'nothing',
      };
    case 'not_installed':
      return {
        tone: 'bad',
        heading: `${appName} was not installed`,
        message:
          'Something went wrong before the install could be saved. Nothing was set up; please try again.',
        hint: null,
        offers: 'install',
      };
    case 'succeeded':
      return succeededWords(appName, team, progress);
    case 'failed':
      return failedWords(appName, team, progress);
    case 'cancelled':
      return cancelledWords(appName, team, progress);
    case 'waiting':
      return progress.waitingFor ? waitingWords(appName, team, progress) : busyWords(appName, team, progress);
    default:
      return busyWords(appName, team, progress);
  }
}

const finalStatuses: ReadonlySet<Progress['status']> = new Set([
  'succeeded',
  'failed',
  'cancelled',
  'not_installed',
]);

function statusText(progress: Progress, index: number): string {
  const step = progress.steps[index];
  if (!step) return '';
  if (wasStopped(progress, step)) return 'Stopped';
  // The step before which a run waits for an event is not merely to do.
  const waits = progress.status === 'waiting' && Boolean(progress.waitingFor);
  const next = progress.steps.findIndex(({ status }) => status === 'pending');
  return waits && index === next ? 'Waiting' : stepStatusWords[step.status];
}

/** Says how an install stands, in words and for the page's script: the status address answers with it, as JSON. */
export function progressStatus(appName: string, progress: Progress): ProgressStatus {
  const team = plainName(progress.teamName, 'your workspace');
  return {
    id: progress.id,
    status: progress.status,
    done: finalStatuses.has(progress.status),
    teamName: progress.teamName,
    steps: progress.steps.map((step, index) => ({
      name: step.name,
      label: stepLabel(step.name),
      status: step.status,
      statusText: statusText(progress, index),
      attempts: step.attempts,
      error: step.errorCode,
      note: stepNote(appName, progress, step),
    })),
    ...wordsFor(appName, team, progress),
  };
}
