import type { App } from '@slack/bolt';
import type { Foyer } from 'slack-foyer';
import type { Tables } from './tables.ts';

/** Your listeners, as Bolt's documentation shows them. Add each event to `manifest.json` too. */
export function addListeners(app: App, foyer: Foyer<Tables>): void {
  app.message('hello', async ({ context, say }) => {
    const installation = await foyer.find({ teamId: context.teamId ?? '' });
    if (installation) {
      await foyer.database.write((tx) =>
        tx
          .updateTable('greetings')
          .set((eb) => ({ count: eb('count', '+', 1) }))
          .where('installation_id', '=', installation.installationId)
          .execute(),
      );
    }
    await say('Hello to you too!');
  });
}
