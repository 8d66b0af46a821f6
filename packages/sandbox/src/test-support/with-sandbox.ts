import type { TestContext } from 'node:test';
import { createSandbox } from '../create-sandbox.ts';
import type { Sandbox, SandboxOptions } from '../sandbox.ts';
import { testManifest } from './install.ts';
import { startTestApp, type TestApp } from './test-app.ts';

/** Starts a sandbox, and an app that receives its events. Stops both when the test ends. */
export async function withSandbox(
  t: TestContext,
  options: Partial<SandboxOptions> = {},
): Promise<{ sandbox: Sandbox; app: TestApp }> {
  const app = await startTestApp();
  const sandbox = await createSandbox({ manifest: testManifest, eventUrl: app.eventUrl, ...options });
  t.after(async () => {
    await sandbox.close();
    await app.close();
  });
  return { sandbox, app };
}
