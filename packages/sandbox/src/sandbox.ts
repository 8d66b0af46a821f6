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
  /** Where events and interactions go, instead of the manifest's request URLs. */
  eventUrl?: string;
  /** Redirect URLs instead of the manifest's. */
  redirectUrls?: string[];
  /** The sandbox generates credentials that are missing. */
  credentials?: Partial<AppCredentials>;
  /** 0, the default, takes any free port. */
  port?: number;
  /** A loopback address; `127.0.0.1` by default. */
  host?: string;
  /** What the sandbox's clock follows; real time by default. */
  readNow?: () => number;
  /** How long the app may take to answer a request, in milliseconds; Slack's 3000 by default. */
  eventTimeoutMs?: number;
  /** The app's landing page, for the web client's Add to Slack link; by default the origin of its redirect URL. */
  landingUrl?: string;
  onActivity?: ActivityListener;
  /** Adds a test's own workspaces and people to the world, once, at the start; `reset` removes them. */
  populate?: (world: World) => void;
  /** Lets the control API and the panel kill and restart the app's process, if the caller owns it. */
  appProcess?: AppProcess;
};

/** How the sandbox ends and starts the app's process. */
export type AppProcess = {
  /** Ends the process at once, as a crash would. */
  kill(): Promise<void>;
  /** Starts the process (again); resolves when the app answers. */
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
    /** Submits the consent page's form for a person, without a browser; returns the address that it redirects to. */
    consent(options: ConsentOptions): Promise<string>;
    /** Submits the sign-in page's form for a person, without a browser; returns the address that it redirects to. */
    signIn(options: SignInOptions): Promise<string>;
    /** Signs ID tokens with a new key; Slack does so now and then. */
    rotateSigningKey(): void;
    /** Web API calls, oldest first; only those of `method` if it is given. */
    calls(method?: string): LoggedCall[];
    /** Calls the listener for each activity; returns a function that removes it. */
    onActivity(listener: ActivityListener): () => void;
    /** Resolves once no delivery is in flight. */
    settled(): Promise<void>;
    /** Changes the app's manifest, as on its settings page. */
    changeManifest(manifest: unknown): void;
    /**
     * Removes all installs, faults, logged calls and deliveries, and added workspaces and people. Lifts a suspension,
     * turns the rate limits off, and returns to the time of `readNow`. Keeps the credentials, manifest and
     * distribution.
     */
    reset(): void;
    close(): Promise<void>;
  };
