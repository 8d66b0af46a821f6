import { fileURLToPath } from 'node:url';

/** The compile cache that test processes share, since compiling is most of the cost of a short process. */
export const compileCache = fileURLToPath(
  new URL('../../../../node_modules/.cache/compiled', import.meta.url),
);
