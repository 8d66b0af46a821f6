import type { StepRecord } from '../../database/install-record.ts';
import type { RunStatus } from '../../database/records.ts';
import { earlierStepFailed } from '../../database/run-steps.ts';
import { plainName } from '../../slack/slack-text.ts';
import type { Words } from '../../texts/create-texts.ts';
import { runForInstallers, type StepFaces } from '../../texts/create-texts.ts';
import { errorSentence } from '../../texts/error-sentence.ts';
import type { TextKey } from '../../texts/languages/en.ts';

/**
 * What the progress page needs to know about an install. The fields `id`, `status`, `waitingFor` and `steps` have the
 * same form as in a `RunRecord`.
 */
export interface Progress {
  /** The run's id, which the page shows in small print; null before there is a run. */
  id: string | null;
  /**
   * The run's status. Before there is a run, `connecting` during the code exchange, and `not_installed` if the attempt
   * ended without an install or was interrupted.
   */
  status: RunStatus | 'connecting' | 'not_installed';
  /** The name of the team or, for an org-wide install, of the enterprise; null if unknown. */
  teamName: string | null;
  steps: readonly Pick<StepRecord, 'name' | 'status' | 'attempts' | 'failures' | 'errorCode'>[];
  /**
   * What a waiting run waits for: the name of an event, `uninstall_run` or `answer`. Null if it waits for none of
   * these.
   */
  waitingFor?: string | null;
  /** The question that a waiting run has asked, and whether this reader may answer it on the page. */
  question?: { id: string; answeredHere: boolean };
  /** What cancelled the run; absent if the run was not cancelled, or the cause is unknown. */
  cancelledBy?: 'uninstall' | 'reinstall';
  /** Whether the app has been removed since this install; false by default. */
  isRemoved?: boolean;
}

/** The app's name, its texts, and how the page shows its steps. */
export interface ProgressWords {
  app: string;
  words: Words;
  faces: StepFaces;
}

/** One step as `/installs/:token/status` shows it. */
export interface ProgressStepStatus {
  name: string;
  label: string;
  status: StepRecord['status'];
  statusText: string;
  attempts: number;
  /** The error code; null if there is none. */
  error: string | null;
  /** A sentence for the installer; null if there is nothing to add. */
  note: string | null;
}

/** The body of `GET /installs/:token/status`; the page shows the same values. */
export interface ProgressStatus {
  id: string | null;
  status: Progress['status'];
  /** Whether the status is final: nothing more happens automatically. */
  done: boolean;
  teamName: string | null;
  /** Does not include steps that only operators see. */
  steps: ProgressStepStatus[];
  /**
   * Selects the symbol between the two logos at the top of the page. `hitch` means that the app is installed, but a
   * step failed.
   */
  tone: 'busy' | 'waiting' | 'good' | 'hitch' | 'bad' | 'ended';
  heading: string;
  message: string;
  /** The title of the current step; null if the run is neither queued nor running, or has no step left. */
  now: string | null;
  /** What the reader may do in the meantime; null if there is nothing to say. */
  hint: string | null;
  /** The title of the folded list of steps. */
  summary: string;
  /** The id of the open question; null if there is none. When this changes, the page reloads. */
  question: string | null;
  /** The link that the page shows now: to open the app in Slack, or to start the install again. */
  offers: 'nothing' | 'open' | 'install';
}

type Said = Pick<ProgressStatus, 'tone' | 'heading' | 'message' | 'hint' | 'offers'>;

const welcomeStep = 'send-welcome';

/** Returns whether a step is unfinished because its run was cancelled. Such a step has the error `run_cancelled`. */
function wasStopped(progress: Progress, step: Progress['steps'][number]): boolean {
  return progress.status === 'cancelled' && step.errorCode === 'run_cancelled';
}

function stepNote(shown: ProgressWords, progress: Progress, step: Progress['steps'][number]): string | null {
  const { words, app } = shown;
  if (wasStopped(progress, step)) return null;
  switch (step.status) {
    case 'running':
      // Attempts that asked a question, waited or hit a rate limit did not fail.
      return step.failures > 0 ? words.text('step.note.attempt', { count: step.failures + 1 }) : null;
    case 'retrying': {
      const again = words.text('step.note.retrying');
      // A step that only waits may give no reason.
      return step.errorCode === null ? again : `${errorSentence(words, step.errorCode, app)} ${again}`;
    }
    case 'failed':
      return errorSentence(words, step.errorCode, app);
    case 'unconfirmed':
      return step.name === welcomeStep
        ? words.text('step.note.welcome', { app })
        : words.text('step.note.unconfirmed');
    case 'skipped': {
      const wasNeeded = progress.status === 'cancelled' || step.errorCode === earlierStepFailed;
      return wasNeeded ? null : words.text('step.note.skipped');
    }
    default:
      return null;
  }
}

