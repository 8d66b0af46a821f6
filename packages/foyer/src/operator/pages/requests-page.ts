import type { Page } from '../../database/page.ts';
import { type Html, html } from '../../http/html.ts';
import { plainName } from '../../slack/slack-text.ts';
import type { Named } from '../people-names.ts';
import type { InstallRequestRecord } from '../request-lists.ts';
import { dataTable, type TableColumn } from './data-table.ts';
import { installationsPath } from './installations-page.ts';
import { choice, type ListFilters, pager } from './list-address.ts';
import { type OperatorFrame, operatorPage } from './operator-page.ts';
import { badge, personCell, time, took } from './shown-values.ts';

interface RequestsContent {
  filters: ListFilters & { day?: string; team?: string; outcome?: string };
  page: Page<Named<InstallRequestRecord>>;
}

const requestsPath = '/operator/requests';

/** The outcomes by which an operator can filter the list. */
export const requestOutcomes = ['installed', 'failed', 'refused', 'cancelled', 'started'] as const;

function team(request: InstallRequestRecord): Html | null {
  const id = request.teamId ?? request.enterpriseId ?? request.requestedTeamId;
  const name = request.teamName && plainName(request.teamName, '');
  if (id === null && !name) return null;
  const wished = request.teamId === null && request.enterpriseId === null && ' requested';
  const label = name || id;
  const link = request.installationId
    ? html`<a href="${`${installationsPath}/${request.installationId}`}">${label}</a>`
    : label;
  return html`${link}<span class="ids">${name && html`<code>${id}</code>`}${wished}</span>`;
}

const columns: readonly TableColumn<Named<InstallRequestRecord>>[] = [
  { title: 'Started', kind: 'head', cell: (request) => time(request.startedAt) },
  { title: 'Outcome', cell: (request) => badge(request.outcome) },
  { title: 'Team', cell: team },
  { title: 'Person', cell: ({ personName, userId }) => userId && personCell(personName, userId) },
  { title: 'Error', cell: (request) => request.errorCode && html`<code>${request.errorCode}</code>` },
  { title: 'Took', kind: 'number', cell: (request) => took(request.startedAt, request.finishedAt) },
  { title: 'Request', cell: (request) => html`<code>${request.id}</code>` },
];

function filterForm(filters: RequestsContent['filters']): Html {
  return html`<form class="filters card" method="get" action="${requestsPath}" role="search">
  <label class="field"><span>Day (UTC)</span><input type="date" name="day" value="${filters.day}"></label>
  <label class="field wide"><span>Team or enterprise</span><input type="search" name="team" value="${filters.team}" maxlength="40" placeholder="T… or E…" autocapitalize="characters" spellcheck="false"></label>
  ${choice('outcome', 'Outcome', requestOutcomes, filters.outcome)}
  <button class="button small-button" type="submit">Show</button>
  ${Object.values(filters).some(Boolean) && html`<a class="quiet" href="${requestsPath}">Show all</a>`}
</form>`;
}

/** `GET /operator/requests`: shows the OAuth attempts that came back from Slack. Returns a whole HTML document. */
export function requestsPage(frame: OperatorFrame, { filters, page }: RequestsContent): string {
  return operatorPage(frame, {
    title: 'Install requests',
    section: 'requests',
    content: html`<h1>Install requests</h1>
<p class="small intro">All OAuth attempts that came back from Slack, each with its outcome. Foyer keeps them for 90 days. The log shows the same request ids.</p>
${filterForm(filters)}
${
  page.rows.length === 0
    ? html`<p class="empty card">No install request matches.</p>`
    : html`<div class="card table-card">${dataTable('Install requests', columns, page.rows)}</div>`
}
${pager(requestsPath, filters, page)}`,
  });
}
