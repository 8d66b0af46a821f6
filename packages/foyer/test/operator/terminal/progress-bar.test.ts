import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { type TestContext, test } from 'node:test';
import { stripVTControlCharacters } from 'node:util';
import { createProgressBar } from '../../../src/operator/terminal/progress-bar.ts';

/** A stream that stands in for a terminal, 100 columns wide. It has only what the progress bar uses. */
function terminal(isTTY: boolean) {
  const calls = { cursorTo() {}, clearLine() {}, clearScreenDown() {}, moveCursor() {} };
  const stream = Object.assign(new PassThrough(), { isTTY, columns: 100, ...calls });
  const parts: string[] = [];
  stream.on('data', (part: Buffer) => parts.push(part.toString()));
  return { stream, text: () => stripVTControlCharacters(parts.join('')) };
}

function copyRows(t: TestContext, isTTY: boolean): string {
  t.mock.timers.enable({ apis: ['Date', 'setTimeout'], now: 1_000_000 });
  const { stream, text } = terminal(isTTY);
  const show = createProgressBar(stream);
  show({ doing: 'copying', done: 500, of: 2000, unit: 'rows' });
  t.mock.timers.tick(2000);
  show({ doing: 'copying', done: 1500, of: 2000, unit: 'rows' });
  t.mock.timers.tick(100);
  show({ doing: 'comparing', done: 2000, of: 2000, unit: 'rows' });
  show(null);
  return text();
}

test('on a terminal, the progress bar shows how much is done, the average rate, and how much time is left', (t) => {
  const text = copyRows(t, true);
  assert.match(text, /copying ■{6}\S* *25 % {2}500 of 2,000 rows/);
  assert.match(text, /copying ■{18}\S* *75 % {2}1,500 of 2,000 rows, \d+\/s, 1 s left/);
  assert.match(text, /comparing ■{24} +100 % {2}2,000 of 2,000 rows/);
});

test('without a terminal, the progress bar shows nothing', (t) => {
  assert.equal(copyRows(t, false), '');
});
