import type { DatabaseTarget } from '../../src/config/database-target.ts';
import { openDatabase } from '../../src/database/open-database.ts';
import { moveDatabase } from '../../src/operator/copy/move-database.ts';

/**
 * Runs a copy in a separate process, so that a test can kill it at any page. It prints `copying` or `comparing` for
 * each page.
 */

const [source, target] = process.argv.slice(2).map((json) => JSON.parse(json) as DatabaseTarget);
if (!source || !target) throw new Error('a source and a target, as JSON');
try {
  const { resumed } = await moveDatabase({
    source,
    target,
    openDatabase,
    onProgress: ({ doing }) => process.stdout.write(`${doing}\n`),
  });
  process.stdout.write(`done ${resumed ? 'resumed' : 'from the start'}\n`);
} catch (error) {
  process.stdout.write(`failed ${error instanceof Error && 'code' in error ? error.code : String(error)}\n`);
}
