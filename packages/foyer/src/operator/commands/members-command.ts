import type { Command } from 'commander';
import type { Queries } from '../../database/database.ts';
import type { InstallRecord } from '../../database/install-record.ts';
import type { PageCursor } from '../../database/page.ts';
import { listMembersPage } from '../../database/people/member-lists.ts';
import type { MemberRecord } from '../../database/people/members.ts';
import { findTeamOrName } from '../find-team.ts';
import { memberJson } from '../install-record-json.ts';
import type { OperatorDeps } from '../operator-deps.ts';
import { type Column, createTable } from '../terminal/table.ts';
import { timeText } from '../terminal/time-text.ts';
import { withDatabase } from '../with-database.ts';
import { operatorCommand, parseLimit } from './command-help.ts';

interface MembersOptions {
  limit?: number;
  json?: boolean;
}

const pageRows = 500;

/** `members TEAM|NAME [SEARCH]`: lists the people of one installation. */
export function membersCommand(deps: OperatorDeps): Command {
  return operatorCommand('members', {
    summary: 'list the people of a team: role, email, first and last seen',
    description:
      'Lists the people of a team whom the app has met, newest first: who installed, opened Home, pressed a button ' +
      'or signed in. "external" is a person of another workspace, met in a Slack Connect channel.',
    examples: [
      ['members T0123ABCD', 'who uses the app there?'],
      ['members T0123ABCD grace@', 'when was Grace last seen?'],
      ['members T0123ABCD --json', 'print all people as JSON, for a script'],
    ],
  })
    .argument('<team>', 'a team’s id (T…) or name; for an org-wide install, the enterprise’s id (E…) or name')
    .argument('[search]', 'part of a name or an email address, or a user id')
    .option('--limit <number>', 'list at most this many people', parseLimit)
    .action((team: string, search: string | undefined, options: MembersOptions) =>
      members(deps, team, search, options),
    );
}

async function members(
  deps: OperatorDeps,
  team: string,
  search: string | undefined,
  { limit = Number.POSITIVE_INFINITY, json }: MembersOptions,
): Promise<void> {
  const { output } = deps;
  await withDatabase(deps, async (config, { queries }) => {
    const record = await findTeamOrName(queries, config.slack.clientId, team);
    const pages = readMembers(queries, record, { text: search?.trim() || undefined, limit });
    if (json) return output.printJsonList(jsonPages(pages));
    const lines = createTable(output, columns);
    let isEmpty = true;
    for await (const page of pages) {
      output.print(lines(page));
      isEmpty = false;
      if (!(await output.ready())) return;
    }
    if (isEmpty) output.print(search ? 'No member matches.' : 'The app has not met anyone in this team yet.');
  });
}

async function* readMembers(
  queries: Queries,
  record: InstallRecord,
  { text, limit }: { text: string | undefined; limit: number },
): AsyncGenerator<MemberRecord[]> {
  let cursor: PageCursor | undefined;
  for (let left = limit; left > 0; ) {
    const page = await listMembersPage(queries, record, { text, limit: Math.min(left, pageRows), cursor });
    left -= page.rows.length;
    if (page.rows.length > 0) yield page.rows;
    if (!page.older) return;
    cursor = { ...page.older, towards: 'older' };
  }
}

async function* jsonPages(pages: AsyncIterable<MemberRecord[]>) {
  for await (const page of pages) yield page.map(memberJson);
}

const columns: Column<MemberRecord>[] = [
  { title: 'USER', value: (member) => member.userId },
  { title: 'NAME', value: (member) => member.realName ?? member.name },
  { title: 'EMAIL', value: (member) => member.email },
  { title: 'ROLE', value: roleText },
  { title: 'OWN TOKEN', value: (member) => (member.hasUserToken ? 'yes' : 'no') },
  { title: 'SINCE', value: (member) => timeText(member.firstSeenAt) },
  { title: 'LAST SEEN', value: ({ lastSeenAt }) => (lastSeenAt === null ? null : timeText(lastSeenAt)) },
];

function roleText({ role, teamId, deactivatedAt }: MemberRecord): string {
  if (deactivatedAt !== null) return 'deactivated';
  return role === 'external' ? `external (${teamId})` : role;
}
