import { type Html, html } from '../../http/html.ts';
import type { RequestsOfDay } from '../request-lists.ts';
import { dataTable } from './data-table.ts';
import { count } from './shown-values.ts';

const height = 100;
const barWidth = 10;
const gap = 3;

const dateText = (day: number): string => new Date(day).toISOString().slice(0, 10);

/** `22 Nov` */
const shortDate = (day: number): string =>
  new Date(day).toLocaleDateString('en-GB', { day: 'numeric', month: 'short', timeZone: 'UTC' });

function bar(day: RequestsOfDay, index: number, most: number): Html {
  const x = index * (barWidth + gap);
  // Any value above zero must stay visible, however large another day is.
  const scaled = (value: number): number => (value === 0 ? 0 : Math.max(1.5, (value / most) * height));
  const installed = scaled(day.installed);
  const failed = scaled(day.failed);
  const rect = (kind: string, top: number, tall: number) =>
    tall > 0 &&
    html`<rect class="${kind}" x="${x}" y="${top.toFixed(2)}" width="${barWidth}" height="${tall.toFixed(2)}"/>`;
  const title = `${dateText(day.day)}: ${count(day.installed)} installed, ${count(day.failed)} failed`;
  return html`<g><title>${title}</title><rect class="ground" x="${x}" y="0" width="${barWidth}" height="${height}"/>${rect('installed', height - installed, installed)}${rect('failed', height - installed - failed, failed)}</g>`;
}

/** Installs and failed install requests by day, as bars, as a sentence and as a table. */
export function installsChart(days: readonly RequestsOfDay[]): Html {
  const most = Math.max(1, ...days.map((day) => day.installed + day.failed));
  const installed = days.reduce((sum, day) => sum + day.installed, 0);
  const failed = days.reduce((sum, day) => sum + day.failed, 0);
  const [first, last] = [days.at(0), days.at(-1)];
  const busiest = days.find((day) => day.installed + day.failed === most);
  const width = days.length * (barWidth + gap) - gap;
  const sentence = `${count(installed)} installed and ${count(failed)} failed in the last ${days.length} days`;
  const peak = busiest && installed + failed > 0 ? `; most on ${dateText(busiest.day)}: ${count(most)}` : '';
  return html`<figure class="chart">
  <figcaption><span>${sentence}</span> <span class="key"><i class="installed"></i>installed <i class="failed"></i>failed</span></figcaption>
  <div class="plot"><span class="most" aria-hidden="true">${count(most)}</span>
  <svg role="img" aria-label="${sentence}${peak}." viewBox="0 0 ${width} ${height}" preserveAspectRatio="none">${days.map((day, index) => bar(day, index, most))}</svg></div>
  <p class="axis" aria-hidden="true"><span>${first && shortDate(first.day)}</span><span>${last && shortDate(last.day)}</span></p>
  <details><summary>Show as a table</summary>
  ${dataTable(
    'Installs by day',
    [
      { title: 'Day (UTC)', cell: (day: RequestsOfDay) => dateText(day.day), kind: 'head' },
      { title: 'Installed', cell: (day: RequestsOfDay) => count(day.installed), kind: 'number' },
      { title: 'Failed', cell: (day: RequestsOfDay) => count(day.failed), kind: 'number' },
    ],
    [...days].reverse(),
  )}</details>
</figure>`;
}
