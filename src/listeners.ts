import type { App } from '@slack/bolt';

/** Your listeners, as Bolt's documentation shows them. Add each event to `manifest.json` too. */
export function addListeners(app: App): void {
  app.message('hello', async ({ say }) => {
    await say('Hello to you too!');
  });
}
