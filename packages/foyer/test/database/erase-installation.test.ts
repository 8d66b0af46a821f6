import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import type { Insertable } from 'kysely';
import { eraseBotToken, eraseInstallation, eraseUserTokens } from '../../src/database/erase-installation.ts';
import type { InstallRequestRow, Tables } from '../../src/database/records.ts';
import { keyringOf } from '../support/installations.ts';
import { engines } from '../support/open-test-database.ts';
import { insertTenant, inviteStrangers, ownRows } from '../support/strangers.ts';

const clientId = '1.1';
const now = 5000;
/** Installs of two workspaces of a Grid organization, of one workspace outside it, and of the whole organization. */
const tenants = [
  { mark: 'OWN', teamId: 'T1', enterpriseId: 'E1' },
  { mark: 'NEXT', teamId: 'T2', enterpriseId: 'E1' },
  { mark: 'ALONE', teamId: 'T3', enterpriseId: null },
  { mark: 'ORG', teamId: null, enterpriseId: 'E1' },
];

for (const [engine, open] of Object.entries(engines)) {
  async function setUp(t: TestContext) {
    const { database, close } = await open();
    const strangers = await inviteStrangers(database, { clientId });
    t.after(() => strangers.assertUntouched().finally(close));
    const same = { clientId, grantsOf: 'E1', dueAt: 3000, madeAt: 1000 };
    await database.write(async (tx) => {
      for (const tenant of tenants)
        await insertTenant(tx, { ...same, ...tenant }, ['U1', 'U2'], keyringOf('k1'));
    });
    const [request] = await ownRows(database, 'install_requests');
    assert.ok(request);
    const base = { ...request, outcome: 'failed', installation_id: null, sealed_tokens: null } as const;
    const addRequests = (requests: Record<string, Partial<InstallRequestRow>>) =>
      database.queries
        .insertInto('install_requests')
        .values(
          Object.entries(requests).map(
            ([id, wish]): Insertable<Tables['install_requests']> => ({
              ...{ ...base, id, progress_hash: id },
              ...wish,
            }),
          ),
        )
        .execute();
    const erase = (mark: string) => database.write((tx) => eraseInstallation(tx, `ins_${mark}`, now));
    const requests = async () =>
      (await ownRows(database, 'install_requests'))
        .map(({ id }) => id)
        .filter((id) => !id.startsWith('req_'))
        .sort();
    const purged = async () =>
      (await ownRows(database, 'seen_deliveries'))
        .map(({ key }) => key)
        .filter((key) => key.startsWith('purged'));
    const access = async () => (await ownRows(database, 'team_access')).map(({ team_id }) => team_id).sort();
    return { database, addRequests, erase, requests, purged, access };
  }

  describe(`erasing one of several installations, on ${engine}`, () => {
    it('erasing an installation erases its install requests, except those in progress and those with tokens still to revoke', async (t) => {
      const { addRequests, erase, requests } = await setUp(t);
      const inT1 = { team_id: 'T1', enterprise_id: 'E1' };
      await addRequests({
        'its own': { installation_id: 'ins_OWN', team_id: null, enterprise_id: null },
        'its team’s': inT1,
        'in progress': { ...inT1, outcome: 'started' },
        'with tokens': { ...inT1, sealed_tokens: 'sealed' },
        'the organization’s': { team_id: null, enterprise_id: 'E1' },
        'the next team’s': { team_id: 'T2', enterprise_id: 'E1' },
        'no one’s': { team_id: null, enterprise_id: null },
      });
      assert.equal(await erase('OWN'), true);
      const left = ['in progress', 'no one’s', 'the next team’s', 'the organization’s', 'with tokens'];
      assert.deepEqual(await requests(), left);
      assert.equal(await erase('ORG'), true);
      assert.deepEqual(
        await requests(),
        left.filter((id) => id !== 'the organization’s'),
      );
      assert.equal(await erase('ALONE'), true);
      assert.ok((await requests()).includes('no one’s'));
      assert.equal(await erase('OWN'), false);
    });

    it('erasing an installation records a purge only for a Grid workspace, and erases workspaces’ access only for an org-wide install', async (t) => {
      const { erase, purged, access } = await setUp(t);
      await erase('OWN');
      await erase('ALONE');
      assert.deepEqual(await access(), ['TALONE', 'TNEXT', 'TORG', 'TOWN']);
      assert.deepEqual(
        await purged(),
        ['purged team:T1'],
        'only a workspace of a Grid may look like its org',
      );
      await erase('ORG');
      assert.deepEqual(await access(), []);
      assert.deepEqual(await purged(), ['purged team:T1']);
    });

    it('erasing a bot token records why the installation is broken, but never marks an uninstalled installation as broken', async (t) => {
      const { database } = await setUp(t);
      const broken = { status: 'broken', reason: 'key_lost' } as const;
      const erase = (
        installationId: string,
        erasure: typeof broken | { status: 'uninstalled'; now: number },
      ) => database.write((tx) => eraseBotToken(tx, { installationId, ...erasure }));
      const states = async () =>
        (await ownRows(database, 'installations')).map(
          ({ id, status, broken_reason, uninstalled_at, version, sealed_bot }) =>
            `${id} ${status} ${broken_reason} ${uninstalled_at} v${version} ${sealed_bot === null ? 'erased' : 'kept'}`,
        );
      await erase('ins_OWN', { status: 'uninstalled', now });
      await erase('ins_OWN', { status: 'uninstalled', now: now + 1 });
      await erase('ins_OWN', broken);
      await erase('ins_NEXT', broken);
      await erase('ins_ORG', broken);
      await erase('ins_ORG', { status: 'uninstalled', now: now + 2 });
      assert.deepEqual((await states()).sort(), [
        'ins_ALONE active null null v1 kept',
        'ins_NEXT broken key_lost null v2 erased',
        `ins_ORG uninstalled null ${now + 2} v3 erased`,
        `ins_OWN uninstalled null ${now} v2 erased`,
      ]);
    });

    it('user tokens are erased only if they match every given condition: the user, the time of the last update, and the version', async (t) => {
      const { database } = await setUp(t);
      const erase = (rest: Omit<Parameters<typeof eraseUserTokens>[1], 'installationId'>) =>
        database.write((tx) => eraseUserTokens(tx, { installationId: 'ins_OWN', ...rest }));
      const newer = database.queries.updateTable('user_tokens').set({ updated_at: now, version: 2 });
      await newer.where('installation_id', '=', 'ins_OWN').where('user_id', '=', 'U2').execute();
      assert.deepEqual(await erase({ userIds: [] }), []);
      assert.deepEqual(await erase({ userIds: ['U2'], updatedBefore: now }), [], 'granted at that time');
      assert.deepEqual(await erase({ ifVersion: 3 }), []);
      assert.deepEqual(await erase({ ifVersion: 2, userIds: ['U1'] }), []);
      assert.deepEqual(await erase({ updatedBefore: now }), ['U1']);
      assert.deepEqual(await erase({ ifVersion: 2 }), ['U2']);
      assert.equal((await ownRows(database, 'user_tokens')).length, 6);
    });
  });
}
