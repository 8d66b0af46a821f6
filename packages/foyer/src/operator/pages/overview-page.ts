import { isInTrouble, type JobState } from '../../chores/read-jobs.ts';
import { type InstallRecord, isHeld, registeredTeamId } from '../../database/install-record.ts';
import { inactiveCode } from '../../database/installations.ts';
import type { ChannelTrouble } from '../../database/notices.ts';
import type { InstallationStatus } from '../../database/records.ts';
import type { UnknownTeam } from '../../database/unknown-teams.ts';
import { type Html, type HtmlValue, html } from '../../http/html.ts';
import { plainName } from '../../slack/slack-text.ts';
import { isProbablySuspended, mostProblems } from '../kept-counts.ts';
import type { FailingInstalls, Problems } from '../problems.ts';
import type { QueueState } from '../queue-state.ts';
import type { InstallRequestRecord, RequestsOfDay, WelcomesOfDay } from '../request-lists.ts';
import { durationText, spanText } from '../terminal/time-text.ts';
import type { TokensAtRisk } from '../token-times.ts';
import { installsChart, welcomesChart } from './bar-chart.ts';
import { dataTable, type TableColumn } from './data-table.ts';
import { type OperatorFrame, operatorPage } from './operator-page.ts';
import { ago, badge, count, errorText, installationName } from './shown-values.ts';

interface OverviewContent {
  installations: Record<InstallationStatus, number>;
  /** Installations whose newest run failed. */
  failing: Problems<InstallRecord>;
  /** How many installations are on hold instead of uninstalled, because Slack may have suspended the app. */
  held: number;
  /** Installations whose token does not work. */
  broken: Problems<InstallRecord>;
  /** Installations whose welcome may or may not have arrived. */
  unconfirmed: Problems<InstallRecord>;
  /** Installs that keep failing; undefined if installs succeed. */
  failingInstalls: FailingInstalls | undefined;
  /** Install requests that were refused in the last `refusedDays` days. */
  refused: Problems<InstallRequestRecord>;
  queue: QueueState;
  jobs: readonly JobState[];
  tokens: TokensAtRisk;
  unknownTeams: readonly UnknownTeam[];
  days: readonly RequestsOfDay[];
  /** The channels (webhook, mail) that do not deliver messages to the operators. */
  channelTroubles: readonly ChannelTrouble[];
  welcomes: readonly WelcomesOfDay[];
}

/** For how many days the overview shows a refused install request. */
export const refusedDays = 7;

/** A worker polls every two seconds: if a run is overdue for longer than this, probably no worker is running. */
const stuckAfterMs = 60_000;

interface Tile {
  label: string;
  value: number;
  note?: HtmlValue;
  href?: string;
  tone?: 'good' | 'warn' | 'bad';
}

function tile({ label, value, note, href, tone }: Tile): Html {
  const inner = html`<span class="tile-label">${label}</span><strong class="tile-value">${count(value)}</strong>${note && html`<span class="tile-note">${note}</span>`}`;
  const shown = href === undefined ? inner : html`<a href="${href}">${inner}</a>`;
  return html`<li class="stat card"${tone && html` data-tone="${tone}"`}>${shown}</li>`;
}

