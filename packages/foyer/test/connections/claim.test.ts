import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { foyerTableNames } from '../../src/database/records.ts';
import { eventually, finishedRun, install } from '../../src/testing/visitor.ts';
import { engines } from '../support/open-test-database.ts';
import type { EngineName } from '../support/stage-database.ts';
import { type ConnectStage, claimsOf, type Person, setConnectStage, sign } from './connect-stage.ts';

/** The claim in a message or view; undefined if it has no claim button. */
function claimIn(shown: unknown): string | undefined {
  const [, url = ''] = /"(https:\/\/app\.example\.com\/slack\/claim[^"]*)"/.exec(JSON.stringify(shown)) ?? [];
  return url === '' ? undefined : (new URL(url).searchParams.get('foyer_claim') ?? undefined);
}

for (const engine of Object.keys(engines) as EngineName[]) {
  describe(`a workspace that installed without a link, on ${engine}`, () => {
    let stage: ConnectStage;
    let acme: Person;
    let member: Person;
    const home = async (person: Person) => {
      await stage.foyer().publishHome({ teamId: person.teamId }, person.userId);
      return stage.sandbox.homeView(person);
    };
    const claims: string[] = [];
    const freshClaim = async (person: Person): Promise<string> => {
      const claim = claimIn(await home(person)) ?? assert.fail('no claim in Home');
      claims.push(claim);
      return claim;
    };
    const installed = async (person: Person): Promise<void> => {
      const done = await install(person.visitor, stage.url, stage.sandbox, person);
      await finishedRun(person.visitor, stage.url + done.headers.get('location'));
    };

    before(async () => {
      stage = await setConnectStage({ engine });
      acme = stage.person('Acme');
      member = stage.person('Acme', 'member');
      await installed(acme);
      await installed(stage.person('Globex'));
    });
    after(() => stage.close());

    it('Foyer shows the installer how to finish connecting, in the welcome and in Home', async () => {
      const welcome = stage.sandbox.messages(acme);
      assert.match(JSON.stringify(welcome), /Finish connecting/);
      const token = claimIn(welcome) ?? assert.fail('no claim in the welcome');
      assert.deepEqual((await stage.foyer().readClaim(token)).teamName, 'Acme');
      assert.equal(typeof (await freshClaim(acme)), 'string');
    });

    it('Foyer shows an admin how to finish connecting, but not a member who is neither an admin nor the installer', async () => {
      assert.equal(typeof (await freshClaim(stage.person('Acme', 'admin'))), 'string');
      assert.equal(claimIn(await home(member)), undefined);
    });

    it('Foyer refuses an account without an id, and a claim token that was altered or made for another purpose', async () => {
      const token = await freshClaim(acme);
      const claim = (text: string, org = 'org-1') => stage.foyer().claim(text, { org });
      await assert.rejects(claim(`${token.slice(0, -4)}AAAA`), { code: 'claim_invalid' });
      await assert.rejects(claim(''), { code: 'claim_invalid' });
      await assert.rejects(claim('x'.repeat(100_000)), { code: 'claim_invalid' });
      await assert.rejects(claim(sign(claimsOf())), { code: 'claim_invalid' });
      await assert.rejects(claim(token, ''), { code: 'claim_invalid' });
      const state = new URL(
        (await acme.visitor.get(`${stage.url}/slack/install`)).headers.get('location') ?? '',
      ).searchParams.get('state');
      await assert.rejects(claim(state ?? ''), { code: 'claim_invalid' });
      assert.deepEqual(await stage.stored(), []);
    });

    it('Foyer refuses a claim by someone who is no longer an admin and is not the installer', async () => {
      const admin = stage.person('Acme', 'admin');
      const token = await freshClaim(admin);
      await stage.database.change('update memberships set is_admin = 0 where user_id = ?', admin.userId);
      await assert.rejects(stage.foyer().claim(token, { org: 'org-1' }), { code: 'claim_invalid' });
      assert.deepEqual(await stage.stored(), []);
    });

    it('Foyer refuses a claim token from before an uninstall, even after a reinstall', async () => {
      const token = await freshClaim(acme);
      await stage.sandbox.uninstall({ teamId: acme.teamId });
      await eventually(async () => (await stage.foyer().find(acme))?.status === 'uninstalled');
      await assert.rejects(stage.foyer().claim(token, { org: 'org-1' }), { code: 'claim_invalid' });
      await installed(acme);
      await assert.rejects(stage.foyer().claim(token, { org: 'org-1' }), { code: 'claim_invalid' });
      assert.deepEqual(await stage.stored(), []);
    });

    it('if a claim token is used twice at the same time, only one use connects the workspace, and the token never works again', async () => {
      const mine = await freshClaim(acme);
      const ends = await Promise.allSettled(
        ['org-1', 'org-2'].map((org) => stage.foyer().claim(mine, { org, subject: 'user-1', label: 'Acme' })),
      );
      const [won] = ends.filter((end) => end.status === 'fulfilled').map((end) => end.value);
      const [lost] = ends.filter((end) => end.status === 'rejected').map((end) => end.reason);
      assert.ok(won && lost);
      assert.equal(lost.code, 'claim_used');
      assert.deepEqual([won.teamId, won.subject, won.label], [acme.teamId, 'user-1', 'Acme']);
      assert.deepEqual(await stage.stored(), [`Acme → ${won.org}`]);
      const gone = await eventually(async () => {
        const view = await home(acme);
        return claimIn(view) === undefined && view;
      });
      assert.match(JSON.stringify(gone), /Connected to an account/);
      await stage.foyer().connections.remove(won.id);
      await assert.rejects(stage.foyer().claim(mine, { org: 'org-3' }), { code: 'claim_used' });
    });

    it('Foyer refuses a claim if the workspace has been connected in the meantime', async () => {
      const token = await freshClaim(acme);
      await stage.connect(acme, sign(claimsOf({ org: 'org-8' })));
      await assert.rejects(stage.foyer().claim(token, { org: 'org-9' }), { code: 'already_connected' });
      assert.deepEqual(await stage.stored(), ['Acme → org-8']);
    });

    it('Foyer leaves no claim token in the log or the database', async () => {
      const { queries } = stage.foyer().database;
      const tables = foyerTableNames.map((name) =>
        queries
          .selectFrom(name as 'history')
          .selectAll()
          .execute(),
      );
      const left = JSON.stringify([await Promise.all(tables), stage.logged()]);
      assert.match(left, new RegExp(acme.teamId), 'it looks where things are stored');
      assert.ok(claims.length > 3);
      for (const claim of claims) assert.ok(!left.includes(claim));
    });
  });
}

