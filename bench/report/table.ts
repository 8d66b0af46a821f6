import { type Findings, isMet, type Mark, type Ratio, type Row } from '../measurement.ts';

/**
 * Formats a number with thousands separators. It gets two decimals below 10, one decimal below 100, and no decimals
 * from 100 on.
 */
export function numberText(value: number): string {
  if (!Number.isFinite(value)) return '–';
  const digits = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2;
  return value.toLocaleString('en', { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

/** Writes the rows of a measurement as a Markdown table. */
export function tableOf({ rows }: Pick<Findings, 'rows'>): string {
  const lines = rows.map((row) => `| ${cellsOf(row).join(' | ')} |`);
  return [
    '| situation | contender | median | quartiles | ratio of paired slices | also measured |',
    '| --- | --- | ---: | ---: | --- | --- |',
    ...lines,
  ].join('\n');
}

/** Writes a Markdown table of all targets, each with the value that was measured. */
export function marksTable(marks: readonly Mark[]): string {
  const lines = marks.map((mark) => {
    const unit = mark.unit ? ` ${mark.unit}` : '';
    const asked = `${mark.better === 'more' ? 'at least' : 'at most'} ${mark.asked}${unit}`;
    const reached = `${numberText(mark.reached)}${unit}`;
    return `| ${mark.what} | ${asked} | ${reached} | ${isMet(mark) ? 'met' : '**not met**'} |`;
  });
  return ['| mark | target | reached | |', '| --- | --- | ---: | --- |', ...lines].join('\n');
}

function cellsOf({ situation, contender, unit, figure, ratios, beside }: Row): string[] {
  return [
    situation,
    contender,
    `${numberText(figure.median)} ${unit}`,
    `${numberText(figure.low)}–${numberText(figure.high)}`,
    ratios.map(ratioText).join('; '),
    Object.entries(beside)
      .map(([name, value]) => `${name} ${numberText(value)}`)
      .join(', '),
  ];
}

function ratioText({ to, median, low, high }: Ratio): string {
  return `${numberText(median)} (${numberText(low)}–${numberText(high)}) × ${to}`;
}
