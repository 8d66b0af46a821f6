import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type RequestListener } from 'node:http';
import { stripTypeScriptTypes } from 'node:module';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { createFoyer, defineFoyer, type Foyer, readConfig } from 'slack-foyer';
import { createVisitor } from 'slack-foyer/testing';
import { createSandbox } from 'slack-sandbox';

const root = resolve(import.meta.dirname, '..');
const [, recipe = ''] = /^```ts\n(.*?)^```$/ms.exec(readFileSync(join(root, 'docs/signin.md'), 'utf8')) ?? [];

/** Loads the recipe of docs/signin.md. Removes its types, and changes nothing else. */
async function loadRecipe(folder: string): Promise<(foyer: Foyer) => RequestListener> {
  // The folder is below node_modules, so that imports of packages resolve. Node does not strip types there, so the test
  // does.
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
  const file = join(folder, 'recipe.js');
  writeFileSync(file, stripTypeScriptTypes(recipe));
  return (await import(pathToFileURL(file).href)).createSite;
}

test('the recipe of docs/signin.md signs someone in, reads who they are, protects a route and signs them out', async (t) => {
  const folder = mkdtempSync(join(root, 'node_modules/.recipe-'));
  const data = mkdtempSync(join(tmpdir(), 'foyer-recipe-'));
  const server = createServer();
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const address = server.address();
  const url = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`;
  const manifest = JSON.parse(readFileSync(join(root, 'manifest.json'), 'utf8'));
  const sandbox = await createSandbox({
    manifest,
    eventUrl: `${url}/slack/events`,
    redirectUrls: [`${url}/slack/oauth_redirect`, `${url}/slack/signin/callback`],
  });
  const config = readConfig({
    SLACK_CLIENT_ID: sandbox.app.clientId,
    SLACK_CLIENT_SECRET: sandbox.app.clientSecret,
    SLACK_SIGNING_SECRET: sandbox.app.signingSecret,
    SLACK_AUTHORIZATION_URL: sandbox.authorizationUrl,
    SLACK_API_URL: sandbox.apiUrl,
    SLACK_OPENID_URL: sandbox.url,
    PUBLIC_URL: url,
    DATABASE_URL: `file:${join(data, 'foyer.db')}`,
    SIGN_IN: 'on',
    LOG_LEVEL: 'silent',
  });
  const foyer = await createFoyer(defineFoyer({ manifest, config }));
  t.after(async () => {
    server.closeAllConnections();
    server.close();
    await foyer.stop();
    await sandbox.close();
    for (const each of [folder, data]) rmSync(each, { recursive: true, force: true });
  });
  server.on('request', (await loadRecipe(folder))(foyer));

  const visitor = createVisitor();
  const { id: teamId } = sandbox.workspace('Acme');
  const install = await visitor.get(`${url}/slack/install`);
  const installUrl = install.headers.get('location') ?? '';
  const { id: ownerId } = sandbox.person(teamId, 'owner');
  await visitor.get(await sandbox.consent({ authorizeUrl: installUrl, userId: ownerId, teamId }));

  assert.match(await (await visitor.get(`${url}/me`)).text(), /Sign in with Slack/);
  const protectedPage = await visitor.get(`${url}/team`);
  assert.equal(protectedPage.headers.get('location'), '/slack/signin?return_to=%2Fteam');
  const start = await visitor.get(`${url}/slack/signin?return_to=%2Fteam`);
  const { id: userId } = sandbox.person(teamId, 'member');
  const authorizeUrl = start.headers.get('location') ?? '';
  const callback = await visitor.get(await sandbox.signIn({ authorizeUrl, userId }));
  assert.equal(callback.headers.get('location'), `${url}/team`);
  assert.deepEqual(await (await visitor.get(`${url}/team`)).json(), ['Priya Nair']);
  const page = await (await visitor.get(`${url}/me`)).text();
  assert.match(page, /Priya Nair, priya\.nair@acme-robotics\.example/);
  assert.match(page, /<img src="http/);
  const hour = new Date().toLocaleTimeString('en', { timeZone: 'Asia/Kolkata' }).slice(0, 2);
  assert.ok(page.includes(`It is ${hour}`));
  const out = await visitor.post(`${url}/slack/signout?return_to=/me`);
  assert.equal(out.headers.get('location'), `${url}/me`);
  assert.match(await (await visitor.get(`${url}/me`)).text(), /Sign in with Slack/);
});
