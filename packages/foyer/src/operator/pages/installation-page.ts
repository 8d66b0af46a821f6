import type { HistoryRecord } from '../../database/history.ts';
import { type InstallRecord, isHeld, registeredTeamId } from '../../database/install-record.ts';
import type { MemberRecord } from '../../database/people/members.ts';
import type { UserRecord } from '../../database/people/people.ts';
import { welcomeStepName } from '../../home/viewer.ts';
import { type Html, type HtmlValue, html } from '../../http/html.ts';
import { scopeSentence } from '../../slack/scope-sentences.ts';
import { plainName } from '../../slack/slack-text.ts';
import type { TokenTimes } from '../token-times.ts';
import { dataTable, type TableColumn } from './data-table.ts';
import { installationsPath } from './installations-page.ts';
import { csrfField, type OperatorFrame, operatorPage } from './operator-page.ts';
import { peopleColumns, peoplePath } from './people-page.ts';
import { type RunWithAttempts, runsSection } from './run-section.ts';
import { ago, badge, count, installationName, inWords, time } from './shown-values.ts';

interface InstallationContent {
  record: InstallRecord;
  /** Newest first. */
  runs: readonly RunWithAttempts[];
  /** The `opened`, `upgraded` and `workspaceGranted` runs of this installation, newest first. */
  moments: readonly RunWithAttempts[];
  /** The people who started to use the app most recently, newest first. */
  people: readonly MemberRecord[];
  peopleCount: number;
  installer: UserRecord | undefined;
  history: readonly HistoryRecord[];
  tokens: TokenTimes;
  requestedScopes: readonly string[];
  optionalScopes: readonly string[];
}

/** How many rows of a long list the page shows. Another page, or the command line, shows all rows. */
export const shownPeople = 20;
export const shownHistory = 100;

function facts(entries: readonly (readonly [string, HtmlValue])[]): Html {
  const given = entries.filter(([, value]) => value !== null && value !== undefined && value !== false);
  return html`<dl class="facts">${given.map(([label, value]) => html`<div><dt>${label}</dt><dd>${value}</dd></div>`)}</dl>`;
}

function tokenText(tokens: TokenTimes, now: number): HtmlValue {
  if (!tokens.bot) return 'none stored';
  const { expiresAt } = tokens.bot;
  return expiresAt === null
    ? 'stored without an expiry time'
    : html`stored, ${expiresAt < now ? 'expired' : 'expires'} ${ago(expiresAt, now)}`;
}

function connectionText({ connection }: InstallRecord): HtmlValue {
  if (!connection) return null;
  const { org, subject, connectedAt } = connection;
  return html`<code>${org}</code>${subject !== null && html` by <code>${subject}</code>`} <span class="small">${time(connectedAt)}</span>`;
}

function recordSection({ record, installer, tokens }: InstallationContent, now: number): Html {
  const name = installer?.realName ?? installer?.name;
  const enterprise = record.enterpriseName && plainName(record.enterpriseName, '');
  return html`<section class="card panel" aria-labelledby="record"><h2 id="record">Record</h2>${facts([
    ['Team', record.teamId && html`<code>${record.teamId}</code>`],
    ['Enterprise', record.enterpriseId && html`${enterprise} <code>${record.enterpriseId}</code>`],
    ['Covers', record.isEnterpriseInstall && 'the whole organization'],
    [
      'Installed',
      html`${time(record.installedAt)} <span class="small">${ago(record.installedAt, now)}</span>`,
    ],
    ['By', html`${name && plainName(name, '')} <code>${record.installerUserId}</code>`],
    ['Connected to', connectionText(record)],
    ['Uninstalled', record.uninstalledAt !== null && time(record.uninstalledAt)],
    [
      'Broken by',
      record.brokenReason &&
        html`<code>${record.brokenReason}</code>${isHeld(record) && ', but Foyer keeps the tokens: Slack may have suspended the app'}`,
    ],
    ['Bot’s token', tokenText(tokens, now)],
    [
      'People’s own tokens',
      tokens.users > 0 &&
        html`${count(tokens.users)}${tokens.usersExpireFrom !== null && html`, the first ${tokens.usersExpireFrom < now ? 'expired' : 'expires'} ${ago(tokens.usersExpireFrom, now)}`}`,
    ],
    ['Bot user', record.botUserId && html`<code>${record.botUserId}</code>`],
    ['App', record.appId && html`<code>${record.appId}</code>`],
    ['Foyer’s id', html`<code>${record.id}</code>`],
  ])}</section>`;
}

function scopeItem(scope: string, tone: 'good' | 'bad' | 'muted', note?: string): Html {
  const sentence = scopeSentence(scope);
  return html`<li data-tone="${tone}">${sentence !== scope && html`<span>${sentence}</span>`} <code>${scope}</code>${note && html` <span class="small">${note}</span>`}</li>`;
}

