import type { Transaction } from 'kysely';
import type { Step } from 'slack-foyer';
import type { Tables } from '../tables.ts';

/**
 * Creates the row that counts greetings, in the transaction that completes this step.
 *
 * Safe to run twice: an existing row stays unchanged.
 */
export const startCounting: Step<{ counting: true }> = {
  name: 'start-counting',
  title: { todo: 'Start counting greetings', doing: 'Starting to count greetings' },
  async run({ installationId, write }) {
    write((tx: Transaction<Tables>) =>
      tx
        .insertInto('greetings')
        .values({ installation_id: installationId, count: 0 })
        .onConflict((conflict) => conflict.doNothing())
        .execute(),
    );
    return { counting: true };
  },
};
