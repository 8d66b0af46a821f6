import { Command } from 'commander';
import { readRun } from '../../database/install-record.ts';
import { CommandError } from '../command-error.ts';
import type { OperatorDeps } from '../operator-deps.ts';
import { withDatabase } from '../with-database.ts';
import { exampleLines, jsonOption } from './command-help.ts';

/** `retry RUN`: makes a failed run go on from the steps that failed. */
export function retryCommand(deps: OperatorDeps): Command {
  return new Command('retry')
    .summary('make a failed run go on')
    .description(
      'Queues a failed run again: its finished steps stay finished, those that failed get another try. The Foyer that ' +
        'is running picks it up by itself within seconds; one that is stopped does when it starts.',
    )
    .argument('<run>', 'a run’s id (run_…), as list --json, show and requests print it')
    .addOption(jsonOption())
    .addHelpText(
      'after',
      exampleLines([
        ['list --failed', 'which runs failed'],
        ['retry run_01JD5Z3N8Y2V6K4QW9XTB7MHGC', 'try one again, once its cause is mended'],
      ]),
    )
    .action((runId: string, options: { json?: boolean }) => retry(deps, runId, options));
}

async function retry(deps: OperatorDeps, runId: string, options: { json?: boolean }): Promise<void> {
  await withDatabase(deps, async (_config, database) => {
    const run = await readRun(database.queries, runId);
    if (!run) {
      throw new CommandError(
        `There is no run ${runId}. \`npm run foyer -- show TEAM\` shows the newest run of a team.`,
      );
    }
    const queued = await deps.retryRun(database, runId, deps.now());
    if (!queued) {
      throw new CommandError(
        `Run ${runId} is ${run.status}: there is nothing in it to try again. ` +
          'Only a run that failed is, and only the newest of an installation that is there.',
      );
    }
    if (options.json) return deps.output.printJson({ runId, status: 'queued' });
    deps.output.print(`Run ${runId} is queued again. \`npm run foyer -- show TEAM\` shows how it goes.`);
  });
}