function scopesSection(content: InstallationContent): Html {
  const granted = content.record.botScopes ?? [];
  const missing = content.requestedScopes.filter((scope) => !granted.includes(scope));
  const needed = missing.filter((scope) => !content.optionalScopes.includes(scope));
  const declined = missing.filter((scope) => content.optionalScopes.includes(scope));
  return html`<section class="card panel" aria-labelledby="scopes"><h2 id="scopes">Scopes</h2>
  ${needed.length > 0 && html`<h3>Missing</h3><ul class="scope-list" role="list">${needed.map((scope) => scopeItem(scope, 'bad'))}</ul>`}
  <h3>Granted</h3>
  ${granted.length > 0 ? html`<ul class="scope-list" role="list">${granted.map((scope) => scopeItem(scope, 'good'))}</ul>` : html`<p class="small">None: this install has no bot.</p>`}
  ${declined.length > 0 && html`<h3>Optional, not granted</h3><ul class="scope-list" role="list">${declined.map((scope) => scopeItem(scope, 'muted'))}</ul>`}
</section>`;
}

const historyColumns: readonly TableColumn<HistoryRecord>[] = [
  { title: 'When', kind: 'head', cell: (entry) => time(entry.at) },
  { title: 'What', cell: (entry) => inWords(entry.kind) },
  {
    title: 'Person',
    // Empty for an operator's action, whose detail names the operator's user id and workspace. Why: without the
    // workspace, a user id is ambiguous.
    cell: ({ kind, userId }) => kind !== 'operator_action' && userId && html`<code>${userId}</code>`,
  },
  { title: 'Detail', cell: (entry) => entry.detail },
];

function tableSection<Row>(
  id: string,
  title: string,
  columns: readonly TableColumn<Row>[],
  rows: readonly Row[],
  most: number,
): Html {
  const shown = rows.slice(0, most);
  return html`<section class="card table-card" aria-labelledby="${id}"><h2 id="${id}">${title}</h2>
  ${shown.length > 0 ? dataTable(title, columns, shown) : html`<p class="small">None.</p>`}
  ${rows.length > most && html`<p class="small"><code>npm run foyer -- show TEAM --json</code> prints the whole list.</p>`}
</section>`;
}

function actionsBar(frame: OperatorFrame, record: InstallRecord): Html {
  const path = `${installationsPath}/${record.id}`;
  const { run } = record;
  const isThere = record.status !== 'uninstalled';
  const isOver = run !== null && ['succeeded', 'failed', 'cancelled'].includes(run.status);
  const mayRetry =
    run !== null &&
    (['failed', 'waiting'].includes(run.status) || run.steps.some(({ status }) => status === 'unconfirmed'));
  const maySendWelcome =
    record.status === 'active' &&
    record.botScopes !== null &&
    isOver &&
    run.steps.some(({ name }) => name === welcomeStepName);
  const press = (action: string, label: string, fields: Html, style = '') =>
    html`<form method="post" action="${`${path}/${action}`}">${csrfField(frame.session)}${fields}<button class="button small-button ${style}" type="submit">${label}</button></form>`;
  return html`<div class="action-bar">
  ${isThere && mayRetry && press('retry', 'Run again', html`<input type="hidden" name="run" value="${run?.id}">`)}
  ${maySendWelcome && press('welcome', 'Send the welcome again', html``, 'second')}
  ${isThere && html`<a class="button small-button second" href="${`${path}/mark-gone`}">Mark as gone…</a>`}
  <a class="button small-button danger" href="${`${path}/purge`}">Purge…</a>
</div>`;
}

/** `GET /operator/installations/:id`: shows the record of one installation. Returns a whole HTML document. */
export function installationPage(frame: OperatorFrame, content: InstallationContent): string {
  const { record, people, peopleCount, history } = content;
  const name = installationName(record);
  return operatorPage(frame, {
    title: name,
    section: 'installations',
    content: html`<div class="title-row"><div><p class="small crumb"><a href="${installationsPath}">Installations</a></p>
<h1>${name} ${badge(record.status)}</h1>
<p class="small"><code>${registeredTeamId(record)}</code></p></div>
${actionsBar(frame, record)}</div>
<div class="columns">
<div class="column">${runsSection(frame, content.runs, content.moments)}</div>
<div class="column">${recordSection(content, frame.now)}${scopesSection(content)}</div>
</div>
<section class="card table-card" aria-labelledby="users"><h2 id="users">People (${count(peopleCount)})</h2>
${people.length > 0 ? dataTable('People', peopleColumns, people) : html`<p class="small">None.</p>`}
${people.length > 0 && html`<p class="small"><a href="${peoplePath(record)}">${peopleCount > people.length ? 'All people' : 'Search'}</a></p>`}</section>
${tableSection('history', 'History', historyColumns, history, shownHistory)}`,
  });
}
