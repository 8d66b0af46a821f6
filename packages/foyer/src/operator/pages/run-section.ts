import { counted } from '../../config/counted.ts';
import type { RunRecord, StepRecord } from '../../database/install-record.ts';
import type { StepAttemptRecord } from '../../database/run-steps.ts';
import { type Html, html } from '../../http/html.ts';
import { momentText } from '../install-record-text.ts';
import type { OperatorFrame } from './operator-page.ts';
import { ago, badge, errorText, time, took } from './shown-values.ts';

/** What is needed to show a run: the names of its steps, and the current time. */
type RunFrame = Pick<OperatorFrame, 'words' | 'faces' | 'now'>;

/** A run with every attempt of its steps. */
export interface RunWithAttempts {
  run: RunRecord;
  attempts: readonly StepAttemptRecord[];
}

function attemptLine(attempt: StepAttemptRecord): Html {
  const duration = took(attempt.startedAt, attempt.finishedAt);
  return html`<li><span class="attempt-number">${attempt.attempt}</span> ${badge(attempt.outcome)} ${time(attempt.startedAt)}${duration !== null && html` <span class="small nowrap">took ${duration}</span>`} ${errorText(attempt)}</li>`;
}

function stepItem(step: StepRecord, attempts: readonly StepAttemptRecord[], title: string): Html {
  const isCalm = step.status === 'succeeded' || step.status === 'skipped' || step.status === 'pending';
  const waited = attempts.filter(({ outcome }) => outcome === 'waiting').length;
  const tries = `${counted(step.attempts, 'attempt')}${waited > 0 ? `, of which ${waited} waited` : ''}`;
  const [only, ...more] = attempts;
  // If a step is calm and had at most one attempt, it needs no list of attempts: the step's own line already shows the
  // outcome and the duration of that attempt.
  const isPlain = isCalm && more.length === 0;
  const duration = isPlain && only ? took(only.startedAt, only.finishedAt) : null;
  return html`<li class="run-step"${isCalm && html` data-calm`}>
    <div class="run-step-head"><div class="step-facts"><span class="step-title">${title}</span> <code class="step-name">${step.name}</code> ${badge(step.status)}${duration !== null && html` <span class="took">took ${duration}</span>`}</div>${step.finishedAt !== null && html` <span class="small">${time(step.finishedAt)}</span>`}</div>
    ${errorText(step) !== null && html`<p>${errorText(step)}</p>`}
    ${
      attempts.length > 0 &&
      !isPlain &&
      html`<details${!isCalm && html` open`}><summary>${tries}</summary><ol class="attempts" role="list">${attempts.map(attemptLine)}</ol></details>`
    }
  </li>`;
}

function runFacts(run: RunRecord, now: number): Html {
  return html`<p class="small run-facts"><code>${run.id}</code> for <code>${run.userId}</code> · begun ${time(run.createdAt)}${
    run.finishedAt !== null && html` · ended ${time(run.finishedAt)}`
  }${run.waitingFor !== null && html` · waits for <code>${run.waitingFor}</code>`}${
    run.dueAt !== null &&
    (run.status === 'waiting' || run.status === 'queued') &&
    html` · due ${ago(run.dueAt, now)}`
  }</p>`;
}

function runBody({ words, faces, now }: RunFrame, { run, attempts }: RunWithAttempts): Html {
  const of = (step: StepRecord) => attempts.filter((attempt) => attempt.stepName === step.name);
  return html`${runFacts(run, now)}
  <ol class="run-steps" role="list">${run.steps.map((step) => stepItem(step, of(step), words.step(step.name, faces[step.name]?.title, 'todo')))}</ol>`;
}

function collapsed(frame: RunFrame, name: Html | string, each: RunWithAttempts): Html {
  return html`<details class="older-run"><summary>${name}, ${time(each.run.createdAt)} ${badge(each.run.status)}</summary>
  ${runBody(frame, each)}</details>`;
}

const earlier = ({ pipeline }: RunRecord) =>
  `An earlier ${pipeline === 'uninstall' ? 'uninstall run' : 'run'}`;
const moment = (run: RunRecord) => html`Moment <code>${momentText(run)}</code>`;

/** Shows an installation's runs. The newest run is shown in full. Older runs, and runs of moments, are collapsed. */
export function runsSection(
  frame: RunFrame,
  runs: readonly RunWithAttempts[],
  moments: readonly RunWithAttempts[] = [],
): Html {
  const [newest, ...older] = runs;
  if (!newest) return html`<section class="card panel"><h2>Runs</h2><p class="small">None.</p></section>`;
  return html`<section class="card panel" aria-labelledby="run">
  <h2 id="run">${newest.run.pipeline === 'uninstall' ? 'Uninstall run' : 'Newest run'} ${badge(newest.run.status)}</h2>
  ${runBody(frame, newest)}
  ${older.map((each) => collapsed(frame, earlier(each.run), each))}
  ${moments.map((each) => collapsed(frame, moment(each.run), each))}
</section>`;
}
