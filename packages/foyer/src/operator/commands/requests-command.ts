import { type Command, Option } from 'commander';
import type { InstallRequestOutcome } from '../../database/records.ts';
import { isoTime } from '../install-record-json.ts';
import type { OperatorDeps } from '../operator-deps.ts';
import { type Named, withNames } from '../people-names.ts';
import { type InstallRequestRecord, listInstallRequests, requesterOf } from '../request-lists.ts';
import { statusStyle } from '../terminal/status-style.ts';
import { type Column, table } from '../terminal/table.ts';
import { timeText } from '../terminal/time-text.ts';
import { withDatabase } from '../with-database.ts';
import { operatorCommand, parseDay, parseLimit, parseTeamId } from './command-help.ts';

interface RequestsOptions {
  /** Only requests of one day are listed: the UTC day that begins at this time, in milliseconds since 1970. */
  day?: number;
  team?: string;
  outcome?: InstallRequestOutcome;
  limit: number;
  json?: boolean;
}

const dayMs = 86_400_000;

/** `requests`: lists the OAuth attempts that came back from Slack, with their outcomes. */
export function requestsCommand(deps: OperatorDeps): Command {
  return operatorCommand('requests', {
    summary: 'list OAuth attempts and their outcomes',
    description:
      'Lists install requests, newest first. An install request is an OAuth attempt that came back from Slack, with ' +
      'its outcome: installed, cancelled, refused or failed. One that stays "started" was interrupted.',
    examples: [
      ['requests --outcome failed', 'which installs failed, and why?'],
      ['requests --day 2026-11-22 --team T0123ABCD', 'what did Acme do that day?'],
      ['requests --limit 1000 --json', 'print the newest 1,000 requests as JSON, for a script'],
    ],
  })
    .option('--day <YYYY-MM-DD>', 'only requests whose callback came on this day (UTC)', parseDay)
    .option('--team <id>', 'only requests of this team (T…) or enterprise (E…)', parseTeamId)
    .addOption(
      new Option('--outcome <outcome>', 'only requests with this outcome').choices([
        'started',
        'cancelled',
        'failed',
        'refused',
        'installed',
      ]),
    )
    .option('--limit <number>', 'list at most this many requests', parseLimit, 100)
    .action((options: RequestsOptions) => requests(deps, options));
}

async function requests(deps: OperatorDeps, options: RequestsOptions): Promise<void> {
  await withDatabase(deps, async (config, { queries }) => {
    const { day, team: teamId, outcome, limit } = options;
    const records = await listInstallRequests(queries, {
      clientId: config.slack.clientId,
      teamId,
      outcome,
      limit,
      ...(day !== undefined && { from: day, before: day + dayMs }),
    });
    if (options.json) return deps.output.printJson(records.map(installRequestJson));
    if (records.length === 0) return deps.output.print('No install request matches.');
    const named = await withNames(queries, config.slack.clientId, records, requesterOf);
    deps.output.print(table(deps.output, columns, named));
    if (records.length === limit) deps.output.note(`These are the newest ${limit}; --limit shows more.`);
  });
}

function installRequestJson(record: InstallRequestRecord) {
  return {
    id: record.id,
    startedAt: isoTime(record.startedAt),
    finishedAt: isoTime(record.finishedAt),
    outcome: record.outcome,
    error: record.errorCode,
    requestedTeamId: record.requestedTeamId,
    teamId: record.teamId,
    teamName: record.teamName,
    enterpriseId: record.enterpriseId,
    userId: record.userId,
    runId: record.runId,
  };
}

const columns: Column<Named<InstallRequestRecord>>[] = [
  { title: 'STARTED', value: (request) => timeText(request.startedAt) },
  { title: 'OUTCOME', value: ({ outcome }) => outcome, style: ({ outcome }) => statusStyle(outcome) },
  { title: 'TEAM', value: (request) => request.teamId ?? request.enterpriseId ?? request.requestedTeamId },
  { title: 'NAME', value: (request) => request.teamName },
  {
    title: 'USER',
    value: ({ personName, userId }) => (personName ? `${personName} (${userId})` : userId),
  },
  { title: 'RUN', value: (request) => request.runId },
  { title: 'ERROR', value: (request) => request.errorCode },
];