describe('a claim', () => {
  it('a claim token in Home is replaced at each half hour of the clock, and expires after an hour', async (t) => {
    let nowMs = Date.now();
    const stage = await setConnectStage({ now: () => nowMs });
    t.after(() => stage.close());
    const acme = stage.person('Acme');
    const done = await install(acme.visitor, stage.url, stage.sandbox, acme);
    await finishedRun(acme.visitor, stage.url + done.headers.get('location'));
    const shown = async (): Promise<string> => {
      await stage.foyer().publishHome({ teamId: acme.teamId }, acme.userId);
      return claimIn(stage.sandbox.homeView(acme)) ?? assert.fail('no claim in Home');
    };
    const halfAnHour = 30 * 60_000;
    nowMs = Math.ceil(nowMs / halfAnHour) * halfAnHour;
    const first = await shown();
    nowMs += halfAnHour - 1;
    assert.equal(await shown(), first);
    nowMs += 1;
    const second = await shown();
    assert.notEqual(second, first);
    assert.equal((await stage.foyer().readClaim(first)).teamName, 'Acme');
    nowMs += halfAnHour;
    await assert.rejects(stage.foyer().claim(first, { org: 'org-1' }), { code: 'claim_expired' });
    assert.equal((await stage.foyer().claim(second, { org: 'org-1' })).org, 'org-1');
  });
});
