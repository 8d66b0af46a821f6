import type { Brand } from 'slack-foyer';

/** Your brand, except for the name, the description and the color: Foyer reads these from `manifest.json`. */
export const brand: Partial<Brand> = {
  publisher: 'the Foyer authors',
};
