import { createActivityFeed } from './app/activity.ts';
import { createRegisteredApp } from './app/registered-app.ts';
import { createClock } from './clock.ts';
import { controlRoutes } from './control/control-routes.ts';
import { createControls } from './control/controls.ts';
import { createFaults } from './control/faults.ts';
import { createReaders } from './control/readers.ts';
import { createDeliveries } from './events/deliveries.ts';
import { avatarRoutes } from './http/avatars.ts';
import { startServer } from './http/server.ts';
import { createTsCounter } from './messages/ts-counter.ts';
import { webhookRoutes } from './messages/webhook-routes.ts';
import { consentFor, oauthRoutes } from './oauth/oauth-routes.ts';
import { signInFor } from './openid/decide-sign-in.ts';
import { createIdTokens } from './openid/id-token.ts';
import { openidRoutes } from './openid/openid-routes.ts';
import type { Platform } from './platform.ts';
import type { Sandbox, SandboxOptions } from './sandbox.ts';
import { createWebApi } from './web-api/answer-call.ts';
import { createCallLog } from './web-api/call-log.ts';
import { createRateLimits } from './web-api/rate-limits.ts';
import { clientRoutes } from './web-client/client-routes.ts';
import { createWorld } from './world/create-world.ts';

/** Starts a sandbox and resolves once it listens. The sandbox keeps the process alive until `close`. */
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
      app.isSuspended = false;
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
    onError: (error) => console.error('The sandbox could not handle a request:', error),
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