function tiles(content: OverviewContent, now: number): Html {
  const { installations, queue, tokens } = content;
  const lapsing = tokens.lapsingBots + tokens.lapsingUsers;
  const lateMs = queue.oldestDueAt === null ? 0 : now - queue.oldestDueAt;
  const runs = queue.queued + queue.running + queue.waiting;
  const queueNote = `${count(queue.running)} running, ${count(queue.waiting)} waiting, ${count(queue.due)} due`;
  const late = queue.oldestDueAt !== null && `; the oldest has waited ${spanText(lateMs)}`;
  const link = (status: InstallationStatus) => `/operator/installations?status=${status}`;
  return html`<ul class="stats" role="list">${[
    tile({ label: 'Active', value: installations.active, href: link('active') }),
    tile({
      label: 'Broken',
      value: installations.broken,
      href: link('broken'),
      note: 'their token does not work',
      tone: installations.broken > 0 ? 'warn' : undefined,
    }),
    tile({ label: 'Uninstalled', value: installations.uninstalled, href: link('uninstalled') }),
    tile({
      label: 'Runs in the queue',
      value: runs,
      note: html`${queueNote}${late}`,
      tone: lateMs > stuckAfterMs ? 'bad' : undefined,
    }),
    tile({
      label: 'Tokens about to expire',
      value: lapsing,
      note:
        lapsing > 0
          ? 'will expire within an hour unless Foyer refreshes them'
          : 'no token will expire within an hour',
      tone: lapsing > 0 ? 'warn' : undefined,
    }),
    tile({
      label: 'Tokens to revoke',
      value: tokens.unstored,
      note: tokens.unstored > 0 ? 'tokens of installs that did not finish' : 'none left over',
      tone: tokens.unstored > 0 ? 'warn' : undefined,
    }),
  ]}</ul>`;
}

function linkTo(record: InstallRecord): Html {
  return html`<a class="failing-name" href="/operator/installations/${record.id}">${installationName(record)}</a> <code>${registeredTeamId(record)}</code>`;
}

function failingLine(record: InstallRecord, now: number): Html {
  const failed = record.run?.steps.filter((step) => step.status === 'failed') ?? [];
  return html`<li>
    <span>${linkTo(record)}</span>
    <span class="small">${record.run && ago(record.run.finishedAt ?? record.run.createdAt, now)}${record.status === 'broken' && html` ${badge('broken')}`}</span>
    ${failed.map((step) => html`<p><code class="step-name">${step.name}</code> ${errorText(step)}</p>`)}
  </li>`;
}

function brokenLine(record: InstallRecord, now: number): Html {
  return html`<li>
    <span>${linkTo(record)}</span>
    <span class="small">installed ${ago(record.installedAt, now)}</span>
    <p>The token does not work: <code>${record.brokenReason ?? 'unknown'}</code>. ${isHeld(record) ? 'Foyer keeps the token, and asks Slack again every 15 minutes: Slack may have suspended the app.' : 'An admin of the team must install the app again.'}</p>
  </li>`;
}

function unconfirmedLine(record: InstallRecord, now: number): Html {
  return html`<li>
    <span>${linkTo(record)}</span>
    <span class="small">installed ${ago(record.installedAt, now)}</span>
  </li>`;
}

function refusedLine(request: InstallRequestRecord, now: number): Html {
  const id = request.teamId ?? request.enterpriseId ?? request.requestedTeamId;
  const name = plainName(request.teamName, id ?? 'Unknown workspace');
  return html`<li>
    <span><span class="failing-name">${name}</span>${id !== null && id !== name && html` <code>${id}</code>`}</span>
    <span class="small">${ago(request.startedAt, now)}</span>
    ${request.errorCode !== null && html`<p><code>${request.errorCode}</code></p>`}
  </li>`;
}

/** Shows one kind of problem: what it is, the newest cases, and a link to all cases if a page lists them. */
function problemSection<Case>(
  { newest, count: total }: Problems<Case>,
  shown: { id: string; heading: (total: string) => string; all?: string; line: (each: Case) => Html },
): Html | false {
  if (total === 0) return false;
  const isMany = total > mostProblems;
  const shownTotal = isMany ? `More than ${count(mostProblems)}` : count(total);
  const all = isMany ? 'All of them' : total > newest.length ? `All ${count(total)}` : 'As a list';
  return html`<section class="failing card" aria-labelledby="${shown.id}">
  <div class="section-head"><h2 id="${shown.id}">${shown.heading(shownTotal)}</h2>
  ${shown.all !== undefined && html`<a href="${shown.all}">${all}</a>`}</div>
  <ul role="list">${newest.map(shown.line)}</ul>
</section>`;
}