function said({ words, app }: ProgressWords, place: string, progress: Progress): Said {
  const { status, steps, waitingFor, cancelledBy } = progress;
  const mayClose = words.text('progress.mayClose');
  function state(
    heading: Extract<TextKey, `progress.${string}.title`>,
    { tone, offers }: Pick<Said, 'tone' | 'offers'>,
    message: string,
    hint: string | null = null,
  ): Said {
    return { tone, heading: words.text(heading, { app }), message, hint, offers };
  }
  if (progress.isRemoved && (status === 'succeeded' || status === 'failed')) {
    const message = words.text('progress.removed.message', { app, place });
    return state('progress.removed.title', { tone: 'ended', offers: 'install' }, message);
  }
  switch (status) {
    case 'connecting': {
      const message = words.text('progress.connecting.message');
      return state('progress.connecting.title', { tone: 'busy', offers: 'nothing' }, message);
    }
    case 'not_installed': {
      const message = words.text('progress.notInstalled.message');
      return state('progress.notInstalled.title', { tone: 'bad', offers: 'install' }, message);
    }
    case 'succeeded': {
      const welcome = steps.find((step) => step.name === welcomeStep)?.status;
      const message = [words.text('progress.done.message', { app, place })];
      if (welcome === 'succeeded') message.push(words.text('progress.done.welcomed'));
      if (welcome === 'unconfirmed') message.push(words.text('progress.done.unconfirmed'));
      return state('progress.done.title', { tone: 'good', offers: 'open' }, message.join(' '));
    }
    case 'failed': {
      const count = Math.max(1, steps.filter((step) => step.status === 'failed').length);
      const message = words.text('progress.failed.message', { app, place, count });
      return state('progress.failed.title', { tone: 'hitch', offers: 'open' }, message);
    }
    case 'cancelled': {
      if (cancelledBy === 'reinstall') {
        const message = words.text('progress.replaced.message', { app, place });
        return state('progress.replaced.title', { tone: 'ended', offers: 'open' }, message);
      }
      const message = words.text(`progress.cancelled.${cancelledBy ?? 'unknown'}`, { app, place });
      return state('progress.cancelled.title', { tone: 'ended', offers: 'install' }, message);
    }
    case 'waiting': {
      if (!waitingFor) break;
      if (waitingFor === 'answer') {
        const isHere = progress.question?.answeredHere === true;
        const key = isHere ? 'progress.question.here' : 'progress.question.message';
        const message = words.text(key, { app, place });
        // If setup waits for an answer on this page, do not say that the reader may close the page.
        const hint = isHere ? null : mayClose;
        return state('progress.question.title', { tone: 'waiting', offers: 'open' }, message, hint);
      }
      const key = waitingFor === 'team_access_granted' ? 'progress.waiting.grant' : 'progress.waiting.other';
      const look = { tone: 'waiting', offers: 'nothing' } as const;
      return state('progress.waiting.title', look, words.text(key, { app, place }), mayClose);
    }
  }
  const name = status === 'waiting' || steps.some((step) => step.status === 'retrying') ? 'retrying' : 'busy';
  const message = words.text(`progress.${name}.message`, { app, place });
  return state(`progress.${name}.title`, { tone: 'busy', offers: 'nothing' }, message, mayClose);
}

const finalStatuses: ReadonlySet<Progress['status']> = new Set([
  'succeeded',
  'failed',
  'cancelled',
  'not_installed',
]);

/** Returns the step that waits for an event or an answer. Its status is `pending`, but the page shows it as waiting. */
function waitingStep({ status, waitingFor, steps }: Progress): Progress['steps'][number] | undefined {
  return status === 'waiting' && waitingFor ? steps.find((step) => step.status === 'pending') : undefined;
}

function statusText({ words }: ProgressWords, progress: Progress, step: Progress['steps'][number]): string {
  if (wasStopped(progress, step)) return words.text('step.status.stopped');
  return words.text(step === waitingStep(progress) ? 'step.status.waiting' : `step.status.${step.status}`);
}

/** Returns the step's title. If the step has asked a question, the title says that the step is in progress. */
function stepLabel(
  { words, faces }: ProgressWords,
  progress: Progress,
  step: Progress['steps'][number],
): string {
  const hasAsked = progress.waitingFor === 'answer' && step === waitingStep(progress);
  const form = step.status === 'running' || hasAsked ? 'doing' : 'todo';
  return words.step(step.name, faces[step.name]?.title, form);
}

/**
 * Returns the title of the step that is running or being retried, otherwise of the next step. Null if the run is not in
 * progress or has no such step.
 */
function currentStep(shown: ProgressWords, progress: Progress): string | null {
  if (progress.status !== 'running' && progress.status !== 'queued') return null;
  const step =
    progress.steps.find(({ status }) => status === 'running' || status === 'retrying') ??
    progress.steps.find(({ status }) => status === 'pending');
  return step ? shown.words.step(step.name, shown.faces[step.name]?.title, 'doing') : null;
}

/** Computes what the progress page shows. `GET /installs/:token/status` returns the same values as JSON. */
export function progressStatus(shown: ProgressWords, whole: Progress): ProgressStatus {
  const { words, faces } = shown;
  const progress = runForInstallers(whole, faces);
  const { steps } = progress;
  const place = plainName(progress.teamName, words.text('page.yourWorkspace'));
  const isDone = progress.status === 'succeeded';
  return {
    id: progress.id,
    status: whole.status,
    done: finalStatuses.has(whole.status),
    teamName: progress.teamName,
    steps: steps.map((step) => ({
      name: step.name,
      label: stepLabel(shown, progress, step),
      status: step.status,
      statusText: statusText(shown, progress, step),
      attempts: step.attempts,
      error: step.errorCode,
      note: stepNote(shown, progress, step),
    })),
    ...said(shown, place, progress),
    now: currentStep(shown, progress),
    question: progress.question?.id ?? null,
    summary: words.text(isDone ? 'progress.steps.done' : 'progress.steps.details'),
  };
}
