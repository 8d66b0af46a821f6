import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);
const bench = fileURLToPath(new URL('../run.ts', import.meta.url));

it('the App Home benchmark measures Foyer and stock Bolt, prints a table, and writes a JSON file and a chart', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'foyer-bench-test-'));
  t.after(() => rm(folder, { recursive: true }));
  const { stdout } = await run(process.execPath, [bench, 'home', '--quick', '--slices=1', `--out=${folder}`]);
  assert.match(stdout, /\| view changed \| Foyer \| [\d,.]+ views\/s \|/);
  const results = JSON.parse(await readFile(join(folder, 'results.json'), 'utf8'));
  assert.deepEqual(
    results.home.findings.rows.map((row: { contender: string }) => row.contender),
    Array.from({ length: 4 }, () => ['stock Bolt', 'Foyer']).flat(),
  );
  const chart = await readFile(join(folder, 'marks.svg'), 'utf8');
  assert.match(chart, /Home events a second, view unchanged: Foyer ÷ stock Bolt/);
});
