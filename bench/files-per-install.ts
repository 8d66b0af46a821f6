import { Session } from 'node:inspector/promises';
import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startTestFoyer } from '../packages/foyer/src/testing/start-test-foyer.ts';
import { createVisitor, finishedRun, pressAddToSlack } from '../packages/foyer/src/testing/visitor.ts';
import { definition } from '../packages/foyer/test/support/app/definition.ts';

/**
 * Prints how many of the module's files and functions one install uses, from Slack's redirect to "succeeded". The
 * numbers show how much code a developer must read to follow an install. They are exact, because V8 counts the calls
 * (precise coverage).
 */

const source = fileURLToPath(new URL('../packages/foyer/src', import.meta.url));
await using app = await startTestFoyer(definition);
const { sandbox, url } = app;
await app.install();

const session = new Session();
session.connect();
await session.post('Profiler.enable');
await session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true });
const visitor = createVisitor();
const workspace = sandbox.workspace('Globex');
const whom = { teamId: workspace.id, userId: sandbox.person('Globex').id };
const callback = await pressAddToSlack(visitor, url, sandbox, whom);
await session.post('Profiler.takePreciseCoverage');
const answer = await visitor.get(callback);
await finishedRun(visitor, new URL(answer.headers.get('location') ?? '', url).href);
const { result } = await session.post('Profiler.takePreciseCoverage');
session.disconnect();

const files = result.flatMap((script) => {
  if (!script.url.startsWith('file:')) return [];
  const file = relative(source, fileURLToPath(script.url));
  if (file.startsWith('..') || file.startsWith('testing')) return [];
  const called = script.functions.filter(({ ranges }) => (ranges[0]?.count ?? 0) > 0);
  return called.length === 0 ? [] : [{ file, functions: called.length }];
});
for (const { file, functions } of files.sort((a, b) => b.functions - a.functions)) {
  console.log(`${String(functions).padStart(4)}  ${file}`);
}
const functions = files.reduce((sum, each) => sum + each.functions, 0);
console.log(`\n${files.length} files, ${functions} functions`);
