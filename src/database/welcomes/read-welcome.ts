import type { Queries } from '../database.ts';
import type { WelcomeRow } from '../records.ts';

/** Whose welcome: one person in one life of an installation. */
export interface WelcomeKey {
  installationId: string;
  life: number;
  userId: string;
}

/** Reads a person's welcome, or undefined when none was ever begun. */
export async function readWelcome(queries: Queries, key: WelcomeKey): Promise<WelcomeRow | undefined> {
  return queries
    .selectFrom('welcomes')
    .selectAll()
    .where('installation_id', '=', key.installationId)
    .where('life', '=', key.life)
    .where('user_id', '=', key.userId)
    .executeTakeFirst();
}
