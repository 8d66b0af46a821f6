import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Column, createTable, displayWidth, table } from '../../../src/operator/terminal/table.ts';

interface Row {
  run: string;
  name: string;
  error: string;
}

const columns: Column<Row>[] = [
  { title: 'RUN', value: ({ run }) => run },
  { title: 'NAME', value: ({ name }) => name },
  { title: 'ERROR', value: ({ error }) => error },
];
const rows: Row[] = [
  { run: 'run_01JD5Z3N8Y2V6K4QW9XTB7MHGC', name: '東京支社 と とても長い名前のチーム 🎉', error: '' },
  {
    run: 'run_01JD5Z3N8Y2V6K4QW9XTB7MHGD',
    name: 'Acme Rockets and Sons',
    error: 'missing_scope: Slack says that a permission is missing',
  },
];
const canvas = (width: number) => ({ width, style: (_style: unknown, text: string) => text });

for (const width of [80, 120]) {
  test(`a table fits a terminal of ${width} columns without losing an id or a word of an error`, () => {
    const lines = table(canvas(width), columns, rows).split('\n');
    for (const line of lines) assert.ok(displayWidth(line) <= width, `${displayWidth(line)}: ${line}`);
    for (const { run } of rows)
      assert.ok(
        lines.some((line) => line.startsWith(run)),
        'an id stays whole',
      );
    const words = rows.flatMap(({ error }) => error.split(' '));
    for (const word of words)
      assert.ok(
        lines.some((line) => line.includes(word)),
        word,
      );
  });
}

test('a table wraps a long cell between words, and keeps the wrapped lines in their column', () => {
  assert.deepEqual(table(canvas(70), columns, rows.slice(1)).split('\n'), [
    'RUN                             NAME            ERROR',
    'run_01JD5Z3N8Y2V6K4QW9XTB7MHGD  Acme Rockets    missing_scope: Slack',
    '                                and Sons        says that a permission',
    '                                                is missing',
  ]);
});

test('a table that is printed to a pipe has one line for each row', () => {
  const lines = table(canvas(Number.POSITIVE_INFINITY), columns, rows).split('\n');
  assert.equal(lines.length, 3);
  assert.ok(lines[2]?.endsWith('missing_scope: Slack says that a permission is missing'));
});

test('a table breaks words that are too long for the terminal', () => {
  const lines = table(canvas(40), columns, rows).split('\n');
  for (const line of lines) assert.ok(displayWidth(line) <= 40, line);
});

test('a table that is printed in several pages has a header only on its first page', () => {
  const page = createTable(canvas(80), columns);
  assert.match(page(rows.slice(0, 1)), /^RUN/);
  assert.doesNotMatch(page(rows.slice(1)), /^RUN/m);
});
