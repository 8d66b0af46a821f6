import { type ActivityListener, createActivityFeed } from './app/activity.ts';
import { type AppCredentials, createRegisteredApp, type RegisteredApp } from './app/registered-app.ts';
import { createClock, type SandboxClock } from './clock.ts';
import { controlRoutes } from './control/control-routes.ts';
import { type Controls, createControls } from './control/controls.ts';
import { createFaults, type Faults } from './control/faults.ts';
import { createReaders, type Readers } from './control/readers.ts';
import { createDeliveries, type Deliveries } from './events/deliveries.ts';
import { avatarRoutes } from './http/avatars.ts';
import { startServer } from './http/server.ts';
import { createTsCounter } from './messages/ts-counter.ts';
import { webhookRoutes } from './messages/webhook-routes.ts';
import { type ConsentOptions, consentFor } from './oauth/consent-for.ts';
import { oauthRoutes } from './oauth/oauth-routes.ts';
import { type SignInOptions, signInFor } from './openid/decide-sign-in.ts';
import { createIdTokens } from './openid/id-token.ts';
import { openidRoutes } from './openid/openid-routes.ts';
import type { Platform } from './platform.ts';
import { createWebApi } from './web-api/answer-call.ts';
import { createCallLog, type LoggedCall } from './web-api/call-log.ts';
import { createRateLimits, type RateLimits } from './web-api/rate-limits.ts';
import { clientRoutes } from './web-client/client-routes.ts';
import { createWorld, type World } from './world/world.ts';

export type SandboxOptions = {
  /** The app's manifest, as parsed JSON. */
  manifest: unknown;
  /** Where events and interactions go, instead of the manifest's request URLs. */
  eventUrl?: string;
  /** Redirect URLs instead of the manifest's. */
  redirectUrls?: string[];
  /** Missing ones are generated. */
  credentials?: Partial<AppCredentials>;
  /** 0, the default, takes any free port. */
  port?: number;
  /** A loopback address; `127.0.0.1` by default. */
  host?: string;
  /** What the sandbox's clock follows; real time by default. */
  readNow?: () => number;
  /** How long the app may take to answer an event; Slack's 3000 by default. */
  eventTimeoutMs?: number;
  /** The app's landing page, for the web client's Add to Slack link; by default the origin of its redirect URL. */
  landingUrl?: string;
  onActivity?: ActivityListener;
  /** Adds a test's own workspaces and people to the world, once, at the start. */
  populate?: (world: World) => void;
  /** Lets the control API and the panel kill and restart the app's process, if the caller owns it. */
  appProcess?: AppProcess;
};

/** The app's own process. */
export type AppProcess = {
  /** Ends it at once, as a crash would. */
  kill(): Promise<void>;
  /** Starts it (again); resolves when it answers. */
  restart(): Promise<void>;
};

/** A Slack on this machine. The data that you read from it is live: do not change it. */
export type Sandbox = Controls &
  Readers & {
    url: string;
    authorizationUrl: string;
    /** With a trailing slash, as WebClient's `slackApiUrl` requires. */
    apiUrl: string;
    app: Readonly<RegisteredApp>;
    appProcess: AppProcess | undefined;
    clock: SandboxClock;
    faults: Faults;
    rateLimits: RateLimits;
    deliveries: Deliveries;
    /** Decides on the consent page as a person would, through the same code; returns where the browser is sent. */
    consent(options: ConsentOptions): Promise<string>;
    /** Signs in with Slack as a person would, through the same code; returns where the browser is sent. */
    signIn(options: SignInOptions): Promise<string>;
    /** Signs ID tokens with a new key; Slack does so now and then. */
    rotateSigningKey(): void;
    /** Web API calls, oldest first; of one method if given. */
    calls(method?: string): LoggedCall[];
    /** Calls the listener for each activity; returns a function that removes it. */
    onActivity(listener: ActivityListener): () => void;
    /** Resolves once no delivery is in flight. */
    settled(): Promise<void>;
    /** Changes the app's manifest, as on its settings page. */
    changeManifest(manifest: unknown): void;
    /** Resets to the start: no installs, no faults, real time. Keeps the credentials and the manifest. */
    reset(): void;
    close(): Promise<void>;
  };

/** Starts a sandbox and resolves once it listens. Call `close`, or it keeps the process alive. */
export async function createSandbox(options: SandboxOptions): Promise<Sandbox> {
  const { manifest, credentials, eventUrl, redirectUrls } = options;
  const clock = createClock({ readNow: options.readNow });
  const app = createRegisteredApp({ manifest, credentials, addresses: { eventUrl, redirectUrls } });
  const activity = createActivityFeed();
  if (options.onActivity) activity.listen(options.onActivity);
  const deliveries = createDeliveries({ app, clock, activity, timeoutMs: options.eventTimeoutMs });
  const world = createWorld();
  options.populate?.(world);
  const faults = createFaults();
  const rateLimits = createRateLimits({ clock });
  const log = createCallLog();
  const ts = createTsCounter({ clock });
  let url = '';
  const platform: Platform = { world, app, clock, activity, deliveries, nextTs: ts.next, url: () => url };
  const idTokens = createIdTokens(platform);
  const webApi = createWebApi({ platform, faults, rateLimits, log, idTokens });

  const sandbox: Sandbox = {
    ...createControls(platform),
    ...createReaders(platform),
    url,
    authorizationUrl: '',
    apiUrl: '',
    app,
    appProcess: options.appProcess,
    clock,
    faults,
    rateLimits,
    deliveries,
    calls: log.list,
    consent: async (choice) => consentFor(platform, choice),
    signIn: async (choice) => signInFor(platform, choice),
    rotateSigningKey: idTokens.rotateKey,
    onActivity: activity.listen,
    settled: deliveries.settled,
    changeManifest: app.changeManifest,
    reset() {
      for (const part of [faults, log, deliveries]) part.clear();
      rateLimits.reset();
      clock.reset();
      ts.reset();
      world.reset();
      activity.tell({ kind: 'reset' });
    },
    async close() {
      clock.reset();
      deliveries.clear();
      await server.close();
      deliveries.close();
    },
  };

  const server = await startServer({
    port: options.port ?? 0,
    host: options.host ?? '127.0.0.1',
    now: clock.now,
    onError: (error) => console.error('The sandbox failed on a request:', error),
    routes: [
      { on: '* /api/:method', handle: (exchange, { method = '' }) => webApi.answer(exchange, method) },
      ...oauthRoutes(platform),
      ...openidRoutes(platform, webApi),
      ...webhookRoutes(platform),
      ...avatarRoutes(platform),
      ...controlRoutes(sandbox),
      ...clientRoutes(platform, sandbox, options.landingUrl ?? originOf(app.settings.redirectUrls[0])),
    ],
  });
  url = server.url;
  return Object.assign(sandbox, {
    url,
    authorizationUrl: `${url}/oauth/v2/authorize`,
    apiUrl: `${url}/api/`,
  });
}

function originOf(url: string | undefined): string | null {
  return url && URL.canParse(url) ? `${new URL(url).origin}/` : null;
}
