import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import { launchBrowser } from '../../../foyer/test/support/launch-browser.ts';
import { codeFrom, exchange, install } from '../test-support/install.ts';
import { startStockApp } from '../test-support/start-stock-app.ts';
import { withSandbox } from '../test-support/with-sandbox.ts';

let browser: Browser;
before(async () => {
  browser = await launchBrowser();
});
after(() => browser.close());

/** Opens a page. If the page has an error or calls another host, the test fails. */
async function openPage(t: { after(run: () => Promise<void>): void }, width = 1280): Promise<Page> {
  const context = await browser.newContext({ viewport: { width, height: 800 } });
  const page = await context.newPage();
  page.setDefaultTimeout(5000);
  const faults: string[] = [];
  page.on('pageerror', (error) => faults.push(error.message));
  page.on('request', (request) => {
    const { hostname, protocol } = new URL(request.url());
    const isKnown =
      hostname === '127.0.0.1' || hostname === 'platform.slack-edge.com' || protocol === 'slack:';
    if (!isKnown) faults.push(request.url());
  });
  // Only the picture on Bolt's own install page comes from another host.
  await context.route('https://platform.slack-edge.com/**', (route) => route.abort());
  t.after(async () => {
    await context.close();
    assert.deepEqual(faults, []);
  });
  return page;
}

async function overflowOf(page: Page): Promise<number> {
  return page.evaluate('document.documentElement.scrollWidth - document.documentElement.clientWidth');
}

test('a newcomer installs a plain Bolt app, opens its Home tab, presses a button, sends a message, and removes the app', async (t) => {
  const { sandbox } = await startStockApp(t);
  let page = await openPage(t);
  await page.goto(sandbox.url);
  await page.getByRole('link', { name: 'Add to Slack' }).click();
  await page.locator('a[href*="authorize"]').click();
  await page.getByRole('button', { name: 'Allow' }).click();
  await page.getByText('Thank you').waitFor();
  await page.close(); // Bolt's page opens slack://, and the browser would wait for someone to allow that
  page = await openPage(t);
  await page.goto(`${sandbox.url}/app_redirect?app=${sandbox.app.id}&team=${sandbox.workspace('Acme').id}`);
  await page.getByText('Pressed 0 times').waitFor();
  await page.getByRole('button', { name: 'Press me' }).click();
  await page.getByText('Pressed 1 times').waitFor();
  await page.getByLabel('1 unread').waitFor();

  await page.getByRole('link', { name: 'Messages' }).click();
  await page.getByText('That was press 1.').waitFor();
  await page.getByLabel('Message Porter').fill('hello');
  await page.getByLabel('Message Porter').press('Enter');
  await page.getByText('Hey there @Grace Okafor!').waitFor();

  await page.getByRole('link', { name: 'Manage apps' }).click();
  page.once('dialog', (dialog) => void dialog.accept());
  await page.getByRole('button', { name: 'Remove Porter' }).click();
  await page.getByText('Porter is not installed in Acme').waitFor();
  assert.equal(sandbox.state().installations[0]?.tokens[0]?.status, 'uninstalled');
});

test('on the consent page, a person can cancel, choose another workspace, and decline an optional scope', async (t) => {
  const { sandbox } = await withSandbox(t, { redirectUrls: ['http://127.0.0.1:9/slack/oauth_redirect'] });
  const page = await openPage(t);
  await page.route('http://127.0.0.1:9/**', (route) => route.fulfill({ body: 'back at the app' }));
  const address = `${sandbox.authorizationUrl}?client_id=${sandbox.app.clientId}&scope=chat:write,users:read,users:read.email&state=s`;
  await page.goto(address);
  await page.getByRole('button', { name: 'Cancel' }).click();
  await page.getByText('back at the app').waitFor();
  assert.equal(new URL(page.url()).searchParams.get('error'), 'access_denied');
  await page.goto(address);
  await page.getByText('choose another workspace').click();
  await page.getByRole('link', { name: 'Globex' }).click();
  await page.getByText('hanna.weiss@globex.example').waitFor();
  await page.getByRole('checkbox', { name: /email addresses/ }).uncheck();
  await page.getByRole('button', { name: 'Allow' }).click();
  await page.getByText('back at the app').waitFor();
  const code = new URL(page.url()).searchParams.get('code') ?? '';
  const { clientId: client_id, clientSecret: client_secret } = sandbox.app;
  const body = new URLSearchParams({ client_id, client_secret, code });
  const answer = (await (
    await fetch(`${sandbox.apiUrl}oauth.v2.access`, { method: 'POST', body })
  ).json()) as {
    team: { name: string };
    scope: string;
  };
  assert.deepEqual([answer.team.name, answer.scope], ['Globex', 'chat:write,users:read']);
});

