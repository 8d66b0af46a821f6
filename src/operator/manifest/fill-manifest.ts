import { z } from 'zod';

/** What Foyer's own addresses are part of; the rest of a manifest is Slack's and passes as it is. */
const manifestSchema = z.looseObject({
  oauth_config: z.looseObject({ redirect_urls: z.array(z.string()) }),
  settings: z.looseObject({
    event_subscriptions: z.looseObject({ request_url: z.string() }),
    interactivity: z.looseObject({ request_url: z.string() }),
  }),
});

/** A manifest as Slack takes it. */
export type Manifest = z.output<typeof manifestSchema>;

/** Puts the public URL (without a slash at its end) into a manifest's redirect, event and interactivity URLs. */
export function fillManifest(manifestText: string, publicUrl: string): Manifest {
  const manifest = manifestSchema.parse(JSON.parse(manifestText));
  manifest.oauth_config.redirect_urls = [`${publicUrl}/slack/oauth_redirect`];
  manifest.settings.event_subscriptions.request_url = `${publicUrl}/slack/events`;
  manifest.settings.interactivity.request_url = `${publicUrl}/slack/events`;
  return manifest;
}
