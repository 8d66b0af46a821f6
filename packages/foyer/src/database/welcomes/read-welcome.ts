import type { Queries } from '../database.ts';
import { type Given, prepareQuery } from '../prepared-query.ts';
import type { WelcomeRow } from '../records.ts';

/** Whose welcome: one person in one life of an installation. */
export interface WelcomeKey {
  installationId: string;
  life: number;
  userId: string;
}

const selectWelcome = prepareQuery((queries, given: Given<WelcomeKey>) =>
  queries
    .selectFrom('welcomes')
    .selectAll()
    .where('installation_id', '=', given.installationId)
    .where('life', '=', given.life)
    .where('user_id', '=', given.userId),
);

/** Reads a person's welcome, or undefined when none was ever begun. */
export async function readWelcome(queries: Queries, key: WelcomeKey): Promise<WelcomeRow | undefined> {
  const { rows } = await selectWelcome(queries, key);
  return rows[0];
}
