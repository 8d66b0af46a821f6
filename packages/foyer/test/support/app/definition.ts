import { defineFoyer } from '../../../src/index.ts';

/** The app that the module's tests start as a process: it has only a manifest, and no steps or listeners. */
export const definition = defineFoyer({ manifest: new URL('../manifest.json', import.meta.url) });
