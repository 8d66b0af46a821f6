import type { Brand } from 'slack-foyer';

/** What the manifest does not say. Name, description and color come from `manifest.json`. */
export const brand: Partial<Brand> = {
  publisher: 'the Foyer authors',
};
