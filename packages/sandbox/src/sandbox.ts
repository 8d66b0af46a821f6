import type { ActivityListener } from './app/activity.ts';
import type { AppCredentials, RegisteredApp } from './app/registered-app.ts';
import type { SandboxClock } from './clock.ts';
import type { Controls } from './control/controls.ts';
import type { Faults } from './control/faults.ts';
import type { Readers } from './control/readers.ts';
import type { Deliveries } from './events/deliveries.ts';
import type { ConsentOptions } from './oauth/oauth-routes.ts';
import type { SignInOptions } from './openid/decide-sign-in.ts';
import type { LoggedCall } from './web-api/call-log.ts';
import type { RateLimits } from './web-api/rate-limits.ts';
import type { World } from './world/world.ts';

export type SandboxOptions = {
  /** The app's manifest, as parsed JSON. */
  manifest: unknown;
  /** The address to which to send events and interactions, instead of the manifest's request URLs. */
  eventUrl?: string;
  /** The redirect URLs to use instead of those in the manifest. */
  redirectUrls?: string[];
  /** The sandbox generates credentials that are missing. */
  credentials?: Partial<AppCredentials>;
  /** By default 0, which means any free port. */
  port?: number;
  /** A loopback address; `127.0.0.1` by default. */
  host?: string;
  /** The time that the sandbox's clock follows. Real time by default. */
  readNow?: () => number;
  /** How long the app may take to answer a request, in milliseconds; Slack's 3000 by default. */
  eventTimeoutMs?: number;
  /** The app's landing page, for the web client's Add to Slack link; by default the origin of its redirect URL. */
  landingUrl?: string;
  onActivity?: ActivityListener;
  /** Called once, at the start, to add a test's own workspaces and people. `reset` removes them. */
  populate?: (world: World) => void;
  /** Pass it if you own the app's process: the control API and the panel can then kill and restart that process. */
  appProcess?: AppProcess;
};

/** How the sandbox ends and starts the app's process. */
export type AppProcess = {
  /** Ends the process immediately, as a crash would. */
  kill(): Promise<void>;
  /** Starts or restarts the process. Resolves when the app answers. */
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
    /**
     * Submits the consent page's form for a person, without a browser. Returns the address to which Slack redirects.
     */
    consent(options: ConsentOptions): Promise<string>;
    /**
     * Submits the sign-in page's form for a person, without a browser. Returns the address to which Slack redirects.
     */
    signIn(options: SignInOptions): Promise<string>;
    /** Signs later ID tokens with a new key, as Slack does now and then. */
    rotateSigningKey(): void;
    /** The logged Web API calls, oldest first. If `method` is given, only its calls. */
    calls(method?: string): LoggedCall[];
    /** Calls the listener for each activity. Returns a function that removes the listener. */
    onActivity(listener: ActivityListener): () => void;
    /** Resolves once no delivery is in flight. */
    settled(): Promise<void>;
    /** Changes the app's manifest, as on its settings page. */
    changeManifest(manifest: unknown): void;
    /**
     * Removes all installs, faults, logged calls and deliveries, and added workspaces and people. Lifts a suspension,
     * turns the rate limits off, and sets the clock to the time of `readNow`. Keeps the credentials, manifest and
     * distribution.
     */
    reset(): void;
    close(): Promise<void>;
  };
