import { type InstallRecord, registeredTeamId } from '../../database/install-record.ts';
import type { Page } from '../../database/page.ts';
import type { MemberRecord } from '../../database/people/members.ts';
import { type Html, html } from '../../http/html.ts';
import { plainName } from '../../slack/slack-text.ts';
import { dataTable, type TableColumn } from './data-table.ts';
import { installationsPath } from './installations-page.ts';
import { type ListFilters, pager } from './list-address.ts';
import { type OperatorFrame, operatorPage } from './operator-page.ts';
import { count, installationName, time } from './shown-values.ts';

interface PeopleContent {
  record: InstallRecord;
  filters: ListFilters & { q?: string };
  page: Page<MemberRecord>;
  /** The number of people in the installation, including those who do not match the filters. */
  total: number;
}

/** Returns `/operator/installations/<id>/people`. */
export const peoplePath = (record: Pick<InstallRecord, 'id'>): string =>
  `${installationsPath}/${record.id}/people`;

function roleCell({ role, teamId, deactivatedAt }: MemberRecord): Html | string {
  if (deactivatedAt !== null) return 'deactivated';
  return role === 'external' ? html`external, of <code>${teamId}</code>` : role;
}

/** The columns of a list of people. */
export const peopleColumns: readonly TableColumn<MemberRecord>[] = [
  {
    title: 'Person',
    kind: 'head',
    cell: (member) =>
      html`${plainName(member.realName ?? member.name, 'Unnamed')}<span class="ids"><code>${member.userId}</code>${member.hasUserToken && ' own token'}</span>`,
  },
  { title: 'Email', cell: (member) => member.email },
  { title: 'Time zone', cell: (member) => member.timezone },
  { title: 'Role', cell: roleCell },
  { title: 'Since', cell: (member) => time(member.firstSeenAt) },
  { title: 'Last seen', cell: ({ lastSeenAt }) => lastSeenAt !== null && time(lastSeenAt) },
];

/** `GET /operator/installations/:id/people`: shows the people of an installation, with search and pages. */
export function peoplePage(frame: OperatorFrame, { record, filters, page, total }: PeopleContent): string {
  const path = peoplePath(record);
  const name = installationName(record);
  return operatorPage(frame, {
    title: `People of ${name}`,
    section: 'installations',
    content: html`<p class="small crumb"><a href="${installationsPath}">Installations</a> · <a href="${`${installationsPath}/${record.id}`}">${name}</a></p>
<h1>People of ${name}</h1>
<p class="small"><code>${registeredTeamId(record)}</code> · ${count(total)} in all</p>
<form class="filters card" method="get" action="${path}" role="search">
  <label class="field wide"><span>Name, email or id</span><input type="search" name="q" value="${filters.q}" maxlength="100" placeholder="Grace, grace@, U…" autocapitalize="off" spellcheck="false"></label>
  <button class="button small-button" type="submit">Show</button>
  ${filters.q && html`<a class="quiet" href="${path}">Show all</a>`}
</form>
${
  page.rows.length === 0
    ? html`<p class="empty card">${filters.q ? 'No one matches.' : 'The app has not met anyone in this team yet.'}</p>`
    : html`<div class="card table-card">${dataTable('People', peopleColumns, page.rows)}</div>`
}
${pager(path, filters, page)}`,
  });
}
