import { readManifest } from '../../src/config/manifest.ts';

/** The manifest of the module's tests. It is not the app's, so that they pass in a clone with another manifest. */
export const fixtureManifest = readManifest(new URL('./manifest.json', import.meta.url));
