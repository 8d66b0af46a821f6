import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually, startTestFoyer } from 'slack-foyer/testing';
import { definition } from '../src/foyer.ts';

/**
 * The app's own tests. `startTestFoyer` starts the app as it is, with a Slack on this machine (`sandbox`), a browser
 * without a screen (`visitor`), a clock that can jump, and a real database. Nothing is mocked; close it with
 * `await using`. Write yours here: what the module does is tested in packages/foyer/test.
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

test('the app answers hello, and Home counts only the greetings of this workspace', async () => {
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
