import assert from 'node:assert/strict';
import { it } from 'node:test';
import { marksChart } from '../report/marks-chart.ts';

it('the chart draws a bar for each target, even if the measured result is far above or below the target', () => {
  const mark = { what: 'a <mark>', asked: 15, better: 'less' as const };
  const chart = marksChart([
    { ...mark, reached: -7 },
    { ...mark, reached: 1e9 },
    { ...mark, reached: 15 },
  ]);
  assert.equal(chart.match(/<rect x="470"[^>]* width="[\d.]+"/g)?.length, 3);
  assert.equal(chart.match(/15\.0, met/g)?.length, 1);
  assert.match(chart, /a &lt;mark&gt;/);
});
