import type { InstallRecord } from '../../database/install-record.ts';
import type { ChannelTrouble } from '../../database/notices.ts';
import type { InstallationStatus } from '../../database/records.ts';
import type { UnknownTeam } from '../../database/unknown-teams.ts';
import { type Html, type HtmlValue, html } from '../../http/html.ts';
import type { QueueState } from '../queue-state.ts';
import type { RequestsOfDay } from '../request-lists.ts';
import type { TokensAtRisk } from '../token-times.ts';
import { installsChart } from './installs-chart.ts';
import { type OperatorFrame, operatorPage } from './operator-page.ts';
import { ago, badge, count, errorText, installationName, spanText } from './shown-values.ts';

/** What the overview shows. */
export interface OverviewContent {
  installations: Record<InstallationStatus, number>;
  /** The newest of the installations whose newest run failed, and how many there are. */
  failing: { newest: readonly InstallRecord[]; count: number };
  queue: QueueState;
  tokens: TokensAtRisk;
  unknownTeams: readonly UnknownTeam[];
  days: readonly RequestsOfDay[];
  /** The ways to notify the operators that do not work. */
  channelTroubles: readonly ChannelTrouble[];
}

/** A worker polls every two seconds: a run that is overdue for longer than this has no worker. */
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
  const late = queue.oldestDueAt !== null && `; the oldest for ${spanText(lateMs)}`;
  const link = (status: InstallationStatus) => `/operator/installations?status=${status}`;
  return html`<ul class="stats" role="list">${[
    tile({ label: 'Active', value: installations.active, href: link('active') }),
    tile({
      label: 'Broken',
      value: installations.broken,
      href: link('broken'),
      note: 'Slack refuses their token',
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
      note: lapsing > 0 ? 'within an hour, and not refreshed yet' : 'none within an hour',
      tone: lapsing > 0 ? 'warn' : undefined,
    }),
    tile({
      label: 'Tokens to revoke',
      value: tokens.unstored,
      note: tokens.unstored > 0 ? 'issued by Slack, but not stored by any install' : 'none left over',
      tone: tokens.unstored > 0 ? 'warn' : undefined,
    }),
  ]}</ul>`;
}

function failingLine(record: InstallRecord, now: number): Html {
  const failed = record.run?.steps.filter((step) => step.status === 'failed') ?? [];
  return html`<li>
    <a class="failing-name" href="/operator/installations/${record.id}">${installationName(record)}</a>
    <span class="small">${record.run && ago(record.run.finishedAt ?? record.run.createdAt, now)}${record.status === 'broken' && html` ${badge('broken')}`}</span>
    ${failed.map((step) => html`<p><code class="step-name">${step.name}</code> ${errorText(step)}</p>`)}
  </li>`;
}

function failingSection({ failing }: OverviewContent, now: number): Html {
  if (failing.count === 0) {
    return html`<section class="calm card" aria-labelledby="failing"><h2 id="failing">No run has failed</h2>
    <p class="small">Every installation’s newest run succeeded, or is still in progress.</p></section>`;
  }
  const more = failing.count > failing.newest.length;
  const heading =
    failing.count === 1 ? '1 install needs attention' : `${count(failing.count)} installs need attention`;
  return html`<section class="failing card" aria-labelledby="failing">
  <div class="section-head"><h2 id="failing">${heading}</h2>
  <a href="/operator/installations?run=failed">${more ? `All ${count(failing.count)}` : 'As a list'}</a></div>
  <ul role="list">${failing.newest.map((record) => failingLine(record, now))}</ul>
</section>`;
}

/** Installers see nothing of this: it is the operators' own trouble. */
function channelSection({ channelTroubles }: OverviewContent, now: number): Html | undefined {
  if (channelTroubles.length === 0) return undefined;
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

function unknownSection({ unknownTeams }: OverviewContent, now: number): Html | undefined {
  if (unknownTeams.length === 0) return undefined;
  const line = ({ teamId, enterpriseId, lastSeenAt }: UnknownTeam) =>
    html`<li><code>${teamId ?? enterpriseId}</code> <span class="small">last event ${ago(lastSeenAt, now)}</span></li>`;
  const left = unknownTeams.length - shownUnknown;
  return html`<section class="failing card" aria-labelledby="unknown">
  <div class="section-head"><h2 id="unknown">${count(unknownTeams.length)} ${unknownTeams.length === 1 ? 'team is' : 'teams are'} missing here</h2></div>
  <p>Slack sends events for them, and there is no installation, as after a restore. An admin of each has to install the app again: <code>npm run foyer -- list --unknown</code> prints a link for each. Or restore a newer backup that has them.</p>
  <ul role="list">${unknownTeams.slice(0, shownUnknown).map(line)}${left > 0 && html`<li>and ${count(left)} more</li>`}</ul>
</section>`;
}

/** `GET /operator`: what needs attention, how much there is, and what is about to break. A whole HTML document. */
export function overviewPage(frame: OperatorFrame, content: OverviewContent): string {
  return operatorPage(frame, {
    title: 'Overview',
    section: 'overview',
    content: html`<h1>Overview</h1>
${failingSection(content, frame.now)}
${channelSection(content, frame.now)}
${tiles(content, frame.now)}
${unknownSection(content, frame.now)}
<section class="card panel" aria-labelledby="installs"><h2 id="installs">Installs by day</h2>
${installsChart(content.days)}</section>`,
  });
}