test('in the web client, a visitor can switch to another person, grant access as an org admin, plan a failure and move the clock', async (t) => {
  const { sandbox, app } = await withSandbox(t);
  const page = await openPage(t);
  const enterpriseId = sandbox.state().enterprises[0]?.id ?? '';
  const { id: teamId } = sandbox.workspace('Initech Sales');
  await exchange(
    sandbox,
    await codeFrom(sandbox, { enterpriseId, userId: sandbox.person('Initech Sales').id }),
  );
  await page.goto(`${sandbox.url}/client/${teamId}`);
  await page.getByText('has no access to Initech Sales yet').waitFor();
  await page.getByLabel(/You are Bill Lumen/).click();
  await page.getByRole('link', { name: /Joanna Flair/ }).click();
  await page.getByRole('link', { name: 'Manage apps' }).first().click();
  await page.getByText('Only an org admin can remove').waitFor();
  assert.equal(await page.getByRole('button', { name: 'Give access' }).count(), 0);
  await page.goto(`${sandbox.url}/client/switch?team=${teamId}&user=${sandbox.person('Initech Sales').id}`);
  await page.goto(`${sandbox.url}/client/${teamId}/settings`);
  await page.locator('li', { hasText: 'Initech Sales' }).getByRole('button', { name: 'Give access' }).click();
  await page.locator('li', { hasText: 'The app has access' }).waitFor();
  assert.deepEqual(app.events('team_access_granted')[0]?.team_ids, [teamId]);

  await page.getByRole('link', { name: 'Faults and deliveries' }).click();
  await page.getByText('team_access_granted').first().waitFor();
  await page.getByLabel('calls of').first().selectOption('auth.test');
  await page.getByRole('button', { name: 'Add' }).click();
  await page.getByText('Upcoming').waitFor();
  assert.equal(sandbox.faults.list()[0]?.method, 'auth.test');
  await page.getByRole('button', { name: '12 hours' }).click();
  assert.ok(sandbox.clock.now() - Date.now() > 43_000_000);
});

test('Home in the web client shows menus and a confirmation dialog, gives the name of each element that it cannot show, and reports a failed button press', async (t) => {
  const { sandbox, app } = await withSandbox(t);
  const { client, teamId, userId } = await install(sandbox);
  const text = (words: string) => ({ type: 'plain_text', text: words });
  const elements = [
    {
      type: 'button',
      action_id: 'drop',
      text: text('Drop'),
      confirm: {
        title: text('Really drop?'),
        text: text('All of it.'),
        confirm: text('Drop it'),
        deny: text('Keep'),
      },
    },
    {
      type: 'static_select',
      action_id: 'often',
      placeholder: text('How often'),
      options: [{ text: text('Daily'), value: 'd' }],
    },
    { type: 'users_select', action_id: 'who', placeholder: text('Who') },
    { type: 'multi_users_select', action_id: 'all', placeholder: text('All') },
  ];
  const blocks = [
    { type: 'actions', elements },
    { type: 'section', text: { type: 'mrkdwn', text: '&lt;script&gt;alert(1)&lt;/script&gt; *bold*' } },
  ];
  await client.apiCall('views.publish', { user_id: userId, view: { type: 'home', blocks } });
  const page = await openPage(t);
  await page.goto(`${sandbox.url}/client/${teamId}/app/home`);
  await page.getByText('The sandbox cannot draw a multi_users_select element.').waitFor();
  await page.getByText(/<script> ?alert\(1\)/).waitFor();
  assert.equal(await page.locator('.block-section strong').textContent(), 'bold');
  await page.getByLabel('How often').selectOption('Daily');
  await page.getByLabel('Who').selectOption('Priya Nair');
  await page.getByRole('button', { name: 'Drop', exact: true }).click();
  await page.getByRole('button', { name: 'Keep' }).click();
  await page.getByRole('button', { name: 'Drop', exact: true }).click();
  await page.getByRole('button', { name: 'Drop it' }).click();
  await sandbox.settled();
  await page.waitForFunction('document.querySelectorAll("[aria-busy]").length === 0');
  const presses = app.received
    .filter(({ json }) => json.type === 'block_actions')
    .map(({ json }) => json.actions);
  assert.equal(presses.length, 3);
  assert.match(JSON.stringify(presses), /"selected_option":\{[^}]*\}?[^}]*"value":"d"/);
  assert.match(JSON.stringify(presses), /"selected_user":"U07PRIYAN03"/);
  app.answerWith(500);
  await page.getByRole('button', { name: 'Drop', exact: true }).click();
  await page.getByRole('button', { name: 'Drop it' }).click();
  await page.getByText('The app did not accept the action').waitFor();
});

