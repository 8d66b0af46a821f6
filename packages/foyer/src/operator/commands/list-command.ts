import { Command, Option } from 'commander';
import type { InstallRecord, StepRecord } from '../../database/install-record.ts';
import { listInstallRecords } from '../../database/install-record.ts';
import type { InstallationStatus } from '../../database/records.ts';
import { installRecordJson } from '../install-record-json.ts';
import type { OperatorDeps } from '../operator-deps.ts';
import { statusStyle } from '../terminal/status-style.ts';
import { type Column, table } from '../terminal/table.ts';
import { timeText } from '../terminal/time-text.ts';
import { withDatabase } from '../with-database.ts';
import { exampleLines, jsonOption } from './command-help.ts';

interface ListOptions {
  status?: InstallationStatus;
  failed?: boolean;
  json?: boolean;
}

/** `list`: every installation with its newest run. */
export function listCommand(deps: OperatorDeps): Command {
  return new Command('list')
    .summary('list installations and how their newest run went')
    .description('Lists every installation, newest first, each with its newest run.')
    .addOption(
      new Option('--status <status>', 'only installations that stand like this').choices([
        'active',
        'broken',
        'uninstalled',
      ]),
    )
    .option('--failed', 'only installations whose newest run has a failed step')
    .addOption(jsonOption())
    .addHelpText(
      'after',
      exampleLines([
        ['list', 'who is installed, and did it work?'],
        ['list --failed', 'what needs a hand?'],
        ['list --status broken --json', 'the installations whose token died, for a script'],
      ]),
    )
    .action((options: ListOptions) => list(deps, options));
}

async function list(deps: OperatorDeps, options: ListOptions): Promise<void> {
  await withDatabase(deps, async (config, { queries }) => {
    const all = await listInstallRecords(queries, config.slack.clientId);
    const records = all.filter(
      (record) =>
        (options.status === undefined || record.status === options.status) &&
        (!options.failed || hasFailed(record)),
    );
    if (options.json) return deps.output.printJson(records.map(installRecordJson));
    if (records.length > 0) return deps.output.print(table(deps.output, columns, records));
    deps.output.print(
      all.length > 0
        ? `None of the ${all.length} installations is like that.`
        : `Nobody has installed the app yet. They begin at ${config.http.publicUrl}/`,
    );
  });
}

function hasFailed({ run }: InstallRecord): boolean {
  return run !== null && (run.status === 'failed' || run.steps.some((step) => step.status === 'failed'));
}

/** The step that an operator would look at first: one that failed, else one with an error that may pass. */
function troubledStep({ run }: InstallRecord): StepRecord | undefined {
  const steps = run?.steps ?? [];
  return (
    steps.find((step) => step.status === 'failed') ??
    steps.find((step) => step.status === 'unconfirmed') ??
    steps.find((step) => step.status === 'retrying')
  );
}

function troubleText(record: InstallRecord): string | null {
  if (record.status === 'broken') return record.brokenReason;
  const step = troubledStep(record);
  if (step) return `${step.name}: ${step.errorCode ?? step.status}`;
  return record.run?.waitingFor ? `waits for ${record.run.waitingFor}` : null;
}

const columns: Column<InstallRecord>[] = [
  { title: 'TEAM', value: (record) => record.teamId ?? record.enterpriseId },
  {
    title: 'NAME',
    value: (record) => (record.isEnterpriseInstall ? record.enterpriseName : record.teamName),
    maxWidth: 32,
  },
  { title: 'STATUS', value: (record) => record.status, style: (record) => statusStyle(record.status) },
  { title: 'INSTALLED', value: (record) => timeText(record.installedAt) },
  { title: 'BY', value: (record) => record.installerUserId },
  {
    title: 'RUN',
    value: (record) => record.run?.status ?? null,
    style: (record) => (record.run ? statusStyle(record.run.status) : undefined),
  },
  {
    title: 'TROUBLE',
    value: troubleText,
    style: (record) => (troubleText(record) ? 'yellow' : undefined),
    maxWidth: 48,
  },
];
