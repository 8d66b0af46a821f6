import { type Html, html } from '../../http/html.ts';
import type { RequestsOfDay, WelcomesOfDay } from '../request-lists.ts';
import { durationText } from '../terminal/time-text.ts';
import { dataTable, type TableColumn } from './data-table.ts';
import { count, inWords } from './shown-values.ts';

const height = 100;
const barWidth = 10;
const gap = 3;

const dateText = (day: number): string => new Date(day).toISOString().slice(0, 10);

/** `22 Nov` */
const shortDate = (day: number): string =>
  new Date(day).toLocaleDateString('en-GB', { day: 'numeric', month: 'short', timeZone: 'UTC' });

/** One color of the bars. `kind` is the CSS class that sets the color. */
interface Series<Day> {
  kind: string;
  label: string;
  value: (day: Day) => number;
}

interface BarChart<Day> {
  title: string;
  /** Says what the chart shows. Used as the caption, and as the label for people who cannot see the chart. */
  sentence: string;
  /** The value at the top of the chart, as text. */
  most: string;
  days: readonly Day[];
  /** The values that are stacked in each bar. The first series is at the bottom. */
  series: readonly Series<Day>[];
  /** The tooltip of one day. */
  tip: (day: Day) => string;
  columns: readonly TableColumn<Day>[];
}

function bar<Day>({ series, tip }: BarChart<Day>, day: Day, index: number, tallest: number): Html {
  const x = index * (barWidth + gap);
  let top = height;
  const rects = series.map(({ kind, value }) => {
    // A value above zero must stay visible even if another day's value is much larger.
    const tall = value(day) === 0 ? 0 : Math.max(1.5, (value(day) / tallest) * height);
    top -= tall;
    return (
      tall > 0 &&
      html`<rect class="${kind}" x="${x}" y="${top.toFixed(2)}" width="${barWidth}" height="${tall.toFixed(2)}"/>`
    );
  });
  return html`<g><title>${tip(day)}</title><rect class="ground" x="${x}" y="0" width="${barWidth}" height="${height}"/>${rects}</g>`;
}

/** Draws values by day as bars, with a sentence and a table. */
function barChart<Day extends { day: number }>(chart: BarChart<Day>): Html {
  const { days, series } = chart;
  const tallest = Math.max(1, ...days.map((day) => series.reduce((sum, { value }) => sum + value(day), 0)));
  const [first, last] = [days.at(0), days.at(-1)];
  const width = days.length * (barWidth + gap) - gap;
  return html`<figure class="chart">
  <figcaption><span>${chart.sentence}</span> <span class="key">${series.map(({ kind, label }) => html`<span><i class="${kind}"></i>${label}</span>`)}</span></figcaption>
  <div class="plot"><span class="most" aria-hidden="true">${chart.most}</span>
  <svg role="img" aria-label="${chart.sentence}." viewBox="0 0 ${width} ${height}" preserveAspectRatio="none">${days.map((day, index) => bar(chart, day, index, tallest))}</svg></div>
  <p class="axis" aria-hidden="true"><span>${first && shortDate(first.day)}</span><span>${last && shortDate(last.day)}</span></p>
  <details><summary>Show as a table</summary>
  ${dataTable(
    chart.title,
    [{ title: 'Day (UTC)', cell: ({ day }: Day) => dateText(day), kind: 'head' }, ...chart.columns],
    [...days].reverse(),
  )}</details>
</figure>`;
}

const outcomes = ['installed', 'cancelled', 'refused', 'failed'] as const;

/** Shows how the OAuth attempts of each day ended. */
export function installsChart(days: readonly RequestsOfDay[]): Html {
  const sums = outcomes.map(
    (outcome) => [outcome, days.reduce((sum, day) => sum + day[outcome], 0)] as const,
  );
  const total = (day: RequestsOfDay): number => outcomes.reduce((sum, outcome) => sum + day[outcome], 0);
  const most = Math.max(0, ...days.map(total));
  const list = new Intl.ListFormat('en').format(
    sums.map(([outcome, sum]) => `${count(sum)} ${inWords(outcome)}`),
  );
  return barChart<RequestsOfDay>({
    title: 'Installs by day',
    sentence: `${list} in the last ${days.length} days`,
    most: count(Math.max(1, most)),
    days,
    series: outcomes.map((outcome) => ({
      kind: outcome,
      label: inWords(outcome),
      value: (day) => day[outcome],
    })),
    tip: (day) =>
      `${dateText(day.day)}: ${outcomes.map((outcome) => `${count(day[outcome])} ${inWords(outcome)}`).join(', ')}`,
    columns: outcomes.map((outcome) => ({
      title: inWords(outcome).replace(/^./, (letter) => letter.toUpperCase()),
      cell: (day) => count(day[outcome]),
      kind: 'number',
    })),
  });
}

/** Shows how long the welcomes of each day took. */
export function welcomesChart(days: readonly WelcomesOfDay[]): Html {
  const measured = days.reduce((sum, { welcomes }) => sum + welcomes, 0);
  const slowest = Math.max(0, ...days.map(({ slowestMs }) => slowestMs ?? 0));
  const highest = Math.max(0, ...days.map(({ medianMs }) => medianMs ?? 0));
  const text = (ms: number | null): string => (ms === null ? '–' : durationText(ms));
  return barChart<WelcomesOfDay>({
    title: 'Time until the welcome, per day',
    sentence:
      measured === 0
        ? `No welcome was measured in the last ${days.length} days`
        : `${count(measured)} ${measured === 1 ? 'welcome' : 'welcomes'} measured in the last ${days.length} days, the slowest after ${durationText(slowest)}`,
    most: durationText(highest),
    days,
    series: [{ kind: 'installed', label: 'median', value: ({ medianMs }) => medianMs ?? 0 }],
    tip: (day) =>
      `${dateText(day.day)}: ${count(day.welcomes)} measured, median ${text(day.medianMs)}, slowest ${text(day.slowestMs)}`,
    columns: [
      { title: 'Measured', cell: ({ welcomes }) => count(welcomes), kind: 'number' },
      { title: 'Median', cell: ({ medianMs }) => text(medianMs), kind: 'number' },
      { title: 'Slowest', cell: ({ slowestMs }) => text(slowestMs), kind: 'number' },
    ],
  });
}