test('Home in the web client keeps what a person has entered when the app publishes a new view', async (t) => {
  const { sandbox } = await withSandbox(t);
  const { client, teamId, userId } = await install(sandbox);
  const text = (words: string) => ({ type: 'plain_text', text: words });
  const option = (value: string) => ({ text: text(value), value });
  const input = (id: string, element: object) => ({
    type: 'input',
    block_id: id,
    label: text(`The ${id}`),
    element: { action_id: `${id}.input`, ...element },
  });
  const publish = (title: string) => {
    const blocks = [
      { type: 'header', text: text(title) },
      input('name', { type: 'plain_text_input', multiline: true }),
      input('mail', { type: 'email_text_input', initial_value: title }),
      input('often', { type: 'static_select', options: [option('daily'), option('weekly')] }),
      input('days', { type: 'checkboxes', options: [option('Monday'), option('Friday')] }),
      input('hour', { type: 'radio_buttons', options: [option('nine'), option('ten')] }),
    ];
    return client.apiCall('views.publish', { user_id: userId, view: { type: 'home', blocks } });
  };
  await publish('First');
  const page = await openPage(t);
  await page.goto(`${sandbox.url}/client/${teamId}/app/home`);
  const name = page.locator('[data-action="name.input"]');
  await name.fill('Ada\nLovelace');
  await page.locator('[data-action="often.input"]').selectOption('weekly');
  await page.getByLabel('Friday').check();
  await page.getByLabel('ten').check();
  await name.focus();
  await publish('Second');
  await page.getByText('Second').waitFor();
  assert.equal(await name.inputValue(), 'Ada\nLovelace');
  assert.equal(await page.evaluate('document.activeElement.dataset.action'), 'name.input');
  // The person did not change this field, so it shows the new view's value.
  assert.equal(await page.locator('[data-action="mail.input"]').inputValue(), 'Second');
  assert.match(await page.locator('[data-action="often.input"]').inputValue(), /weekly/);
  assert.deepEqual(
    [await page.getByLabel('Monday').isChecked(), await page.getByLabel('Friday').isChecked()],
    [false, true],
  );
  assert.deepEqual(
    [await page.getByLabel('nine').isChecked(), await page.getByLabel('ten').isChecked()],
    [false, true],
  );
});

test('every page of the web client fits on a phone', async (t) => {
  const { sandbox } = await withSandbox(t);
  const { client, teamId, userId } = await install(sandbox, 'Acme', {
    parameters: { user_scope: 'users:read' },
  });
  await client.chat.postMessage({ channel: userId, text: `A very long word: ${'x'.repeat(120)}` });
  await sandbox.openHome({ teamId, userId });
  const page = await openPage(t, 390);
  for (const path of ['app/home', 'app/messages', 'app/about', 'general', 'settings', 'panel']) {
    await page.goto(`${sandbox.url}/client/${teamId}/${path}`);
    assert.equal(await overflowOf(page), 0, path);
  }
  await page.goto(`${sandbox.url}/client/${sandbox.workspace('Globex').id}/app/add`);
  assert.equal(await overflowOf(page), 0);
});
