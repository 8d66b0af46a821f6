import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { type InstallRecord, readInstallRecord } from '../../src/database/install-record.ts';
import { mayAct } from '../../src/home/viewer.ts';
import { openHome } from './open-home.ts';

let home: Awaited<ReturnType<typeof openHome>>;
beforeEach(async () => {
  home = await openHome();
});
afterEach(() => home.close());

const hourMs = 60 * 60 * 1000;

async function recordOf(installationId = 'ins_1'): Promise<InstallRecord> {
  const record = await readInstallRecord(home.database.queries, installationId);
  assert.ok(record);
  return record;
}

/** Sets Slack's answer to `users.info` from now on. */
function slackSays(user: Record<string, unknown>): void {
  home.slack.answer = async () => ({ body: { ok: true, user } });
}

describe('the viewer of App Home', () => {
  it('the viewer of App Home is recognized as the installer without a Slack call', async () => {
    const record = await recordOf();
    assert.equal(mayAct(record, await home.findViewer(record, 'U1')), true);
    assert.equal(home.slack.calls.length, 0);
  });

  it('the viewer of App Home counts as an admin, without a Slack call, if the stored data says so', async () => {
    await home.person('T1', 'U5', true, home.clock.now);
    const viewer = await home.findViewer(await recordOf(), 'U5');
    assert.equal(viewer.isAdmin, true);
    assert.equal(viewer.profile?.email, 'U5@x.test');
    assert.equal(home.slack.calls.length, 0);
  });

  it('if nothing is stored about the viewer of App Home, Foyer looks them up in Slack, and again only after a day', async () => {
    const record = await recordOf();
    slackSays({ id: 'U5', team_id: 'T1', is_admin: true });
    assert.equal((await home.findViewer(record, 'U5')).isAdmin, true);
    assert.equal((await home.findViewer(record, 'U5')).isAdmin, true);
    assert.equal(home.slack.of('users.info').length, 1);
    home.clock.now += 25 * hourMs;
    slackSays({ id: 'U5', team_id: 'T1', is_admin: false });
    assert.equal((await home.findViewer(record, 'U5')).isAdmin, false);
  });

  it('the viewer of App Home gets their Slack profile and language even on their first visit', async () => {
    slackSays({
      id: 'U5',
      team_id: 'T1',
      locale: 'de-DE',
      profile: { real_name: 'Gerda', email: 'g@t1.test' },
    });
    const { profile } = await home.findViewer(await recordOf(), 'U5');
    assert.deepEqual([profile?.realName, profile?.email, profile?.locale], ['Gerda', 'g@t1.test', 'de-DE']);
    slackSays({ id: 'U6', team_id: 'T9', locale: 'fr-FR', profile: { real_name: 'Guy' } });
    const guest = await home.findViewer(await recordOf(), 'U6', { from: 'T9' });
    assert.deepEqual([guest.profile?.realName, guest.profile?.locale], ['Guy', 'fr-FR']);
  });

  it('the viewer of App Home counts as an admin only if Slack says that they are an active admin of this team', async () => {
    const record = await recordOf();
    for (const user of [
      { id: 'U5', team_id: 'T1' },
      { id: 'U6', team_id: 'T9', is_admin: true },
      { id: 'U7', team_id: 'T1', is_admin: true, deleted: true },
    ]) {
      slackSays(user);
      assert.equal((await home.findViewer(record, user.id)).isAdmin, false, user.id);
    }
    home.slack.answer = async () => ({ status: 503 });
    assert.equal((await home.findViewer(record, 'U8')).isAdmin, false);
  });

  it('Foyer does not look up the viewer of App Home in Slack if the app lacks the scope `users:read`', async () => {
    await home.change('ins_1', { bot_scopes: JSON.stringify(['chat:write']) });
    assert.equal((await home.findViewer(await recordOf(), 'U5')).isAdmin, false);
    assert.equal(home.slack.calls.length, 0);
  });

  it('the viewer of App Home counts as an admin of an org-wide install only if they are an admin of the organization', async () => {
    await home.change('ins_1', { is_enterprise_install: 1, team_id: null, enterprise_id: 'E1' });
    const record = await recordOf();
    slackSays({ id: 'U5', team_id: 'T1', is_admin: true, enterprise_user: { enterprise_id: 'E1' } });
    assert.equal((await home.findViewer(record, 'U5')).isAdmin, false);
    slackSays({ id: 'U6', team_id: 'T1', enterprise_user: { enterprise_id: 'E1', is_admin: true } });
    assert.equal((await home.findViewer(record, 'U6')).isAdmin, true);
  });

  it('before Foyer acknowledges a button press, it does not ask Slack about the viewer, and relies only on stored data less than two days old', async () => {
    await home.person('T1', 'U5', true, home.clock.now);
    const record = await recordOf();
    home.clock.now += 47 * hourMs;
    assert.equal((await home.findViewer(record, 'U5', { ask: false })).isAdmin, true);
    home.clock.now += 2 * hourMs;
    assert.equal((await home.findViewer(record, 'U5', { ask: false })).isAdmin, false);
    assert.equal((await home.findViewer(record, 'U6', { ask: false })).isAdmin, false);
    assert.equal(home.slack.calls.length, 0);
  });

  it('Foyer looks up the viewer of App Home if the stored profile may belong to another team, even if they are the installer', async () => {
    await home.person('T1', 'U1', true, 0);
    await home.person('T2', 'U1', true, home.clock.now);
    slackSays({
      id: 'U1',
      team_id: 'T1',
      is_admin: true,
      profile: { real_name: 'Of T1', email: 'one@t1.test' },
    });
    const viewer = await home.findViewer(await recordOf(), 'U1');
    assert.deepEqual([viewer.profile?.realName, viewer.profile?.email], ['Of T1', 'one@t1.test']);
    assert.equal(home.slack.of('users.info').length, 1);
    const people = await home.database.queries.selectFrom('users').select(['team_id', 'email']).execute();
    assert.ok(people.some(({ team_id, email }) => team_id === 'T2' && email === 'U1@x.test'));
  });

  it('the viewer of App Home does not count as an admin of this team if they are an admin only in another team', async () => {
    await home.person('T2', 'U5', true, home.clock.now);
    slackSays({ id: 'U5', team_id: 'T2', is_admin: true });
    const viewer = await home.findViewer(await recordOf(), 'U5');
    assert.deepEqual([viewer.isAdmin, viewer.profile?.email ?? null], [false, null]);
  });

  it('Foyer does not store the viewer of App Home if the app is uninstalled while Foyer looks them up in Slack', async () => {
    const record = await recordOf();
    const people = () => home.database.queries.selectFrom('memberships').selectAll().execute();
    const before = await people();
    home.slack.answer = async () => {
      await home.change('ins_1', { status: 'uninstalled' });
      return { body: { ok: true, user: { id: 'U5', team_id: 'T1', is_admin: true } } };
    };
    await home.findViewer(record, 'U5');
    assert.deepEqual(await people(), before);
  });

  it('the viewer of App Home does not count as an admin if they are a bot, or an admin only of another organization', async () => {
    slackSays({ id: 'U5', team_id: 'T1', is_admin: true, is_bot: true });
    assert.equal((await home.findViewer(await recordOf(), 'U5')).isAdmin, false);
    await home.change('ins_1', { is_enterprise_install: 1, team_id: null, enterprise_id: 'E1' });
    slackSays({ id: 'U6', team_id: 'T1', enterprise_user: { enterprise_id: 'E2', is_admin: true } });
    assert.equal((await home.findViewer(await recordOf(), 'U6')).isAdmin, false);
  });
});