function jobLine({ name, status, outcome, errorCode, startedAt, nextDueAt }: JobState, now: number): Html {
  const isOverdue = status === 'overdue';
  return html`<li>
    <span><span class="failing-name">${name}</span> ${badge(isOverdue ? status : (outcome ?? status))}</span>
    <span class="small">${startedAt !== null && ago(startedAt, now)}</span>
    ${isOverdue && nextDueAt !== null && html`<p>No machine has begun the turn that was due ${ago(nextDueAt, now)}.</p>`}
    ${outcome === 'failed' && html`<p>The last turn failed: <code>${errorCode}</code>. The log has the whole error.</p>`}
    ${outcome === 'interrupted' && html`<p>The last turn was interrupted: no outcome was recorded. Its machine may have died.</p>`}
  </li>`;
}

const jobColumns = (now: number): readonly TableColumn<JobState>[] => [
  { title: 'Job', kind: 'head', cell: ({ name }) => name },
  { title: 'Status', cell: ({ status }) => badge(status) },
  { title: 'Every', cell: ({ everyMs }) => everyMs !== null && spanText(everyMs) },
  { title: 'Last turn', cell: ({ startedAt }) => startedAt !== null && ago(startedAt, now) },
  { title: 'Took', kind: 'number', cell: ({ tookMs }) => tookMs !== null && durationText(tookMs) },
  { title: 'Next', cell: ({ nextDueAt }) => nextDueAt !== null && ago(nextDueAt, now) },
  { title: 'Machine', cell: ({ machine }) => machine && html`<code>${machine}</code>` },
];

function jobsSection({ jobs }: OverviewContent, now: number): Html | false {
  if (jobs.length === 0) return false;
  const sorted = jobs.toSorted((one, other) => Number(isInTrouble(other)) - Number(isInTrouble(one)));
  return html`<section class="card table-card" aria-labelledby="jobs"><h2 id="jobs">Jobs</h2>
${dataTable('Jobs', jobColumns(now), sorted)}</section>`;
}

/** Shows which channels do not deliver messages to the operators. Installers do not notice such a failure. */
function channelSection({ channelTroubles }: OverviewContent, now: number): Html | false {
  if (channelTroubles.length === 0) return false;
  const lines = channelTroubles.map(({ channel, since, errorCode }) => {
    const what = channel === 'webhook' ? 'The webhook' : 'The mail server';
    return html`<li><p>${what} has accepted no message for ${spanText(now - since)}${errorCode !== null && html` (<code>${errorCode}</code>)`}.</p></li>`;
  });
  return html`<section class="failing card" aria-labelledby="channels">
  <h2 id="channels">Notifications do not arrive</h2>
  <ul role="list">${lines}</ul>
  <p class="small">Installs are not affected. <code>npm run foyer -- doctor</code> says what is wrong.</p>
</section>`;
}

const shownUnknown = 20;

function unknownSection({ unknownTeams }: OverviewContent, now: number): Html | false {
  if (unknownTeams.length === 0) return false;
  const line = ({ teamId, enterpriseId, lastSeenAt }: UnknownTeam) =>
    html`<li><code>${teamId ?? enterpriseId}</code> <span class="small">last event ${ago(lastSeenAt, now)}</span></li>`;
  const left = unknownTeams.length - shownUnknown;
  return html`<section class="failing card" aria-labelledby="unknown">
  <div class="section-head"><h2 id="unknown">${count(unknownTeams.length)} ${unknownTeams.length === 1 ? 'team is' : 'teams are'} missing here</h2></div>
  <p>Slack sends events for these teams, but they have no installation here, perhaps because an old backup was restored. Restore a newer backup that has them, or have an admin of each team install the app again: <code>npm run foyer -- list --unknown</code> prints a link for each.</p>
  <ul role="list">${unknownTeams.slice(0, shownUnknown).map(line)}${left > 0 && html`<li>and ${count(left)} more</li>`}</ul>
</section>`;
}

function heldSection({ held, installations }: OverviewContent): Html {
  const suspended = isProbablySuspended({ held, active: installations.active });
  return html`<section class="failing card" aria-labelledby="held">
  <div class="section-head"><h2 id="held">${suspended ? 'Slack may have suspended the app' : 'A team may have removed the app'}</h2></div>
  <p>Slack answers <code>${inactiveCode}</code> for ${count(held)} ${held === 1 ? 'installation' : 'installations'}, and no other installation has shown that the app works. ${held === 1 ? 'It is' : 'They are'} held: the tokens are kept, and nothing is uninstalled. Foyer asks Slack again every 15 minutes. The runbook says more under FoyerAppSuspended.</p>
</section>`;
}

