import type { TestContext } from 'node:test';
import { createSandbox } from '../create-sandbox.ts';
import { createStockBoltApp, type StockBoltApp } from '../fixtures/stock-bolt-app.ts';
import type { Sandbox } from '../sandbox.ts';
import { freePort } from './free-port.ts';
import { testManifest } from './install.ts';

const scopes = ['chat:write', 'im:history', 'users:read'];

/** A manifest that subscribes to the events that the stock app listens to. */
const manifest = {
  ...testManifest,
  settings: {
    ...testManifest.settings,
    event_subscriptions: { bot_events: ['app_home_opened', 'message.im'] },
  },
};

/** Starts the stock Bolt app and the sandbox that it uses instead of Slack. Stops both when the test ends. */
export async function startStockApp(
  t: TestContext,
): Promise<{ sandbox: Sandbox; app: StockBoltApp; appUrl: string }> {
  const port = await freePort();
  const appUrl = `http://127.0.0.1:${port}`;
  const sandbox = await createSandbox({
    manifest,
    eventUrl: `${appUrl}/slack/events`,
    redirectUrls: [`${appUrl}/slack/oauth_redirect`],
    landingUrl: `${appUrl}/slack/install`,
  });
  const { clientId, clientSecret, signingSecret } = sandbox.app;
  const app = createStockBoltApp({
    credentials: { clientId, clientSecret, signingSecret },
    scopes,
    port,
    slack: sandbox,
  });
  await app.start();
  t.after(async () => {
    await app.stop();
    await sandbox.close();
  });
  return { sandbox, app, appUrl };
}
