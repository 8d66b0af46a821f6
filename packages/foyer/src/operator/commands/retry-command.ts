import { Command } from 'commander';
import { findRun } from '../../database/runs.ts';
import { type RetryOutcome, retryRun } from '../../pipeline/retry-run.ts';
import { CommandError } from '../command-error.ts';
import type { OperatorDeps } from '../operator-deps.ts';
import { withDatabase } from '../with-database.ts';
import { exampleLines, jsonOption } from './command-help.ts';

/** `retry RUN`: resumes a failed run at the steps that failed. */
export function retryCommand(deps: OperatorDeps): Command {
  return new Command('retry')
    .summary('make a failed run go on')
    .description(
      'Queues a run again: its finished steps stay finished, the others get another try; a run that waits goes on at ' +
        'once. The Foyer that is running picks it up by itself within seconds; one that is stopped does when it starts.',
    )
    .argument('<run>', 'a run’s id (run_…), as show, requests and list --json print it')
    .addOption(jsonOption())
    .addHelpText(
      'after',
      exampleLines([
        ['list --failed', 'whose runs failed? (show TEAM prints the id)'],
        ['retry run_01JD5Z3N8Y2V6K4QW9XTB7MHGC', 'try one again, once its cause is fixed'],
      ]),
    )
    .action((runId: string, options: { json?: boolean }) => retry(deps, runId, options));
}

async function retry(deps: OperatorDeps, runId: string, options: { json?: boolean }): Promise<void> {
  await withDatabase(deps, async (config, database) => {
    const known = await findRun(database.queries, config.slack.clientId, runId);
    const outcome = known ? await retryRun(database, runId, { now: deps.now() }) : 'unknown';
    const refusal = refusals[outcome];
    if (refusal !== undefined) throw new CommandError(`Run ${runId} was not tried again: ${refusal}`);
    if (options.json) return deps.output.printJson({ runId, outcome });
    deps.output.print(`${successes[outcome]} \`npm run foyer -- show TEAM\` shows how it goes.`);
  });
}

const successes: Readonly<Partial<Record<RetryOutcome, string>>> = {
  queued: 'The run is queued again.',
  woken: 'The run was waiting, and goes on now.',
  going: 'The run is being worked on already.',
};

const refusals: Readonly<Partial<Record<RetryOutcome, string>>> = {
  'rate-limited': 'Slack asked to wait, and it goes on by itself once that time is over.',
  'nothing-to-retry': 'every step of it succeeded, or had nothing to do.',
  'not-installed': 'the app was uninstalled since. An install starts a run of its own.',
  unknown: 'there is no such run. `npm run foyer -- show TEAM` prints the id of a team’s newest run.',
};
