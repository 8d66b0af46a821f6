import type { SessionRow } from '../../database/records.ts';
import { html } from '../../http/html.ts';
import { dataTable, type TableColumn } from './data-table.ts';
import { csrfField, type OperatorFrame, operatorPage } from './operator-page.ts';
import { ago, time } from './shown-values.ts';

/** The path of the page that lists the operators' sessions. */
export const sessionsPath = '/operator/sessions';

function columns(frame: OperatorFrame): readonly TableColumn<SessionRow>[] {
  const isThis = (row: SessionRow): boolean => row.id === frame.session?.id;
  return [
    {
      title: 'Who',
      kind: 'head',
      cell: (row) =>
        html`${row.user_id === null ? 'Password' : html`<code>${`${row.team_id}/${row.user_id}`}</code>`}${isThis(row) && html` <span class="badge" data-tone="good">this session</span>`}`,
    },
    { title: 'Last used', cell: (row) => ago(row.seen_at, frame.now) },
    { title: 'Began', cell: (row) => time(row.began_at) },
    { title: 'Address', cell: ({ address }) => address && html`<span class="nowrap">${address}</span>` },
    { title: 'Browser', cell: (row) => row.browser },
    {
      title: 'End it',
      cell: (row) =>
        html`<form method="post" action="${`${sessionsPath}/end`}">${csrfField(frame.session)}<input type="hidden" name="session" value="${row.id}"><button class="button small-button second" type="submit">${isThis(row) ? 'Log out' : 'End'}</button></form>`,
    },
  ];
}

/** `GET /operator/sessions`: lists the sessions of all operators. Returns a whole HTML document. */
export function sessionsPage(frame: OperatorFrame, sessions: readonly SessionRow[]): string {
  return operatorPage(frame, {
    title: 'Sessions',
    section: 'sessions',
    content: html`<h1>Sessions</h1>
<p class="lead">Everyone who is logged in to these pages. End a session that you do not recognize: it ends on every machine immediately.</p>
<section class="card table-card" aria-label="Sessions">${dataTable('Sessions', columns(frame), sessions)}</section>`,
  });
}
