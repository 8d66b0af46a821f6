import { readManifest } from '../../src/config/manifest.ts';

/** The manifest of the module's tests: separate from the app's, so a clone can change its own. */
export const fixtureManifest = readManifest(new URL('./manifest.json', import.meta.url));
