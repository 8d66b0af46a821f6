import { readManifest } from '../../src/config/manifest.ts';

/**
 * The module's tests use this manifest instead of the manifest of the app. So they also pass in a clone with another
 * app.
 */
export const fixtureManifest = readManifest(new URL('./manifest.json', import.meta.url));
