import type { Foyer, HomeSection } from 'slack-foyer';
import type { Tables } from './tables.ts';

/** Your sections of App Home, above the install record. Foyer calls the `blocks` of each section when it draws Home. */
export const sections: HomeSection<Foyer<Tables>>[] = [
  {
    id: 'greetings',
    async blocks(viewer, foyer) {
      const row = await foyer.database.queries
        .selectFrom('greetings')
        .select('count')
        .where('installation_id', '=', viewer.installationId)
        .executeTakeFirst();
      return [{ type: 'section', text: { type: 'mrkdwn', text: `*Greetings so far:* ${row?.count ?? 0}` } }];
    },
  },
];
