import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import Sqlite from 'better-sqlite3';
import { createVisitor, eventually, finishedRun, install, type ShownRun } from '../../src/testing/visitor.ts';
import { type Stage, setStage } from '../support/start-foyer.ts';
import { signedPost } from './support/signed-post.ts';

/**
 * Invariant 9 (tenants never mix). The app is installed in standalone workspaces, in a Grid org and in one of the org's
 * workspaces. Foyer handles each event with the token of that event's installation, and with no other.
 */

type Owner = 'Acme' | 'Globex' | 'Initech Product' | 'the org';

describe('installations of every kind side by side', () => {
  let stage: Stage;
  let ids: Record<'acme' | 'globex' | 'product' | 'sales' | 'org', string>;
  const owners = new Map<string, Owner>();

  async function installAt(choice: {
    teamId?: string;
    enterpriseId?: string;
    userId: string;
  }): Promise<string> {
    const visitor = createVisitor();
    const done = await install(visitor, stage.url, stage.sandbox, choice);
    assert.equal(done.status, 303);
    return stage.url + done.headers.get('location');
  }

  before(async () => {
    stage = await setStage();
    const { sandbox } = stage;
    const orgs = sandbox.state().enterprises;
    ids = {
      acme: sandbox.workspace('Acme').id,
      globex: sandbox.workspace('Globex').id,
      product: sandbox.workspace('Initech Product').id,
      sales: sandbox.workspace('Initech Sales').id,
      org: orgs[0]?.id ?? '',
    };
    for (const name of ['Acme', 'Globex', 'Initech Product'] as const) {
      const place = { teamId: sandbox.workspace(name).id, userId: sandbox.person(name).id };
      await finishedRun(createVisitor(), await installAt(place));
    }
  });
  after(() => stage.close());

  const rows = <Row>(sql: string): Row[] => {
    const database = new Sqlite(stage.databaseFile, { readonly: true });
    const found = database.prepare(sql).all() as Row[];
    database.close();
    return found;
  };
  const statuses = () =>
    Object.fromEntries(
      rows<{ tenant: string; status: string }>('select tenant, status from installations').map((row) => [
        row.tenant,
        row.status,
      ]),
    );

  it('Foyer welcomes the org’s installer only once a workspace has access to the app', async () => {
    const { sandbox } = stage;
    const bill = sandbox.person('Initech Sales', 'owner').id;
    const progress = await installAt({ enterpriseId: ids.org, userId: bill });
    const ask = async () => (await (await createVisitor().get(`${progress}/status`)).json()) as ShownRun;
    await eventually(async () => (await ask()).status === 'waiting');
    const posted = sandbox.calls('chat.postMessage').length;
    assert.match(await (await createVisitor().get(progress)).text(), /One thing left to do in Slack/);
    await sandbox.grantAccess({ enterpriseId: ids.org, teamIds: [ids.sales] });
    const run = await finishedRun(createVisitor(), progress);
    assert.equal(run.status, 'succeeded');
    assert.equal(sandbox.calls('chat.postMessage').length, posted + 1);
    assert.equal(sandbox.messages({ teamId: ids.sales, userId: bill }).length, 1);
    for (const installation of sandbox.state().installations) {
      const names: Record<string, Owner> = {
        [ids.acme]: 'Acme',
        [ids.globex]: 'Globex',
        [ids.product]: 'Initech Product',
      };
      for (const token of installation.tokens)
        owners.set(token.value, names[installation.teamId ?? ''] ?? 'the org');
    }
    assert.equal(owners.size, 4);
    // The run publishes App Home when it ends. The test waits for this update here, so that the tests below do not
    // mistake it for an update that their events caused.
    const home = () => JSON.stringify(sandbox.homeView({ teamId: ids.sales, userId: bill }));
    await eventually(async () => home().includes('Everything is in place'));
  });

  const authorization = (teamId: string | null, enterpriseId: string | null, isEnterprise: boolean) => ({
    authorizations: [
      {
        enterprise_id: enterpriseId,
        team_id: teamId,
        user_id: 'U0BOT',
        is_bot: true,
        is_enterprise_install: isEnterprise,
      },
    ],
  });

  /**
   * For each case: the envelope's fields, and the owner of the token with which Foyer must publish App Home. If the
   * owner is null, Foyer must not publish App Home.
   */
  const matrix: [string, () => { envelope: Record<string, unknown>; owner: Owner | null; user: string }][] = [
    [
      'a standalone workspace',
      () => ({
        envelope: { team_id: ids.acme, ...authorization(ids.acme, null, false) },
        owner: 'Acme',
        user: 'Acme',
      }),
    ],
    [
      'a standalone workspace (sent without authorizations)',
      () => ({ envelope: { team_id: ids.globex }, owner: 'Globex', user: 'Globex' }),
    ],
    [
      'a Grid workspace with its own install',
      () => ({
        envelope: {
          team_id: ids.product,
          enterprise_id: ids.org,
          ...authorization(ids.product, ids.org, false),
        },
        owner: 'Initech Product',
        user: 'Initech Product',
      }),
    ],
    [
      'a Grid workspace that the org-wide install serves',
      () => ({
        envelope: { team_id: ids.sales, enterprise_id: ids.org, ...authorization(null, ids.org, true) },
        owner: 'the org',
        user: 'Initech Sales',
      }),
    ],
    [
      'a Grid workspace with its own install (sent for the org-wide install)',
      () => ({
        envelope: { team_id: ids.product, enterprise_id: ids.org, ...authorization(null, ids.org, true) },
        owner: 'the org',
        user: 'Initech Product',
      }),
    ],
    [
      'a Slack Connect channel shared with another customer',
      () => ({
        envelope: {
          team_id: ids.globex,
          is_ext_shared_channel: true,
          ...authorization(ids.acme, null, false),
        },
        owner: 'Acme',
        user: 'Acme',
      }),
    ],
    [
      'a Slack Connect channel shared with a company that is not a customer',
      () => ({
        envelope: {
          team_id: 'T0STRANGER',
          enterprise_id: 'E0STRANGER',
          is_ext_shared_channel: true,
          ...authorization(ids.acme, null, false),
        },
        owner: 'Acme',
        user: 'Acme',
      }),
    ],
    [
      'a Slack Connect channel between a customer and the org',
      () => ({
        envelope: { team_id: ids.acme, is_ext_shared_channel: true, ...authorization(null, ids.org, true) },
        owner: 'the org',
        user: 'Initech Sales',
      }),
    ],
    [
      'a Grid workspace without its own install (sent for such an install)',
      () => ({
        envelope: { team_id: ids.sales, enterprise_id: ids.org, ...authorization(ids.sales, ids.org, false) },
        owner: null,
        user: 'Initech Sales',
      }),
    ],
    [
      'an unknown team',
      () => ({
        envelope: { team_id: 'T0NOBODY', ...authorization('T0NOBODY', null, false) },
        owner: null,
        user: 'Acme',
      }),
    ],
    [
      'an unknown org',
      () => ({
        envelope: {
          team_id: 'T0NOBODY',
          enterprise_id: 'E0NOBODY',
          ...authorization(null, 'E0NOBODY', true),
        },
        owner: null,
        user: 'Acme',
      }),
    ],
  ];

  for (const [name, row] of matrix) {
    it(`an event from ${name} uses no other installation’s token`, async () => {
      const { envelope, owner, user } = row();
      const { sandbox } = stage;
      const userId = sandbox.person(user, 'owner').id;
      // Makes Foyer forget what it published, so that it publishes again.
      const database = new Sqlite(stage.databaseFile);
      database.exec('update home_views set published_hash = null');
      database.close();
      const opened = () => stage.logged().filter((line) => line.includes('App Home opened')).length;
      const [before, openedBefore] = [sandbox.calls().length, opened()];
      const answer = await signedPost({
        url: stage.url,
        signingSecret: sandbox.app.signingSecret,
        body: {
          type: 'event_callback',
          api_app_id: sandbox.app.id,
          event_id: `Ev${name}`,
          event_time: Math.floor(Date.now() / 1000),
          event: { type: 'app_home_opened', user: userId, tab: 'home', channel: 'D1' },
          ...envelope,
        },
      });
      assert.equal(answer.status, 200);
      if (owner !== null) await eventually(async () => opened() > openedBefore);
      else await new Promise((next) => setTimeout(next, 100));
      const calls = sandbox.calls().slice(before);
      const usedBy = new Set(calls.map((call) => owners.get(call.token ?? '')));
      assert.deepEqual([...usedBy], owner === null ? [] : [owner]);
    });
  }

  it('an uninstall by an org does not end its workspaces’ own installations, and an uninstall by a workspace does not end the org’s installation', async () => {
    const { sandbox } = stage;
    await sandbox.uninstall({ enterpriseId: ids.org });
    await sandbox.settled();
    const afterOrg = {
      [`team:${ids.acme}`]: 'active',
      [`team:${ids.globex}`]: 'active',
      [`team:${ids.product}`]: 'active',
      [`enterprise:${ids.org}`]: 'uninstalled',
    };
    assert.deepEqual(statuses(), afterOrg);
    const bill = sandbox.person('Initech Sales', 'owner').id;
    await installAt({ enterpriseId: ids.org, userId: bill });
    await sandbox.uninstall({ teamId: ids.product });
    await sandbox.settled();
    assert.deepEqual(statuses(), {
      ...afterOrg,
      [`team:${ids.product}`]: 'uninstalled',
      [`enterprise:${ids.org}`]: 'active',
    });
  });

  it('a tokens_revoked event for one workspace’s bot leaves the installations of another workspace and of the org active', async () => {
    const { sandbox } = stage;
    await sandbox.revokeBot({ teamId: ids.globex });
    await sandbox.settled();
    assert.equal(statuses()[`team:${ids.globex}`], 'uninstalled');
    assert.equal(statuses()[`team:${ids.acme}`], 'active');
    assert.equal(statuses()[`enterprise:${ids.org}`], 'active');
  });
});
