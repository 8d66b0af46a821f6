import { digits, secretHex } from '../ids.ts';
import { type AppSettings, readManifest } from './manifest.ts';

/** The credentials that Slack shows on an app's Basic Information page. */
export type AppCredentials = {
  id: string;
  clientId: string;
  clientSecret: string;
  signingSecret: string;
  /** The old `token` field of event envelopes; nothing should rely on it. */
  verificationToken: string;
};

/** The one app that this sandbox serves. A new manifest replaces `settings` as a whole. */
export type RegisteredApp = AppCredentials & {
  settings: AppSettings;
  /**
   * While public distribution is off, only this workspace and its org can install the app. Null while public
   * distribution is on.
   */
  onlyTeamId: string | null;
  /** Whether Slack has suspended the app, which affects every workspace. */
  isSuspended: boolean;
  /** Reads a new manifest. The addresses given at the start still override the manifest's. */
  changeManifest(manifest: unknown): void;
};

export type AppAddresses = { eventUrl?: string; redirectUrls?: string[] };

/** Registers an app from its manifest. Generates each credential that the caller does not pass. */
export function createRegisteredApp({
  manifest,
  credentials = {},
  addresses = {},
}: {
  manifest: unknown;
  credentials?: Partial<AppCredentials>;
  addresses?: AppAddresses;
}): RegisteredApp {
  const app: RegisteredApp = {
    id: credentials.id ?? 'A07SANDBOX1',
    clientId: credentials.clientId ?? `${digits(12)}.${digits(13)}`,
    clientSecret: credentials.clientSecret ?? secretHex(16),
    signingSecret: credentials.signingSecret ?? secretHex(16),
    verificationToken: credentials.verificationToken ?? secretHex(12),
    settings: withAddresses(readManifest(manifest), addresses),
    onlyTeamId: null,
    isSuspended: false,
    changeManifest(next) {
      app.settings = withAddresses(readManifest(next), addresses);
    },
  };
  return app;
}

function withAddresses(settings: AppSettings, { eventUrl, redirectUrls }: AppAddresses): AppSettings {
  return {
    ...settings,
    redirectUrls: redirectUrls ?? settings.redirectUrls,
    eventUrl: eventUrl ?? settings.eventUrl,
    interactivityUrl: settings.interactivityUrl && (eventUrl ?? settings.interactivityUrl),
  };
}
