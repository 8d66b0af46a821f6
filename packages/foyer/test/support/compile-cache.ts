import { fileURLToPath } from 'node:url';

/** Starting a process is most of what it costs: what was compiled once is kept here, for every one that follows. */
export const compileCache = fileURLToPath(
  new URL('../../../../node_modules/.cache/compiled', import.meta.url),
);
