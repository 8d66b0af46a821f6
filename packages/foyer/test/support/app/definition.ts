import { defineFoyer } from '../../../src/index.ts';

/** The app that the module's tests start as a process: the fixture's manifest and nothing of its own. */
export const definition = defineFoyer({ manifest: new URL('../manifest.json', import.meta.url) });
