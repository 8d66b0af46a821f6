import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { defineFoyer } from 'slack-foyer';
import { eventually, startTestFoyer } from 'slack-foyer/testing';
import { definition } from '../src/foyer.ts';
import { chooseChannel } from '../src/steps/choose-channel.ts';

/**
 * The app's own tests. `startTestFoyer` starts the unchanged app, with a Slack on this machine (`sandbox`), an HTTP
 * client that keeps cookies (`visitor`), a clock that a test can move, and a real database. Nothing is mocked, and
 * `await using` closes everything. Add your tests here; the module has its own in packages/foyer/test.
 */

test('an install succeeds, welcomes the installer and publishes App Home', async () => {
  await using app = await startTestFoyer(definition);
  const { sandbox } = app;
  const whom = { teamId: sandbox.workspace('Acme').id, userId: sandbox.person('Acme').id };
  const run = await app.install(whom);
  assert.equal(run.status, 'succeeded');
  assert.equal(sandbox.messages(whom).length, 1);
  assert.notEqual(sandbox.homeView(whom), null);
});

test('the app answers “hello”, and App Home counts only the greetings of its own workspace', async () => {
  await using app = await startTestFoyer(definition);
  const { sandbox } = app;
  const whom = { teamId: sandbox.workspace('Acme').id, userId: sandbox.person('Acme').id };
  await app.install(whom);
  await sandbox.sendMessage({ ...whom, text: 'hello' });
  await eventually(async () => sandbox.messages(whom).some(({ text }) => text === 'Hello to you too!'));
  const other = { teamId: sandbox.workspace('Globex').id, userId: sandbox.person('Globex').id };
  await app.install(other);
  for (const [who, text] of [
    [whom, 'Greetings so far:* 1'],
    [other, 'Greetings so far:* 0'],
  ] as const) {
    await sandbox.openHome(who);
    await sandbox.settled();
    await eventually(async () => JSON.stringify(sandbox.homeView(who)).includes(text));
  }
});

test('the app answers any member who says “hello”, as the description in the manifest promises', async () => {
  await using app = await startTestFoyer(definition);
  const { sandbox } = app;
  const teamId = sandbox.workspace('Acme').id;
  const [owner, member] = sandbox.state().workspaces.find(({ id }) => id === teamId)?.people ?? [];
  assert.ok(owner && member);
  await app.install({ teamId, userId: owner.id });
  const whom = { teamId, userId: member.id };
  await sandbox.sendMessage({ ...whom, text: 'hello' });
  await eventually(async () => sandbox.messages(whom).some(({ text }) => text === 'Hello to you too!'));
  const manifest = JSON.parse(await readFile(new URL('../manifest.json', import.meta.url), 'utf8'));
  assert.match(manifest.display_information.long_description, /it answers anyone who says hello/);
});

test('the page after an install suggests saying hello only if the app may read direct messages and has a listener', async () => {
  const nextSteps = async (whole: typeof definition, declinedScopes: string[] = []): Promise<string> => {
    await using app = await startTestFoyer(whole);
    const { sandbox, visitor, url } = app;
    const whom = { teamId: sandbox.workspace('Acme').id, userId: sandbox.person('Acme').id, declinedScopes };
    const start = await visitor.get(`${url}/slack/install`);
    const authorizeUrl = start.headers.get('location') ?? '';
    const callback = await visitor.get(await sandbox.consent({ authorizeUrl, ...whom }));
    const page = await visitor.get(new URL(callback.headers.get('location') ?? '', url).href);
    const [, list] = /What to do next<\/h2>([\s\S]*?)<\/section>/.exec(await page.text()) ?? [];
    return list ?? '';
  };
  assert.match(await nextSteps(definition), /Say hello[\s\S]*Open its Home tab/);
  const declined = await nextSteps(definition, ['im:history']);
  assert.match(declined, /Open its Home tab/);
  assert.doesNotMatch(declined, /hello/);
  assert.doesNotMatch(await nextSteps({ ...definition, listeners: undefined }), /hello/);
});

test('chooseChannel asks the installer for a channel, and posts there once', async () => {
  const manifest = JSON.parse(await readFile(new URL('../manifest.json', import.meta.url), 'utf8'));
  manifest.oauth_config.scopes.bot.push('chat:write.public');
  const install = [...(definition.install ?? []), chooseChannel];
  await using app = await startTestFoyer(defineFoyer({ ...definition, manifest, install }));
  const { sandbox, visitor, foyer, url } = app;
  const whom = { teamId: sandbox.workspace('Acme').id, userId: sandbox.person('Acme').id };
  const readChannel = () => sandbox.state().workspaces.find(({ id }) => id === whom.teamId)?.channels[0];
  const channel = readChannel();
  assert.ok(channel);
  const start = await visitor.get(`${url}/slack/install`);
  await visitor.get(await sandbox.consent({ authorizeUrl: start.headers.get('location') ?? '', ...whom }));

  const question = () =>
    sandbox.messages(whom).find(({ blocks }) => JSON.stringify(blocks).includes('Which channel'));
  await eventually(async () => (await foyer.find(whom))?.run?.status === 'waiting');
  assert.ok(question());
  await app.restart();
  const blockId = String(question()?.blocks?.find(({ type }) => type === 'input')?.block_id);
  const picked = { type: 'channels_select', selected_channel: channel.id };
  const entered = { [blockId]: { 'foyer.answer.input': picked } };
  await sandbox.press({ ...whom, actionId: 'foyer.answer', where: 'message', entered });
  await eventually(async () => (await app.foyer.find(whom))?.run?.status === 'succeeded');
  await app.restart();
  const posted = readChannel()?.messages ?? [];
  assert.equal(posted.filter(({ text }) => text === 'I will post notifications here.').length, 1);
});
