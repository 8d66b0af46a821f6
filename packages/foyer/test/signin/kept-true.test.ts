import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { it } from 'node:test';
import { defineFoyer } from '../../src/index.ts';
import { startTestFoyer, type TestFoyer } from '../../src/testing/start-test-foyer.ts';
import { createVisitor, eventually, type Visitor } from '../../src/testing/visitor.ts';
import { startHostileIssuer } from './hostile-issuer.ts';
import { cookieHeader } from './sign-in-stage.ts';

const manifest = JSON.parse(readFileSync(new URL('../support/manifest.json', import.meta.url), 'utf8'));
const hourMs = 3_600_000;

const start = (environment: Record<string, string> = {}, clientId?: string): Promise<TestFoyer> =>
  startTestFoyer(defineFoyer({ manifest }), {
    environment: { SIGN_IN: 'on', ...environment },
    ...(clientId && { sandbox: { credentials: { clientId } } }),
  });

const memberOf = (app: TestFoyer, visitor: Visitor) =>
  app.foyer.member({ headers: new Headers({ cookie: cookieHeader(visitor) }) });

async function signIn(app: TestFoyer, who: string, workspace = 'Acme'): Promise<Visitor> {
  const visitor = createVisitor();
  const authorizeUrl = (await visitor.get(`${app.url}/slack/signin`)).headers.get('location') ?? '';
  const { id: userId } = app.sandbox.person(workspace, who);
  const { id: teamId } = app.sandbox.workspace(workspace);
  await visitor.get(await app.sandbox.signIn({ authorizeUrl, userId, teamId }));
  return visitor;
}

it('Foyer notices a changed role of a signed-in member within 25 hours, even if Slack sends no event', async () => {
  await using app = await start();
  await app.install();
  const visitor = await signIn(app, 'admin');
  assert.equal((await memberOf(app, visitor))?.role, 'admin');
  app.sandbox.person('Acme', 'admin').roles[app.sandbox.workspace('Acme').id] = 'member';
  for (let hours = 0; hours < 25; hours += 5) {
    app.clock.advance(5 * hourMs);
    await memberOf(app, visitor);
  }
  assert.equal((await memberOf(app, visitor))?.role, 'member');
});

it('an admin sees the admin’s buttons right after a sign-in, even if users.info failed during the sign-in', async () => {
  await using app = await start();
  app.sandbox.faults.add({
    method: 'chat.postMessage',
    times: 9,
    failure: { type: 'error', error: 'restricted_action' },
  });
  await app.install();
  app.sandbox.faults.clear();
  app.sandbox.faults.add({ method: 'users.info', failure: { type: 'error', error: 'fatal_error' } });
  const visitor = await signIn(app, 'admin');
  assert.match(await (await visitor.get(`${app.url}/`)).text(), /foyer\.retry_run/);
  assert.equal((await memberOf(app, visitor))?.role, 'admin');
});

it('Foyer keeps the email that a person shared at a sign-in if they reinstall the app without users:read.email', async () => {
  await using app = await start();
  const { id: teamId } = app.sandbox.workspace('Acme');
  const { id: userId } = app.sandbox.person('Acme', 'owner');
  const choice = { userId, teamId, declinedScopes: ['users:read.email'] };
  await app.install(choice);
  const visitor = await signIn(app, 'owner');
  const shared = (await memberOf(app, visitor))?.email;
  assert.match(shared ?? '', /@/);
  await app.install(choice);
  assert.equal((await memberOf(app, visitor))?.email, shared);
});

it('if a workspace loses access to the org-wide app, its sessions end, and the sessions of other workspaces continue', async () => {
  await using app = await start();
  const { sandbox } = app;
  const [product, sales] = [sandbox.workspace('Initech Product'), sandbox.workspace('Initech Sales')];
  const enterpriseId = product.enterpriseId ?? '';
  const bill = sandbox.person('Initech Product', 'owner');
  const authorizeUrl = (await app.visitor.get(`${app.url}/slack/install`)).headers.get('location') ?? '';
  await app.visitor.get(await sandbox.consent({ authorizeUrl, userId: bill.id, enterpriseId }));
  await sandbox.grantAccess({ enterpriseId, teamIds: [product.id, sales.id] });
  const [here, there] = [
    await signIn(app, 'member', 'Initech Product'),
    await signIn(app, 'admin', 'Initech Sales'),
  ];
  assert.ok((await memberOf(app, here)) && (await memberOf(app, there)));
  await sandbox.revokeAccess({ enterpriseId, teamIds: [product.id] });
  await eventually(async () => (await memberOf(app, here)) === undefined);
  assert.ok(await memberOf(app, there));
});

it('Foyer ignores the email in an ID token unless the token says that the email is verified', async (t) => {
  const issuer = await startHostileIssuer({ clientId: '1234.5678', now: Date.now });
  t.after(() => issuer.close());
  await using app = await start({ SLACK_OPENID_URL: issuer.url }, '1234.5678');
  await app.install();
  for (const verified of [undefined, false]) {
    app.sandbox.faults.add({ method: 'users.info', failure: { type: 'error', error: 'fatal_error' } });
    const visitor = createVisitor();
    const begun = await visitor.get(`${app.url}/slack/signin`);
    issuer.person = {
      userId: app.sandbox.person('Acme', 'member').id,
      teamId: app.sandbox.workspace('Acme').id,
    };
    issuer.lies = { claims: { email: 'ceo@victim.example', email_verified: verified } };
    await visitor.get(issuer.authorize(begun.headers.get('location') ?? ''));
    assert.equal((await memberOf(app, visitor))?.email ?? null, null, String(verified));
  }
});
