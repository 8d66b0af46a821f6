import type { Command } from 'commander';
import { type JobState, readJobs } from '../../chores/read-jobs.ts';
import { isoTime } from '../install-record-json.ts';
import type { OperatorDeps } from '../operator-deps.ts';
import { statusStyle } from '../terminal/status-style.ts';
import { type Column, table } from '../terminal/table.ts';
import { durationText, spanText, timeText } from '../terminal/time-text.ts';
import { withDatabase } from '../with-database.ts';
import { operatorCommand } from './command-help.ts';

/**
 * `jobs`: lists all jobs, including removed ones. For each job, shows the outcome of the newest turn, and when the next
 * turn is due.
 */
export function jobsCommand(deps: OperatorDeps): Command {
  return operatorCommand('jobs', {
    summary: 'list the jobs: how the newest turn of each ended, and when the next is due',
    description:
      'Lists the jobs of the definition. A turn is one execution of a job, on one machine. For each job, the list shows ' +
      'the newest turn on any machine. overdue: a turn is due, but no machine has begun it. ' +
      'interrupted: no outcome of the turn was recorded, for example because the machine died. If a turn failed or was ' +
      'interrupted, the job is executed again in the next interval. A job that was removed from the definition is ' +
      'listed at the end. If a turn failed, the log has the whole error.',
    examples: [
      ['jobs', 'did the billing job run last night?'],
      ['jobs --json', 'for a script'],
    ],
  }).action((options: { json?: boolean }) => jobs(deps, options));
}

async function jobs(deps: OperatorDeps, options: { json?: boolean }): Promise<void> {
  const { output, definition } = deps;
  await withDatabase(deps, async ({ slack: { clientId } }, { queries }) => {
    const states = await readJobs(queries, { clientId, jobs: definition.jobs, now: deps.now() });
    if (options.json) return output.printJson(states.map(jobJson));
    if (states.length === 0) return output.print('The definition has no jobs (docs/pipelines.md#jobs).');
    output.print(table(output, columns, states));
  });
}

function jobJson({ startedAt, nextDueAt, errorCode, ...job }: JobState) {
  return { ...job, error: errorCode, startedAt: isoTime(startedAt), nextDueAt: isoTime(nextDueAt) };
}

const columns: Column<JobState>[] = [
  { title: 'JOB', value: ({ name }) => name },
  { title: 'STATUS', value: ({ status }) => status, style: ({ status }) => statusStyle(status) },
  { title: 'EVERY', value: ({ everyMs }) => everyMs && spanText(everyMs) },
  { title: 'STARTED', value: ({ startedAt }) => startedAt && timeText(startedAt) },
  { title: 'TOOK', value: ({ tookMs }) => (tookMs === null ? null : durationText(tookMs)) },
  { title: 'NEXT', value: ({ nextDueAt }) => nextDueAt && timeText(nextDueAt) },
  { title: 'MACHINE', value: ({ machine }) => machine },
  { title: 'ERROR', value: ({ errorCode }) => errorCode },
];
