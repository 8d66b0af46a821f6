import type { Sandbox } from 'slack-sandbox';
import type { Config } from '../../../src/config/config.ts';
import { createLogger } from '../../../src/config/log.ts';
import { openDatabase } from '../../../src/database/open-database.ts';
import { createInstallationStore } from '../../../src/installations/create-installation-store.ts';
import { loadKeyring } from '../../../src/installations/keyring.ts';

/** Every token that works at Slack. */
export function liveTokens(sandbox: Sandbox): string[] {
  return sandbox
    .state()
    .installations.flatMap((each) => each.tokens)
    .filter((token) => token.status === 'live')
    .map((token) => token.value);
}

/** Every token that Foyer stores for installations that are not uninstalled, decrypted with Foyer's own keys. */
export async function heldTokens(config: Config): Promise<string[]> {
  const database = await openDatabase(config.database);
  try {
    const store = createInstallationStore({
      database,
      keyring: loadKeyring({ config }),
      clientId: config.slack.clientId,
      stepNames: [],
      now: Date.now,
      log: createLogger({ logLevel: 'silent', secrets: [] }),
    });
    const rows = await database.queries
      .selectFrom('installations')
      .leftJoin('user_tokens', 'user_tokens.installation_id', 'installations.id')
      .select(['installations.id', 'user_tokens.user_id'])
      .where('status', '!=', 'uninstalled')
      .execute();
    const held = new Set<string>();
    for (const { id, user_id: userId } of rows) {
      const stored = await store.readInstallation(id, userId ?? undefined);
      const { bot, user } = stored?.installation ?? {};
      for (const token of [bot?.token, user?.token]) if (token !== undefined) held.add(token);
    }
    return [...held];
  } finally {
    await database.close();
  }
}
