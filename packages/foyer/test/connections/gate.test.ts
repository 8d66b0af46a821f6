import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Admission, Candidate, Gate } from '../../src/install/gate.ts';
import {
  allowEnterprises,
  allowTeams,
  createAskGate,
  onlyAdmins,
  requireScopes,
} from '../../src/install/gate.ts';
import { createVisitor, install } from '../../src/testing/visitor.ts';
import { orgInstall, teamInstall } from '../support/installations.ts';
import { openTestDatabase } from '../support/open-test-database.ts';
import { type ConnectStage, claimsOf, resultOf, setConnectStage, sign } from './connect-stage.ts';

const gated = (gate: Gate) => setConnectStage({ definition: { gate } });
const requests = (stage: ConnectStage) =>
  stage.database.rows<{ outcome: string; error_code: string | null }>(
    'select outcome, error_code from install_requests order by started_at',
  );

describe('a gate', () => {
  it('Foyer calls the gate after it exchanges the code and before it stores anything, and passes all known facts', async (t) => {
    const seen: Candidate[] = [];
    const stage = await gated(async (candidate) => {
      seen.push(candidate);
      assert.equal((await stage.database.rows('select id from installations')).length, seen.length - 1);
      return { admit: true };
    });
    t.after(() => stage.close());
    const acme = stage.person('Acme');
    resultOf(await stage.connect(acme, sign(claimsOf({ org: 'org-1', data: { plan: 'pro' } }))));
    await install(createVisitor(), stage.url, stage.sandbox, {
      userId: stage.sandbox.person('Initech Product', 'owner').id,
      enterpriseId: 'E07INITECHX',
    });
    const [first, orgWide] = seen;
    assert.ok(first && orgWide);
    assert.deepEqual(first.team, { id: acme.teamId, name: 'Acme' });
    assert.deepEqual([first.enterprise, first.isEnterpriseInstall, first.known], [null, false, null]);
    assert.equal(first.installer.id, acme.userId);
    assert.ok(first.botScopes.includes('chat:write'));
    assert.match(first.url ?? '', /^https?:\/\//);
    const account = { org: 'org-1', subject: 'user-1', label: 'Acme GmbH', data: { plan: 'pro' } };
    assert.deepEqual(first.connection, account);
    assert.deepEqual([orgWide.team, orgWide.isEnterpriseInstall], [null, true]);
    assert.equal(orgWide.enterprise?.id, 'E07INITECHX');
    assert.equal(orgWide.connection, null);
  });

  it('if a gate refuses, the page shows the escaped and shortened reason, and Foyer revokes the new tokens and records the refusal', async (t) => {
    const reason = `Only <b>paying</b> customers & friends.${'x'.repeat(600)}`;
    const stage = await gated(({ team }) =>
      team?.id === stage.person('Acme').teamId ? { admit: true } : { admit: false, reason },
    );
    t.after(() => stage.close());
    const globex = stage.person('Globex');
    const answer = await install(globex.visitor, stage.url, stage.sandbox, globex);
    const page = await answer.text();
    assert.equal(answer.status, 403);
    assert.match(page, /Only &lt;b&gt;paying&lt;\/b&gt; customers &amp; friends\./);
    assert.match(page, /gate_refused/);
    assert.doesNotMatch(page, /x{500}/, 'a reason is a sentence, and cut to the length of one');
    assert.equal(stage.sandbox.calls('auth.revoke').length, 1);
    assert.equal(await stage.installs(), 0);
    assert.deepEqual(await requests(stage), [{ outcome: 'refused', error_code: 'gate_refused' }]);
    assert.equal(
      (await install(createVisitor(), stage.url, stage.sandbox, stage.person('Acme'))).status,
      303,
    );

    const result = resultOf(await stage.connect(stage.person('Globex'), sign(claimsOf())));
    assert.deepEqual([result.outcome, result.error, result.teamName], ['refused', 'gate_refused', 'Globex']);
    assert.deepEqual(await stage.stored(), []);
  });

  it('a gate that refuses a reinstall leaves the installation and its token unchanged', async (t) => {
    let isOpen = true;
    let known: Candidate['known'] = null;
    const stage = await gated((candidate): Admission => {
      known = candidate.known;
      return isOpen ? { admit: true } : { admit: false, reason: 'Closed.' };
    });
    t.after(() => stage.close());
    const acme = stage.person('Acme');
    await install(acme.visitor, stage.url, stage.sandbox, acme);
    isOpen = false;
    const answer = await install(acme.visitor, stage.url, stage.sandbox, acme);
    assert.equal(answer.status, 403);
    assert.equal((known as { status?: string } | null)?.status, 'active');
    assert.equal(stage.sandbox.calls('auth.revoke').length, 0);
    assert.equal((await (await stage.foyer().slack(acme)).auth.test()).ok, true);
  });

  const broken: Record<string, Gate> = {
    throws: () => {
      throw new Error('a bug');
    },
    rejects: () => Promise.reject(new Error('a bug')),
    'returns nothing': () => undefined as unknown as Admission,
    'returns true instead of an admission': () => true as unknown as Admission,
    'refuses without a reason': () => ({ admit: false }) as unknown as Admission,
    'returns an `admit` that is neither true nor false': () =>
      ({ admit: 'no', reason: 'Closed.' }) as unknown as Admission,
    hangs: () => new Promise<Admission>(() => {}),
  };
  for (const [what, gate] of Object.entries(broken)) {
    it(`if a gate ${what}, Foyer fails the install within six seconds, stores nothing and revokes the tokens`, async (t) => {
      const stage = await gated(gate);
      t.after(() => stage.close());
      const acme = stage.person('Acme');
      const startedAt = performance.now();
      const answer = await install(acme.visitor, stage.url, stage.sandbox, acme);
      assert.ok(performance.now() - startedAt < 6000);
      assert.equal(answer.status, 503);
      const page = await answer.text();
      assert.match(page, /We could not check this install/);
      assert.ok(!page.includes('a bug'));
      assert.equal(await stage.installs(), 0);
      assert.equal(stage.sandbox.calls('auth.revoke').length, 1);
      const [request] = await requests(stage);
      assert.equal(request?.outcome, 'failed');
      assert.match(request?.error_code ?? '', what === 'hangs' ? /gate_timeout/ : /gate_failed/);
      if (/throws|rejects/.test(what)) assert.ok(stage.logged().some((line) => line.includes('a bug')));
    });
  }
});

it('`allowTeams` admits no org-wide install, even if Slack’s response names a listed team', async (t) => {
  const { database, close } = await openTestDatabase();
  t.after(close);
  const slack = () => assert.fail('nothing is asked');
  const askGate = createAskGate({ gate: allowTeams(['T1']), clientId: '1.1', database, slack });
  const about = { link: undefined, url: null, limitMs: 1000 };
  await askGate(teamInstall(), about);
  const orgWide = { ...orgInstall(), team: { id: 'T1', name: 'Team' } } as unknown as ReturnType<
    typeof orgInstall
  >;
  await assert.rejects(askGate(orgWide, about), { code: 'gate_refused' });
});

describe('a ready-made gate', () => {
  const candidate = (wish: Partial<Candidate>): Candidate => ({
    team: { id: 'T1', name: 'Acme' },
    enterprise: null,
    isEnterpriseInstall: false,
    installer: { id: 'U1', isAdmin: async () => false },
    url: null,
    botScopes: ['chat:write'],
    userScopes: [],
    connection: null,
    known: null,
    ...wish,
  });
  const admits = async (gate: Gate, wish: Partial<Candidate>) => (await gate(candidate(wish))).admit;

  it('`allowTeams` admits only the listed teams, and no org-wide install', async () => {
    const gate = allowTeams(['T1', 'T3']);
    assert.equal(await admits(gate, {}), true);
    assert.equal(await admits(gate, { team: { id: 'T2', name: 'Acme' } }), false);
    assert.equal(await admits(gate, { team: null, isEnterpriseInstall: true }), false);
  });

  it('`allowEnterprises` admits only installs of the listed organizations, whether org-wide or in a single workspace', async () => {
    const gate = allowEnterprises(['E1']);
    const enterprise = { id: 'E1', name: 'Initech' };
    assert.equal(await admits(gate, { enterprise }), true);
    assert.equal(await admits(gate, { enterprise, team: null, isEnterpriseInstall: true }), true);
    assert.equal(await admits(gate, { enterprise: { id: 'E2', name: 'Initech' } }), false);
    assert.equal(await admits(gate, {}), false);
  });

  it('`requireScopes` refuses an install that lacks a required scope, and names the missing scopes', async () => {
    const gate = requireScopes(['chat:write', 'users:read']);
    assert.equal(await admits(gate, { botScopes: ['users:read', 'chat:write', 'im:write'] }), true);
    const answer = await gate(candidate({}));
    assert.match(answer.admit ? '' : answer.reason, /without these permissions: users:read\./);
  });

  it('without the scope `users:read`, `onlyAdmins` refuses even an admin, since it cannot check who is an admin', async (t) => {
    const stage = await setConnectStage({
      definition: { gate: onlyAdmins() },
      environment: { SLACK_SCOPES: 'chat:write' },
    });
    t.after(() => stage.close());
    const admin = stage.person('Acme', 'admin');
    assert.equal((await install(admin.visitor, stage.url, stage.sandbox, admin)).status, 403);
  });

  it('on a reinstall, a gate gets the existing installation of the same workspace or the same organization', async (t) => {
    const known: (string | null)[] = [];
    const stage = await gated((candidate) => {
      known.push(candidate.known && (candidate.known.teamId ?? candidate.known.enterpriseId));
      return { admit: true };
    });
    t.after(() => stage.close());
    const { sandbox } = stage;
    const userId = sandbox.person('Initech Product', 'owner').id;
    const team = { userId, teamId: sandbox.workspace('Initech Product').id };
    const org = { userId, enterpriseId: 'E07INITECHX' };
    for (const place of [team, org, team, org]) await install(createVisitor(), stage.url, sandbox, place);
    assert.deepEqual(known, [null, null, team.teamId, org.enterpriseId]);
  });

  it('`onlyAdmins` admits only people whom Slack calls admins', async (t) => {
    const stage = await gated(onlyAdmins());
    t.after(() => stage.close());
    const admin = stage.person('Acme', 'admin');
    const member = stage.person('Globex', 'member');
    assert.equal((await install(member.visitor, stage.url, stage.sandbox, member)).status, 403);
    assert.equal((await install(admin.visitor, stage.url, stage.sandbox, admin)).status, 303);
    const org = { userId: stage.sandbox.person('Initech Product', 'owner').id, enterpriseId: 'E07INITECHX' };
    assert.equal((await install(createVisitor(), stage.url, stage.sandbox, org)).status, 303);
    assert.deepEqual(
      (await requests(stage)).map(({ outcome }) => outcome),
      ['refused', 'installed', 'installed'],
    );
  });
});
