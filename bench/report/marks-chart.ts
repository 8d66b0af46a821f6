import { escape as escapeXml } from 'html-escaper';
import { isMet, type Mark } from '../measurement.ts';
import { numberText } from './table.ts';

const [rowHeight, labelWidth, chartWidth, top] = [26, 470, 300, 34];
/** The ends of the scale, as powers of two: 1/16 of the target, and 4 times the target. */
const [lowest, highest] = [-4, 2];

/** Draws a bar for each mark (target) and a line. If a bar reaches the line, the value meets its target. */
export function marksChart(marks: readonly Mark[]): string {
  const width = labelWidth + chartWidth + 90;
  const height = top + marks.length * rowHeight + 12;
  const line = labelWidth + positionOf(1);
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="system-ui, sans-serif" font-size="12" role="img" aria-label="How near each mark is">
<rect width="${width}" height="${height}" fill="#fff"/>
<text x="${line}" y="18" text-anchor="middle" fill="#333">the mark</text>
${marks.map(bar).join('\n')}
<line x1="${line}" x2="${line}" y1="${top - 8}" y2="${height - 8}" stroke="#333" stroke-dasharray="3 3"/>
</svg>
`;
}

function bar(mark: Mark, index: number): string {
  const y = top + index * rowHeight;
  const { asked, reached: found } = mark;
  // If less is better, as for growth in memory, the value may be 0 or negative. It then counts as nearly 0.
  const goodness = mark.better === 'more' ? found / asked : asked / Math.max(found, Number.MIN_VALUE);
  const length = Math.max(2, positionOf(goodness));
  const [colour, word] = isMet(mark) ? ['#1f7a4d', 'met'] : ['#b4540a', 'not met'];
  const reached = `${numberText(mark.reached)}${mark.unit ? ` ${mark.unit}` : ''}, ${word}`;
  return (
    `<text x="${labelWidth - 10}" y="${y + 14}" text-anchor="end" fill="#333">${escapeXml(mark.what)}</text>` +
    `<rect x="${labelWidth}" y="${y + 2}" width="${length.toFixed(1)}" height="16" fill="${colour}"/>` +
    `<text x="${(labelWidth + length + 6).toFixed(1)}" y="${y + 14}" fill="#333">${escapeXml(reached)}</text>`
  );
}

function positionOf(goodness: number): number {
  const exponent = Math.min(highest, Math.max(lowest, Math.log2(goodness)));
  return ((exponent - lowest) / (highest - lowest)) * chartWidth;
}
