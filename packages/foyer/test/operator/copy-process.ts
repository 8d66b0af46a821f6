import type { DatabaseTarget } from '../../src/config/database-target.ts';
import { openDatabase } from '../../src/database/open-database.ts';
import { moveDatabase } from '../../src/operator/copy/move-database.ts';

/** A copy in its own process, to be killed at any page: it prints `copying` or `comparing` for each of them. */

const [source, target] = process.argv.slice(2).map((json) => JSON.parse(json) as DatabaseTarget);
if (!source || !target) throw new Error('a source and a target, as JSON');
try {
  const { resumed } = await moveDatabase({
    source,
    target,
    openDatabase,
    onProgress: ({ doing }) => process.stdout.write(`${doing}\n`),
  });
  process.stdout.write(`done ${resumed ? 'resumed' : 'anew'}\n`);
} catch (error) {
  process.stdout.write(`failed ${error instanceof Error && 'code' in error ? error.code : String(error)}\n`);
}
