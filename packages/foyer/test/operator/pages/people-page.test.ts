import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { eventually } from '../../../src/testing/visitor.ts';
import { storeInstallation } from '../operator-harness.ts';
import { type OperatorStage, setOperatorStage } from './operator-stage.ts';

describe('the people of an installation', () => {
  let stage: OperatorStage;
  let id: string;
  before(async () => {
    stage = await setOperatorStage();
    await stage.logIn();
    id = await stage.installs('Acme');
    const { sandbox, database } = stage;
    const { id: teamId } = sandbox.workspace('Acme');
    const guest = sandbox.addMember({ teamId, realName: 'Gus <b>Guest</b>', role: 'guest' });
    await sandbox.openHome({ teamId, userId: guest.id });
    await eventually(async () =>
      (await (await stage.get(`/operator/installations/${id}`)).text()).includes('Gus'),
    );
    const member = (n: number) => ({
      client_id: sandbox.app.clientId,
      team_id: teamId,
      user_id: `UMANY${n}`,
    });
    const times = { first_seen_at: 1, updated_at: 1 };
    await database.write(async (tx) => {
      for (let n = 100; n < 170; n += 1) {
        await tx
          .insertInto('users')
          .values({ ...member(n), real_name: `Many ${n}`, ...times })
          .execute();
        await tx
          .insertInto('memberships')
          .values({ ...member(n), is_admin: 0, is_owner: 0, ...times })
          .execute();
      }
    });
  });
  after(() => stage.close());

  const read = async (path: string) => {
    const response = await stage.get(path);
    assert.equal(response.status, 200);
    return response.text();
  };

  it('the page of an installation shows the newest twenty people with their roles, and links to all', async () => {
    const page = await read(`/operator/installations/${id}`);
    assert.match(page, /People \(72\)/);
    assert.match(page, /Gus &lt;b&gt;Guest&lt;\/b&gt;/);
    assert.match(page, /<div>guest<\/div>/);
    assert.match(page, /<div>owner<\/div>/);
    assert.equal(page.split('UMANY').length - 1, 18);
    assert.ok(page.includes(`href="/operator/installations/${id}/people"`));
  });

  it('the list of people has pages, and finds people by name', async () => {
    const path = `/operator/installations/${id}/people`;
    const first = await read(path);
    assert.equal(first.split('<code>UMANY').length - 1, 48);
    const next = /href="([^"]*older=[^"]*)"/.exec(first)?.[1];
    assert.ok(next);
    const second = await read(next.replaceAll('&amp;', '&'));
    assert.equal(second.split('<code>UMANY').length - 1, 22);
    const found = await read(`${path}?q=many+169`);
    assert.equal(found.split('<code>UMANY').length - 1, 1);
    assert.match(await read(`${path}?q=%3Cscript%3E`), /No one matches/);
    assert.match(await read(`${path}?older=1.x`), /<h1>People of Acme<\/h1>/);
  });

  it('the list of people is shown only to an operator, and not for an installation of another app', async () => {
    const path = `/operator/installations/${id}/people`;
    assert.equal((await fetch(stage.url + path, { redirect: 'manual' })).status, 303);
    await storeInstallation(stage.database, { id: 'ins_other', client_id: 'other.app', team_id: 'TOTHER' });
    assert.equal((await stage.get('/operator/installations/ins_other/people')).status, 404);
  });
});
