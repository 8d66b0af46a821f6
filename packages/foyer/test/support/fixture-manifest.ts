import { readManifest } from '../../src/config/manifest.ts';

/**
 * The manifest that the module's tests use instead of the app's. So the tests also pass in a clone with another app.
 */
export const fixtureManifest = readManifest(new URL('./manifest.json', import.meta.url));
