import { createTokenCipher } from '../../../packages/foyer/src/installations/open-installation.ts';
import { app } from '../../load/signed-events.ts';
import { openBenchDatabase } from '../../open-bench-database.ts';
import { benchKeyring } from '../../seed/bench-keyring.ts';
import { installationRow, numberOfTeam } from '../../seed/seed-teams.ts';
import type { BenchStore } from './bench-store.ts';

/**
 * A store that uses Kysely in the way that Kysely's documentation shows: each call builds its query. A fetch decrypts
 * the token. To store an install, it writes only one row. Foyer's store also writes a run and history.
 */
export async function kyselyStore(place: string): Promise<BenchStore> {
  const database = await openBenchDatabase(place);
  const cipher = createTokenCipher({ keyring: benchKeyring });
  const { queries } = database;
  return {
    async store(installation) {
      const row = installationRow(numberOfTeam(installation.team.id), cipher, Date.now());
      await database.write((transaction) => transaction.insertInto('installations').values(row).execute());
    },
    async fetch(teamId) {
      const row = await queries
        .selectFrom('installations')
        .leftJoin('user_tokens', (join) =>
          join
            .onRef('user_tokens.installation_id', '=', 'installations.id')
            .onRef('user_tokens.user_id', '=', 'installations.installer_user_id'),
        )
        .select([
          'installations.id',
          'installations.team_id',
          'installations.team_name',
          'installations.enterprise_id',
          'installations.is_enterprise_install',
          'installations.app_id',
          'installations.status',
          'installations.version',
          'installations.installer_user_id',
          'installations.installed_at',
          'installations.sealed_bot',
          'user_tokens.sealed_user',
        ])
        .where('installations.client_id', '=', app.clientId)
        .where('installations.tenant', '=', `team:${teamId}`)
        .where('installations.status', '!=', 'uninstalled')
        .executeTakeFirstOrThrow();
      return cipher.openBot(row.id, row.sealed_bot ?? '');
    },
    remove: (teamId) =>
      database.write((transaction) =>
        transaction
          .deleteFrom('installations')
          .where('client_id', '=', app.clientId)
          .where('tenant', '=', `team:${teamId}`)
          .execute(),
      ),
    close: () => database.close(),
  };
}
