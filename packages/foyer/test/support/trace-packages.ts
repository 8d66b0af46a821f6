import { appendFileSync } from 'node:fs';
import { registerHooks } from 'node:module';

/**
 * Preloaded (`--import`) into a Foyer process. Writes the names of the packages that the process loads, in order, to
 * the file that PACKAGE_TRACE names. If PACKAGE_MISSING names a package, that package fails to load.
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
