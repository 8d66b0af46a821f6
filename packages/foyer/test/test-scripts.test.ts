import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { it } from 'node:test';

const root = join(import.meta.dirname, '../../..');
const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
  scripts: Record<string, string>;
};

/** The test files that these patterns match, sorted. A file that matches two patterns appears twice. */
function filesOf(...patterns: string[]): string[] {
  return patterns.flatMap((glob) => globSync(glob, { cwd: root, exclude: ['**/node_modules'] })).sort();
}

function patternsOf(script: string): string[] {
  return [...(scripts[script] ?? '').matchAll(/"([^"]+\.test\.ts)"/g)].map(([, glob = '']) => glob);
}

it('npm test runs every test file once, and CI runs it with FOYER_FULL=1', () => {
  const all = filesOf('{test,packages,bench,deploy,operations}/**/*.test.ts');
  assert.ok(all.length > 200, `${all.length} files`);
  assert.deepEqual(filesOf(...patternsOf('test:suite'), ...patternsOf('test:faults')), all);
  assert.equal(scripts.test, 'npm run check && npm run test:suite && npm run test:faults');
  assert.match(readFileSync(join(root, '.ci/run'), 'utf8'), /^FOYER_FULL=1 .* npm cit$/m);
});