function failingInstallsSection({ count: failed, code, isUndistributed }: FailingInstalls): Html {
  const text = isUndistributed
    ? html`Slack has refused ${count(failed)} ${failed === 1 ? 'install' : 'installs'} since yesterday (<code>${code}</code>), because the app’s public distribution is off. Turn it on at api.slack.com/apps, Manage Distribution: until then, the app can be installed only in its own workspace.`
    : html`The last ${count(failed)} installs since yesterday have all failed, most often with <code>${code}</code>. The runbook says under FoyerInstallsFailing what each error means.`;
  return html`<section class="failing card" aria-labelledby="failing-installs">
  <div class="section-head"><h2 id="failing-installs">Installs fail</h2>
  <a href="/operator/requests?outcome=failed">As a list</a></div>
  <p>${text}</p>
</section>`;
}

function problemSections(content: OverviewContent, now: number): Html {
  const { failing, broken, unconfirmed, refused } = content;
  const troubled = content.jobs.filter(isInTrouble);
  const noun = ({ count: total }: Problems<unknown>, one: string) => (total === 1 ? one : `${one}s`);
  const sections = [
    content.held > 0 && heldSection(content),
    content.failingInstalls !== undefined && failingInstallsSection(content.failingInstalls),
    problemSection(failing, {
      id: 'failing',
      heading: (total) => `${total} ${failing.count === 1 ? 'install needs' : 'installs need'} attention`,
      all: '/operator/installations?run=failed',
      line: (record) => failingLine(record, now),
    }),
    problemSection(broken, {
      id: 'broken',
      heading: (total) => `${total} broken ${noun(broken, 'installation')}`,
      all: '/operator/installations?status=broken',
      line: (record) => brokenLine(record, now),
    }),
    problemSection(
      { newest: troubled, count: troubled.length },
      {
        id: 'troubled-jobs',
        heading: (total) => `${total} ${troubled.length === 1 ? 'job needs' : 'jobs need'} attention`,
        line: (job) => jobLine(job, now),
      },
    ),
    unknownSection(content, now),
    channelSection(content, now),
    problemSection(unconfirmed, {
      id: 'unconfirmed',
      heading: (total) => `${total} unconfirmed ${noun(unconfirmed, 'welcome')}`,
      line: (record) => unconfirmedLine(record, now),
    }),
    problemSection(refused, {
      id: 'refused',
      heading: (total) => `${total} ${noun(refused, 'install')} refused in the last ${refusedDays} days`,
      all: '/operator/requests?outcome=refused',
      line: (request) => refusedLine(request, now),
    }),
  ].filter((section) => section !== false);
  if (sections.length > 0) return html`${sections}`;
  return html`<section class="calm card" aria-labelledby="failing"><h2 id="failing">Nothing needs attention</h2>
    <p class="small">No run and no job has failed, no installation is broken, every welcome was confirmed, notifications arrive, fewer than three installs in a row have failed since yesterday, and no install was refused in the last ${refusedDays} days.</p></section>`;
}

/** `GET /operator`: shows what needs attention, the totals, the jobs and two charts. Returns a whole HTML document. */
export function overviewPage(frame: OperatorFrame, content: OverviewContent): string {
  return operatorPage(frame, {
    title: 'Overview',
    section: 'overview',
    content: html`<h1>Overview</h1>
${problemSections(content, frame.now)}
${tiles(content, frame.now)}
${jobsSection(content, frame.now)}
<section class="card panel" aria-labelledby="installs"><h2 id="installs">Installs by day</h2>
${installsChart(content.days)}</section>
<section class="card panel" aria-labelledby="welcomes"><h2 id="welcomes">Time to the welcome</h2>
${welcomesChart(content.welcomes)}</section>`,
  });
}
