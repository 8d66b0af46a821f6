import { type InstallRecord, registeredTeamId } from '../../database/install-record.ts';
import type { Page } from '../../database/page.ts';
import { type Html, html } from '../../http/html.ts';
import { plainName } from '../../slack/slack-text.ts';
import { troubledSteps } from '../install-record-text.ts';
import type { Named } from '../people-names.ts';
import { dataTable, type TableColumn } from './data-table.ts';
import { choice, type ListFilters, pager } from './list-address.ts';
import { type OperatorFrame, operatorPage } from './operator-page.ts';
import { badge, installationName, personCell, time } from './shown-values.ts';

interface InstallationsContent {
  filters: ListFilters & { q?: string; status?: string; run?: string };
  page: Page<Named<InstallRecord>>;
}

export const installationsPath = '/operator/installations';

/** The statuses by which an operator can filter the list. */
export const installationStatuses = ['active', 'broken', 'uninstalled'] as const;
export const runStatuses = ['failed', 'waiting', 'queued', 'running', 'cancelled', 'succeeded'] as const;

/** Returns the problem that an operator should look at first; null if there is none. */
function trouble(record: InstallRecord): Html | string | null {
  if (record.status === 'broken') return html`<code>${record.brokenReason}</code>`;
  const [step] = troubledSteps(record);
  if (step) return html`<code>${step.name}: ${step.errorCode ?? step.status}</code>`;
  return record.run?.waitingFor ? html`waits for <code>${record.run.waitingFor}</code>` : null;
}

const columns: readonly TableColumn<Named<InstallRecord>>[] = [
  {
    title: 'Installation',
    kind: 'head',
    cell: (record) =>
      html`<a href="${`${installationsPath}/${record.id}`}">${installationName(record)}</a><span class="ids"><code>${registeredTeamId(record)}</code>${record.isEnterpriseInstall ? ' whole organization' : record.enterpriseName && ` ${plainName(record.enterpriseName, '')}`}</span>`,
  },
  { title: 'Status', cell: (record) => badge(record.status) },
  { title: 'Newest run', cell: (record) => record.run && badge(record.run.status) },
  { title: 'Trouble', cell: trouble },
  { title: 'Installed', cell: (record) => time(record.installedAt) },
  { title: 'By', cell: ({ personName, installerUserId }) => personCell(personName, installerUserId) },
];

function filterForm({ filters }: InstallationsContent): Html {
  return html`<form class="filters card" method="get" action="${installationsPath}" role="search">
  <label class="field wide"><span>Name or id</span><input type="search" name="q" value="${filters.q}" maxlength="100" placeholder="Acme, T…, E…, U…, run_…" autocapitalize="off" spellcheck="false"></label>
  ${choice('status', 'Status', installationStatuses, filters.status)}
  ${choice('run', 'Newest run', runStatuses, filters.run)}
  <button class="button small-button" type="submit">Show</button>
  ${isFiltered(filters) && html`<a class="quiet" href="${installationsPath}">Show all</a>`}
</form>`;
}

const isFiltered = (filters: ListFilters): boolean => Object.values(filters).some(Boolean);

function emptyText(filters: ListFilters): string {
  return isFiltered(filters)
    ? 'No installation matches.'
    : 'No one has installed the app yet. Installs start on the landing page.';
}

/** `GET /operator/installations`: shows the list, with search, filters and pages. Returns a whole HTML document. */
export function installationsPage(frame: OperatorFrame, content: InstallationsContent): string {
  const { filters, page } = content;
  return operatorPage(frame, {
    title: 'Installations',
    section: 'installations',
    content: html`<h1>Installations</h1>
${filterForm(content)}
${
  page.rows.length === 0
    ? html`<p class="empty card">${emptyText(filters)}</p>`
    : html`<div class="card table-card">${dataTable('Installations', columns, page.rows)}</div>`
}
${pager(installationsPath, filters, page)}`,
  });
}
