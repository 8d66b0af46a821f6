import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { it } from 'node:test';

const root = join(import.meta.dirname, '../../..');
const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
  scripts: Record<string, string>;
};

/** The test files that a script of package.json runs, sorted; a file that it runs twice is there twice. */
function filesOf(script: string): string[] {
  const patterns = [...(scripts[script] ?? '').matchAll(/"([^"]+\.test\.ts)"/g)].map(([, glob = '']) => glob);
  return patterns.flatMap((glob) => globSync(glob, { cwd: root, exclude: ['**/node_modules'] })).sort();
}

it('CI runs every test file once: the faults in their full form, and all others', () => {
  const ofSuite = filesOf('test:suite');
  assert.ok(ofSuite.length > 200, `${ofSuite.length} files`);
  assert.deepEqual([...filesOf('test:no-faults'), ...filesOf('test:full')].sort(), ofSuite);
  const steps = readFileSync(join(root, '.ci/run'), 'utf8');
  for (const step of ['npm ci', 'npm run check', 'npm run test:no-faults', '.* npm run test:full'])
    assert.match(steps, new RegExp(`^${step}$`, 'm'));
});
