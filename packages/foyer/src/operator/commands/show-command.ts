import type { Command } from 'commander';
import { readHistory } from '../../database/history.ts';
import { readUsers } from '../../database/people/people.ts';
import { readStepAttempts } from '../../database/run-steps.ts';
import { countRunsOf, listRuns, momentKinds } from '../../database/runs.ts';
import { findTeamOrName } from '../find-team.ts';
import { installDetailsJson } from '../install-record-json.ts';
import { installRecordText, mostRuns, mostShown } from '../install-record-text.ts';
import type { OperatorDeps } from '../operator-deps.ts';
import { withDatabase } from '../with-database.ts';
import { operatorCommand } from './command-help.ts';

/** A limit higher than the number of entries that any installation has. Both databases accept it. */
const wholeHistory = 1_000_000;

/** `show TEAM|NAME`: prints the record of one installation, with its runs, people and history. */
export function showCommand(deps: OperatorDeps): Command {
  return operatorCommand('show', {
    summary: 'show one installation: who, when, scopes, run, users, history',
    description:
      'Shows one installation: who installed it and when, its scopes, its newest run with every attempt (and the uninstall ' +
      'run, if that is the newest), the runs of its moments (upgraded, opened, workspaceGranted), its people and its ' +
      'history (newest first).',
    examples: [
      ['show T0123ABCD', 'did their install work, and what failed?'],
      ['show acme', 'find the team by its name, or a part of the name'],
      ['show E0123ABCD --json', 'print an org-wide install as JSON, for a script'],
    ],
  })
    .argument('<team>', 'a team’s id (T…) or name; for an org-wide install, the enterprise’s id (E…) or name')
    .action((team: string, options: { json?: boolean }) => show(deps, team, options));
}

async function show(deps: OperatorDeps, team: string, options: { json?: boolean }): Promise<void> {
  await withDatabase(deps, async (config, { queries }) => {
    const record = await findTeamOrName(queries, config.slack.clientId, team);
    const users = await readUsers(queries, record);
    const history = await readHistory(queries, record.id, wholeHistory);
    const runs = await listRuns(queries, record.id, options.json ? mostRuns : 1);
    if (options.json) return deps.output.printJson(installDetailsJson(record, { runs, users, history }));
    const moments = await listRuns(queries, record.id, mostShown, momentKinds);
    const momentCount = await countRunsOf(queries, record.id, momentKinds);
    const attempts = record.run ? await readStepAttempts(queries, record.run.id) : [];
    const uninstallRun = runs.find(({ pipeline }) => pipeline === 'uninstall');
    const uninstall = uninstallRun && {
      run: uninstallRun,
      attempts: await readStepAttempts(queries, uninstallRun.id),
    };
    deps.output.print(
      installRecordText(deps.output, { record, users, history, attempts, uninstall, moments, momentCount }),
    );
  });
}
