import { createFoyer, defineFoyer } from 'slack-foyer';

/** One Foyer for all routes of this Next app. A module is loaded once in a process, so this opens one database. */
export const foyer = await createFoyer(
  defineFoyer({ manifest: new URL('../manifest.json', import.meta.url), basePath: '/slack' }),
);
