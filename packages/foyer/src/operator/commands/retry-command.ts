import type { Command } from 'commander';
import { counted } from '../../config/counted.ts';
import type { Database } from '../../database/database.ts';
import { findRun } from '../../database/runs.ts';
import { type RetryOutcome, retryRun } from '../../pipeline/retry-run.ts';
import { CommandError, UsageError } from '../command-error.ts';
import { type FailedRun, type FailedRunSearch, readFailedRuns } from '../failed-runs.ts';
import type { OperatorDeps } from '../operator-deps.ts';
import { type Column, createTable } from '../terminal/table.ts';
import { withDatabase } from '../with-database.ts';
import { operatorCommand, parseTime } from './command-help.ts';

interface RetryOptions {
  failed?: boolean;
  step?: string;
  /** Retry only runs that failed at this time or later (milliseconds since 1970). */
  since?: number;
  dryRun?: boolean;
  json?: boolean;
}

/**
 * `retry RUN`: queues a run again; steps that succeeded do not run again. `retry --failed`: queues the failed runs that
 * still matter (`readFailedRuns`), but skips installations whose token is dead.
 */
export function retryCommand(deps: OperatorDeps): Command {
  return operatorCommand('retry', {
    summary: 'retry a failed run, or all of them (--failed)',
    description:
      'Queues a run again. Finished steps stay finished; the others are tried again. A run that is waiting continues ' +
      'immediately. If Foyer is running, it picks the run up within seconds; if not, when it starts. With --failed, ' +
      'the command does this for ' +
      'the newest run of every installation, if that run failed, and for each failed run of its upgraded, opened and ' +
      'workspaceGranted pipelines, a hundred at a time. If the command is interrupted, run it again. It skips ' +
      'installations whose token is dead: there, an admin has to install the app again.',
    examples: [
      ['list --failed', 'which installations have a failed run? (show TEAM prints the id of the run)'],
      ['retry run_01JD5Z3N8Y2V6K4QW9XTB7MHGC', 'retry one run, after you have fixed the cause'],
      ['retry --failed --since 2026-11-22T01:30Z --dry-run', 'what failed since the outage began?'],
      [
        'retry --failed --step send-welcome',
        'retry every run in which send-welcome failed, after you have fixed the cause',
      ],
    ],
  })
    .argument('[run]', 'a run’s id (run_…), as show, requests and list --json print it')
    .option('--failed', 'every failed run instead of one')
    .option('--step <step>', 'with --failed: only runs in which this step failed')
    .option('--since <time>', 'with --failed: only runs that failed at this time or later (UTC)', parseTime)
    .option('--dry-run', 'with --failed: only list what would be tried again')
    .action((runId: string | undefined, options: RetryOptions) => {
      if ((runId === undefined) === !options.failed) {
        throw new UsageError('Give either the id of one run, or --failed for all. --help shows examples.');
      }
      if (runId === undefined) return retryFailed(deps, options);
      if (options.step !== undefined || options.since !== undefined || options.dryRun) {
        throw new UsageError('--step, --since and --dry-run work only with --failed.');
      }
      return retry(deps, runId, options);
    });
}

async function retry(deps: OperatorDeps, runId: string, options: RetryOptions): Promise<void> {
  await withDatabase(deps, async (config, database) => {
    const known = await findRun(database.queries, config.slack.clientId, runId);
    const outcome = known ? await retryRun(database, runId, { now: deps.now() }) : 'unknown';
    const refusal = refusals[outcome];
    if (refusal !== undefined) throw new CommandError(`Run ${runId} was not retried: ${refusal}`);
    if (options.json) return deps.output.printJson({ runId, outcome });
    deps.output.print(`${successes[outcome]} \`npm run foyer -- show TEAM\` shows its progress.`);
  });
}

const successes: Readonly<Partial<Record<RetryOutcome, string>>> = {
  queued: 'The run is queued again.',
  woken: 'The run was waiting and continues now.',
  going: 'The run is already in progress.',
};

const refusals: Readonly<Partial<Record<RetryOutcome, string>>> = {
  'rate-limited': 'Slack asked us to wait. The run continues automatically after the wait.',
  'nothing-to-retry':
    'each of its steps has succeeded or was skipped, or the person whose run it was has been erased.',
  'not-installed': 'the app has since been uninstalled. The next install starts a new run.',
  unknown: 'there is no such run. `npm run foyer -- show TEAM` prints the id of a team’s newest run.',
};

/** One failed run, and the outcome of its retry; null if a dry run only lists it. */
interface RetriedRun extends Omit<FailedRun, 'id'> {
  runId: string;
  outcome: RetryOutcome | 'token-dead' | null;
}

async function retryFailed(deps: OperatorDeps, options: RetryOptions): Promise<void> {
  const { output } = deps;
  await withDatabase(deps, async (config, database) => {
    const search = { clientId: config.slack.clientId, step: options.step, since: options.since };
    const counts = { found: 0, queued: 0, dead: 0 };
    const pages = retryPages(deps, database, { search, dryRun: options.dryRun === true, counts });
    if (options.json) await output.printJsonList(pages);
    else {
      const lines = createTable(output, columns);
      for await (const page of pages) output.print(lines(page));
    }
    output.note(summary(counts, options));
  });
}

async function* retryPages(
  deps: Pick<OperatorDeps, 'now'>,
  database: Database,
  work: { search: FailedRunSearch; dryRun: boolean; counts: Counts },
): AsyncGenerator<RetriedRun[]> {
  const { search, dryRun, counts } = work;
  for await (const page of readFailedRuns(database.queries, search)) {
    const retried: RetriedRun[] = [];
    for (const run of page) {
      const outcome = await retryOne(run);
      const { id: runId, ...rest } = run;
      retried.push({ runId, ...rest, outcome });
      counts.found += 1;
      if (outcome === 'queued') counts.queued += 1;
      if (run.installation === 'broken') counts.dead += 1;
    }
    yield retried;
  }

  async function retryOne(run: FailedRun): Promise<RetriedRun['outcome']> {
    if (run.installation === 'broken') return 'token-dead';
    return dryRun ? null : retryRun(database, run.id, { now: deps.now() });
  }
}

interface Counts {
  found: number;
  queued: number;
  dead: number;
}

function summary({ found, queued, dead }: Counts, { dryRun, step }: RetryOptions): string {
  if (found === 0) {
    const hint =
      ' To find runs that succeeded but could not notify the operators, add --step notify-operators.';
    return `No failed run matches.${step === undefined ? hint : ''}`;
  }
  const lines = dryRun
    ? [`${found - dead} of ${found} runs would be retried. Nothing was changed.`]
    : [`Queued ${queued} of ${found} runs again. \`npm run foyer -- list --failed\` shows what fails again.`];
  if (dead > 0) {
    lines.push(
      `Skipped ${counted(dead, 'run')}, because the token of the installation does not work. An admin of each team ` +
        'has to install the app again: `npm run foyer -- list --status broken` lists the teams.',
    );
  }
  return lines.join('\n');
}

const columns: Column<RetriedRun>[] = [
  { title: 'TEAM', value: ({ teamId, enterpriseId }) => teamId ?? enterpriseId },
  { title: 'RUN', value: ({ runId }) => runId },
  {
    title: 'FAILED',
    value: ({ failed }) => failed.map(({ step, error }) => `${step}: ${error ?? 'unknown'}`).join(', '),
  },
  {
    title: 'OUTCOME',
    value: ({ outcome }) => outcome ?? 'not tried',
    style: ({ outcome }) => (outcome === 'token-dead' ? 'yellow' : undefined),
  },
];
