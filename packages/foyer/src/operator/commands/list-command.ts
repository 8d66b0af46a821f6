import { type Command, Option } from 'commander';
import { type InstallRecord, installerOf, isHeld } from '../../database/install-record.ts';
import type { InstallationStatus } from '../../database/records.ts';
import { listUnknownTeams } from '../../database/unknown-teams.ts';
import { UsageError } from '../command-error.ts';
import { installRecordJson } from '../install-record-json.ts';
import { troubledSteps } from '../install-record-text.ts';
import type { OperatorDeps } from '../operator-deps.ts';
import { type Named, withNames } from '../people-names.ts';
import { readInstallations } from '../read-installations.ts';
import { type Disconnected, withReconnectLink } from '../reconnect-link.ts';
import { statusStyle } from '../terminal/status-style.ts';
import { type Column, createTable, table } from '../terminal/table.ts';
import { timeText } from '../terminal/time-text.ts';
import { withDatabase } from '../with-database.ts';
import { operatorCommand, parseDay, parseLimit } from './command-help.ts';

interface ListOptions {
  status?: InstallationStatus;
  failed?: boolean;
  /** List only installations from this time on: the start of a day in UTC, in milliseconds. */
  since?: number;
  limit?: number;
  unknown?: boolean;
  json?: boolean;
}

/** `list`: lists installations, each with its newest run. `list --unknown`: lists teams without an installation. */
export function listCommand(deps: OperatorDeps): Command {
  return operatorCommand('list', {
    summary: 'list installations, each with its newest run',
    description: 'Lists the installations, newest first, each with its newest run.',
    examples: [
      ['list --limit 20', 'who installed last, and did it work?'],
      ['list --failed --since 2026-11-01', 'what needs attention since November?'],
      ['list --unknown', 'who has to install the app again after a restore?'],
      ['list --status broken --json', 'print the installations with a dead token, as JSON for a script'],
    ],
  })
    .addOption(
      new Option('--status <status>', 'only installations with this status').choices([
        'active',
        'broken',
        'uninstalled',
      ]),
    )
    .option('--failed', 'only installations whose newest run has a failed step')
    .option('--since <YYYY-MM-DD>', 'only those installed on this day or later (UTC)', parseDay)
    .option('--limit <number>', 'list at most this many installations', parseLimit)
    .option(
      '--unknown',
      'list the teams that send events but have no installation here, for example after a restore',
    )
    .action((options: ListOptions) => list(deps, options));
}

async function list(deps: OperatorDeps, options: ListOptions): Promise<void> {
  const { output } = deps;
  if (options.unknown) {
    if (options.status ?? options.failed ?? options.since ?? options.limit) {
      throw new UsageError(
        '--unknown lists teams without an installation. --status, --failed, --since and --limit do not work with it.',
      );
    }
    return listUnknown(deps, options);
  }
  await withDatabase(deps, async (config, { queries }) => {
    const { clientId } = config.slack;
    const pages = wanted(readInstallations(queries, { clientId, ...options }), options);
    if (options.json) return output.printJsonList(mapPages(pages, installRecordJson));
    const lines = createTable(output, columns);
    let isEmpty = true;
    for await (const page of pages) {
      output.print(lines(await withNames(queries, clientId, page, installerOf)));
      isEmpty = false;
      if (!(await output.ready())) return;
    }
    if (!isEmpty) return;
    const some = await queries
      .selectFrom('installations')
      .select('id')
      .where('client_id', '=', clientId)
      .limit(1)
      .execute();
    output.print(
      some.length > 0
        ? 'No installation matches.'
        : `The app is not installed anywhere yet. Install it at ${config.http.baseUrl}/`,
    );
  });
}

async function listUnknown(deps: OperatorDeps, { json }: ListOptions): Promise<void> {
  const { output, now } = deps;
  await withDatabase(deps, async (config, { queries }) => {
    const unknown = await listUnknownTeams(queries, { clientId: config.slack.clientId, now: now() });
    const teams = unknown.map(({ firstSeenAt, lastSeenAt, ...team }) => ({
      ...withReconnectLink(config, team),
      firstSeenAt: new Date(firstSeenAt).toISOString(),
      lastSeenAt: new Date(lastSeenAt).toISOString(),
    }));
    if (json) return output.printJson(teams);
    if (teams.length === 0)
      return output.print(
        'Slack sends events only for teams with an installation here. Any other team is listed a minute after its first event.',
      );
    output.print(table(output, unknownColumns, teams));
    output.note(
      'These teams have the app in Slack, but Foyer has no token for them. Check first that DATABASE_URL names the right ' +
        'database, and whether a newer backup has them. If neither helps, send an admin of each team its link. A team leaves this list when it installs the app, or 30 days after its last event.',
    );
  });
}

const unknownColumns: Column<Disconnected & { firstSeenAt: string; lastSeenAt: string }>[] = [
  { title: 'TEAM', value: ({ teamId, enterpriseId }) => teamId ?? enterpriseId },
  { title: 'FIRST EVENT', value: ({ firstSeenAt }) => timeText(Date.parse(firstSeenAt)) },
  { title: 'LAST EVENT', value: ({ lastSeenAt }) => timeText(Date.parse(lastSeenAt)) },
  { title: 'INSTALL AGAIN', value: ({ reconnectUrl }) => reconnectUrl },
];

/** With `failed`, keeps only the records whose newest run failed or has a failed step. Stops at the limit. */
async function* wanted(
  pages: AsyncIterable<InstallRecord[]>,
  { failed, limit = Number.POSITIVE_INFINITY }: ListOptions,
): AsyncGenerator<InstallRecord[]> {
  let left = limit;
  for await (const page of pages) {
    const found = page.filter((record) => !failed || hasFailed(record)).slice(0, left);
    left -= found.length;
    if (found.length > 0) yield found;
    if (left === 0) return;
  }
}

async function* mapPages<From, To>(
  pages: AsyncIterable<readonly From[]>,
  map: (value: From) => To,
): AsyncGenerator<To[]> {
  for await (const page of pages) yield page.map(map);
}

function hasFailed({ run }: InstallRecord): boolean {
  return run !== null && (run.status === 'failed' || run.steps.some((step) => step.status === 'failed'));
}

function troubleText(record: InstallRecord): string | null {
  if (record.status === 'broken') return `${record.brokenReason}${isHeld(record) ? ', held' : ''}`;
  const steps = troubledSteps(record).map(({ name, errorCode, status }) => `${name}: ${errorCode ?? status}`);
  if (steps.length > 0) return steps.join(', ');
  return record.run?.waitingFor ? `waits for ${record.run.waitingFor}` : null;
}

const columns: Column<Named<InstallRecord>>[] = [
  { title: 'TEAM', value: (record) => record.teamId ?? record.enterpriseId },
  {
    title: 'NAME',
    value: (record) => (record.isEnterpriseInstall ? record.enterpriseName : record.teamName),
  },
  { title: 'STATUS', value: (record) => record.status, style: (record) => statusStyle(record.status) },
  { title: 'INSTALLED', value: (record) => timeText(record.installedAt) },
  {
    title: 'BY',
    value: ({ personName, installerUserId: id }) => (personName ? `${personName} (${id})` : id),
  },
  {
    title: 'RUN',
    value: (record) => record.run?.status ?? null,
    style: (record) => (record.run ? statusStyle(record.run.status) : undefined),
  },
  {
    title: 'TROUBLE',
    value: troubleText,
    style: (record) => (troubleText(record) ? 'yellow' : undefined),
  },
];
