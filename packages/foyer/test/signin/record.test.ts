import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { defineFoyer } from '../../src/index.ts';
import { startTestFoyer, type TestFoyer } from '../../src/testing/start-test-foyer.ts';
import { createVisitor, eventually, type Visitor } from '../../src/testing/visitor.ts';
import { filesWith } from '../support/files-with.ts';

const manifest = JSON.parse(readFileSync(new URL('../support/manifest.json', import.meta.url), 'utf8'));
manifest.oauth_config.scopes.user_optional = ['search:read'];

describe('the install record on the web', () => {
  const folder = mkdtempSync(join(tmpdir(), 'foyer-record-'));
  const databaseFile = join(folder, 'foyer.db');
  let app: TestFoyer;
  let teamId: string;

  before(async () => {
    const definition = defineFoyer({ manifest, basePath: '/in', memberScopes: ['search:read'] });
    const environment = { SIGN_IN: 'on', DATABASE_URL: `file:${databaseFile}` };
    app = await startTestFoyer(definition, { environment });
    teamId = app.sandbox.workspace('Acme').id;
    const installer = app.sandbox.person('Acme', 'owner').id;
    // The welcome fails, so that there is a step to retry.
    app.sandbox.faults.add({
      method: 'chat.postMessage',
      times: 9,
      failure: { type: 'error', error: 'restricted_action' },
    });
    await app.install({ userId: installer, teamId });
    app.sandbox.faults.clear();
  });
  after(async () => {
    await app.close();
    rmSync(folder, { recursive: true, force: true });
  });

  async function signIn(who: string, workspace = 'Acme'): Promise<{ visitor: Visitor; userId: string }> {
    const visitor = createVisitor();
    const start = await visitor.get(`${app.url}/slack/signin`);
    const authorizeUrl = start.headers.get('location') ?? '';
    const { id: userId } = app.sandbox.person(workspace, who);
    const place = app.sandbox.workspace(workspace).id;
    const answer = await visitor.get(await app.sandbox.signIn({ authorizeUrl, userId, teamId: place }));
    assert.equal(answer.headers.get('location'), `${app.url}/`);
    return { visitor, userId };
  }

  const open = async (visitor: Visitor): Promise<string> => (await visitor.get(`${app.url}/`)).text();

  /** The fields of the form whose hidden `action` field has this value; undefined if there is no such form. */
  function formOf(page: string, action: string): Record<string, string> | undefined {
    const form = page.match(/<form[\s\S]*?<\/form>/g)?.find((each) => each.includes(`value="${action}"`));
    const inputs = form?.matchAll(/name="(\w+)" value="([^"]*)"/g);
    return inputs && Object.fromEntries([...inputs].map(([, name, value]) => [name, value]));
  }

  it('a visitor who is not signed in sees the landing page, with a link to sign in', async () => {
    const page = await open(createVisitor());
    assert.match(page, /Add to Slack/);
    assert.match(page, /href="\/in\/slack\/signin"/);
  });

  it('the install record on the web shows the same setup and installer as App Home, but without Slack’s markup', async () => {
    const { visitor, userId } = await signIn('owner');
    const page = await open(visitor);
    const home = JSON.stringify(app.sandbox.homeView({ teamId, userId })?.blocks);
    for (const words of ['Setup', 'What', 'Times are in your own time zone', 'Installed by']) {
      assert.ok(home.includes(words) && page.includes(words), words);
    }
    assert.match(page, /Signed in as Grace Okafor/);
    const german = await visitor.get(`${app.url}/`, { 'accept-language': 'de' });
    assert.match(await german.text(), /<html lang="en"/, 'the person’s own language, as in Home');
    assert.match(page, /<bdi translate="no">Grace Okafor<\/bdi>/);
    assert.match(page, /<time datetime="\d{4}-/);
    assert.doesNotMatch(page, /&lt;[@!]|<@|\{date/, 'no mark of Slack’s is left');
  });

  it('the installer can retry a failed run on the web, as in App Home', async () => {
    const { visitor, userId } = await signIn('owner');
    const form = formOf(await open(visitor), 'foyer.retry_run');
    assert.ok(form);
    const answer = await visitor.post(`${app.url}/`, form);
    assert.deepEqual([answer.status, answer.headers.get('location')], [303, '/in/']);
    await eventually(async () => (await app.foyer.find({ teamId }))?.run?.status === 'succeeded');
    await eventually(async () =>
      JSON.stringify(app.sandbox.homeView({ teamId, userId })).includes('Everything is in place'),
    );
    assert.match(await open(visitor), /Everything is in place/);
  });

  it('a member cannot send the welcome again on the web: there is no button, and a forged form changes nothing', async () => {
    const { visitor } = await signIn('member');
    const page = await open(visitor);
    assert.equal(formOf(page, 'foyer.send_welcome'), undefined);
    const csrf = /name="csrf" value="([^"]+)"/.exec(page)?.[1] ?? '';
    const sent = app.sandbox.calls('chat.postMessage').length;
    const before = await app.foyer.find({ teamId });
    await visitor.post(`${app.url}/`, { csrf, action: 'foyer.send_welcome', value: before?.run?.id ?? '' });
    assert.deepEqual(await app.foyer.find({ teamId }), before);
    assert.equal(app.sandbox.calls('chat.postMessage').length, sent);
  });

  it('on the install record’s web page, Foyer refuses a form with a wrong CSRF token, without a session, or from another site', async () => {
    const { visitor } = await signIn('owner');
    const form = formOf(await open(visitor), 'foyer.send_welcome') ?? {};
    const refused = async (who: Visitor, fields: Record<string, string>): Promise<number> =>
      (await who.post(`${app.url}/`, fields)).status;
    const before = await app.foyer.find({ teamId });
    assert.equal(await refused(visitor, { ...form, csrf: 'other' }), 400);
    assert.equal(await refused(createVisitor(), form), 400);
    const elsewhere = await fetch(`${app.url}/`, {
      method: 'POST',
      headers: {
        origin: 'https://evil.example',
        cookie: [...visitor.cookies].map(([name, value]) => `${name}=${value}`).join('; '),
      },
      body: new URLSearchParams(form),
    });
    assert.equal(elsewhere.status, 400);
    assert.deepEqual(await app.foyer.find({ teamId }), before);
  });

  it('a member can disconnect their own account on the web', async () => {
    const { visitor, userId } = await signIn('member');
    const start = await visitor.get(`${app.url}/slack/install?team=${teamId}&member=1`);
    const authorizeUrl = start.headers.get('location') ?? '';
    await visitor.get(await app.sandbox.consent({ authorizeUrl, userId, teamId }));
    const form = formOf(await open(visitor), 'foyer.disconnect_account');
    assert.ok(form);
    await visitor.post(`${app.url}/`, form);
    await assert.rejects(app.foyer.slack({ teamId }, { userId }));
    assert.match(await open(visitor), /Connect your account/);
  });

  it('a person can download what is stored about them, without any secret, and can then erase it', async () => {
    const { visitor, userId } = await signIn('member');
    const { realName } = app.sandbox.person('Acme', 'member');
    const start = await visitor.get(`${app.url}/slack/install?team=${teamId}&member=1`);
    const authorizeUrl = start.headers.get('location') ?? '';
    await visitor.get(await app.sandbox.consent({ authorizeUrl, userId, teamId }));
    const page = await open(visitor);
    const csrf = /name="csrf" value="([^"]+)"/.exec(page)?.[1] ?? '';

    const file = await visitor.post(`${app.url}/`, { csrf, action: 'export' });
    assert.match(file.headers.get('content-disposition') ?? '', /attachment/);
    const text = await file.text();
    assert.equal(JSON.parse(text).profile[0].user_id, userId);
    assert.doesNotMatch(text, /xox|sealed|"detail"|error_message/);
    const { id: installer } = app.sandbox.person('Acme', 'owner');
    assert.ok(!text.includes('grace.okafor'), 'nothing about anyone else');

    const slack = await app.foyer.slack({ teamId }, { userId });
    app.sandbox.faults.add({ method: 'auth.revoke', failure: { type: 'status', status: 503 } });
    const kept = await visitor.post(`${app.url}/`, { csrf, action: 'erase' });
    assert.equal(kept.status, 502);
    assert.match(await kept.text(), /we erased nothing/);
    assert.ok(await app.foyer.members.find({ teamId }, userId));
    assert.notDeepEqual(filesWith(databaseFile, realName), []);
    const erased = await visitor.post(`${app.url}/`, { csrf, action: 'erase' });
    assert.match(await erased.text(), /Your data is erased/);
    assert.deepEqual(filesWith(databaseFile, realName), [], 'out of the files too, with the answer');
    await assert.rejects(slack.auth.test(), 'revoked at Slack');
    assert.equal(await app.foyer.members.find({ teamId }, userId), undefined);
    assert.ok(await app.foyer.members.find({ teamId }, installer));
    assert.match(await open(visitor), /Add to Slack/, 'signed out');
  });

  it('after a sign-out, the URL of the install record shows the landing page', async () => {
    const { visitor } = await signIn('member');
    assert.match(await open(visitor), /Signed in as/);
    assert.equal((await visitor.post(`${app.url}/slack/signout`)).status, 200);
    assert.match(await open(visitor), /Add to Slack/);
  });
});
