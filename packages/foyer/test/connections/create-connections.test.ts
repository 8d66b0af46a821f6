import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { createConnections } from '../../src/connections/create-connections.ts';
import { createLinkCookies } from '../../src/connections/link-cookies.ts';
import type { Database } from '../../src/database/database.ts';
import { createSealer } from '../../src/installations/sealer.ts';
import { keyringOf } from '../support/installations.ts';
import { engines } from '../support/open-test-database.ts';
import { insertTenant, inviteStrangers, ownRows } from '../support/strangers.ts';

const clientId = '1.1';
const now = (): number => 5000;

for (const [engine, open] of Object.entries(engines)) {
  /**
   * Stores two unconnected workspaces, each with the installer U1 and another admin U2, and the tenants of
   * `strangers.ts`.
   */
  async function setUp(t: TestContext) {
    const { database, close } = await open();
    const strangers = await inviteStrangers(database, { clientId });
    t.after(() => strangers.assertUntouched().finally(close));
    const same = { clientId, enterpriseId: null, grantsOf: 'E1', dueAt: 3000, madeAt: 1000 };
    await database.write(async (tx) => {
      for (const [mark, teamId] of [
        ['OWN', 'T1'],
        ['NEXT', 'T2'],
      ] as const) {
        await insertTenant(tx, { ...same, mark, teamId }, ['U1', 'U2'], keyringOf('k1'));
        await tx.deleteFrom('connections').where('id', '=', `con_${mark}`).execute();
      }
    });
    const sealer = createSealer({ keyring: keyringOf('k1'), purpose: 'claim' });
    const connect = {
      secret: 'a secret of the host',
      returnOrigins: [],
      claimUrl: 'https://host.example/claim',
    };
    const connectionsWith = (given: typeof connect | undefined) =>
      createConnections({
        config: { connect: given, http: {}, slack: { clientId } } as never,
        database,
        cookies: createLinkCookies({ sealer, secure: true, now }),
        claimSealer: sealer,
        now,
      });
    const connections = connectionsWith(connect);
    const claimOf = (holder: { installationId: string; life?: number; userId?: string }): string =>
      new URL(connections.claimUrl?.({ life: 1, userId: 'U1', ...holder }) ?? '').searchParams.get(
        'foyer_claim',
      ) ?? assert.fail('no claim');
    const connected = async () =>
      (await ownRows(database, 'connections')).map((row) => `${row.installation_id} ${row.org}`).sort();
    return { database, connections, connectionsWith, claimOf, connected };
  }

  describe(`a workspace claim in a database with other tenants, on ${engine}`, () => {
    it('a claim contains the id of its own workspace and connects only that workspace, both for an installer who is not an admin and for an admin who is not the installer', async (t) => {
      const { database, connections, claimOf, connected } = await setUp(t);
      await demote(database, 'U1');
      const byInstaller = claimOf({ installationId: 'ins_OWN' });
      const byAdmin = claimOf({ installationId: 'ins_NEXT', userId: 'U2' });
      assert.deepEqual((await connections.readClaim(byInstaller)).teamId, 'T1');
      assert.deepEqual((await connections.readClaim(byAdmin)).teamId, 'T2');
      assert.equal((await connections.claim(byInstaller, { org: 'org-1' })).teamId, 'T1');
      assert.deepEqual(await connected(), ['ins_OWN org-1']);
      assert.equal((await connections.claim(byAdmin, { org: 'org-2' })).teamId, 'T2');
      assert.deepEqual(await connected(), ['ins_NEXT org-2', 'ins_OWN org-1']);
    });

    it('a claim is refused if it is for another app or install, after an uninstall or purge, or from a person who may not claim', async (t) => {
      const { database, connections, connectionsWith, claimOf, connected } = await setUp(t);
      const refuses = async (holder: Parameters<typeof claimOf>[0], why: string) => {
        const token = claimOf(holder);
        await assert.rejects(connections.readClaim(token), { code: 'claim_invalid' }, why);
        await assert.rejects(connections.claim(token, { org: 'org-1' }), { code: 'claim_invalid' }, why);
      };
      const own = { installationId: 'ins_OWN' };
      await refuses({ installationId: 'ins_STRANGER_c' }, 'it is another app’s');
      await refuses({ installationId: 'ins_404' }, 'it was purged');
      await refuses({ ...own, life: 2 }, 'it is of another life');
      await refuses({ ...own, userId: 'U9' }, 'no one knows this person');
      await demote(database, 'U2');
      await refuses({ ...own, userId: 'U2' }, 'they are an admin only elsewhere');
      const off = connectionsWith(undefined);
      await assert.rejects(off.readClaim(claimOf(own)), { code: 'connect_off' });
      const uninstalled = database.queries.updateTable('installations').set({ status: 'uninstalled' });
      await uninstalled.where('id', '=', 'ins_OWN').execute();
      await refuses(own, 'it was uninstalled');
      assert.deepEqual(await connected(), []);
      assert.equal((await connections.readClaim(claimOf({ installationId: 'ins_NEXT' }))).teamId, 'T2');
    });
  });
}

/** Removes a person's roles in T1. The person stays an admin of other workspaces. */
async function demote({ queries }: Database, userId: string): Promise<void> {
  await queries
    .updateTable('memberships')
    .set({ is_admin: 0, is_owner: 0 })
    .where('client_id', '=', clientId)
    .where('team_id', '=', 'T1')
    .where('user_id', '=', userId)
    .execute();
}
