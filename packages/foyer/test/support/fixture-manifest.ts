import { readManifest } from '../../src/config/manifest.ts';

/** The module's tests run on a manifest of their own: what a clone changes in its own does not touch them. */
export const fixtureManifest = readManifest(new URL('./manifest.json', import.meta.url));
