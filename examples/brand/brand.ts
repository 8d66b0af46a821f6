import type { Brand } from 'slack-foyer';

/** What the manifest does not say. The app's name, description and color come from `manifest.json`. */
export const brand: Partial<Brand> = {
  publisher: 'Acme Rockets Inc.',
  logo: new URL('./logo.svg', import.meta.url).pathname,
  siteUrl: 'https://standup.example',
  privacyUrl: 'https://standup.example/privacy',
  supportUrl: 'mailto:help@standup.example',
};
