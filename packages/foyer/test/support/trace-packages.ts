import { appendFileSync } from 'node:fs';
import { registerHooks } from 'node:module';

/**
 * Preloaded (`--import`) into a separate process: writes the name of each package that the process loads to the file
 * PACKAGE_TRACE, in order, and makes the package PACKAGE_MISSING fail to load.
 */
const { PACKAGE_TRACE = '', PACKAGE_MISSING } = process.env;
const seen = new Set<string>();

registerHooks({
  load(url, context, nextLoad) {
    const [, name] = /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(url) ?? [];
    if (name !== undefined && !seen.has(name)) {
      seen.add(name);
      appendFileSync(PACKAGE_TRACE, `${name}\n`);
    }
    if (name !== undefined && name === PACKAGE_MISSING) throw new Error(`${name} cannot be loaded`);
    return nextLoad(url, context);
  },
});
