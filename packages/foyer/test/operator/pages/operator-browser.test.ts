import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { after, before, describe, it } from 'node:test';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { eventually } from '../../../src/testing/visitor.ts';
import { launchBrowser } from '../../support/launch-browser.ts';
import {
  type OperatorStage,
  password,
  setOperatorStage,
  storeMany,
  storeManyRequests,
} from './operator-stage.ts';

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

describe('the operator in a browser', () => {
  let stage: OperatorStage;
  let browser: Browser;
  let acme: string;
  before(async () => {
    browser = await launchBrowser();
    stage = await setOperatorStage();
    stage.sandbox.faults.add({
      method: 'views.publish',
      failure: { type: 'error', error: 'view_too_large' },
      times: 50,
    });
    acme = await stage.installs('Acme');
    stage.sandbox.faults.clear();
    await storeMany(stage.database, stage.config.slack.clientId, 2400);
    await storeManyRequests(stage.database, stage.config.slack.clientId, 1100);
  });
  after(async () => {
    await browser.close();
    await stage.close();
  });

  /** Opens a new browser context and logs in; by default without JavaScript, since no page may need it. */
  async function operator(
    options: { width?: number; colorScheme?: 'light' | 'dark'; javaScriptEnabled?: boolean } = {},
  ) {
    const { width = 1280, colorScheme = 'light', javaScriptEnabled = false } = options;
    const context = await browser.newContext({
      javaScriptEnabled,
      viewport: { width, height: 900 },
      colorScheme,
    });
    const page = await context.newPage();
    await page.goto(`${stage.url}/operator`);
    await page.getByLabel('Password').fill(password);
    await page.getByRole('button', { name: 'Log in' }).click();
    await page.getByRole('heading', { name: 'Overview' }).waitFor();
    return { context, page };
  }

  async function withOperator(work: (page: Page, context: BrowserContext) => Promise<void>): Promise<void> {
    const { context, page } = await operator();
    try {
      await work(page, context);
    } finally {
      await context.close();
    }
  }

  it('if an operator enters a wrong password, the page says so, and the operator can try again', async () => {
    const context = await browser.newContext();
    const page = await context.newPage();
    await page.goto(`${stage.url}/operator/requests`);
    await page.getByLabel('Password').fill('not the password');
    await page.getByRole('button', { name: 'Log in' }).click();
    await page.getByRole('alert').filter({ hasText: 'The password is wrong.' }).waitFor();
    await page.getByLabel('Password').fill(password);
    await page.getByRole('button', { name: 'Log in' }).click();
    await page.getByRole('heading', { name: 'Install requests' }).waitFor();
    const [cookie] = await context.cookies();
    assert.deepEqual([cookie?.name, cookie?.httpOnly, cookie?.sameSite], ['foyer-operator', true, 'Lax']);
    await page.getByRole('button', { name: 'Log out' }).click();
    await page.getByText('You are logged out.').waitFor();
    await page.goto(`${stage.url}/operator`);
    assert.match(page.url(), /\/operator\/login/);
    await context.close();
  });

  it('an operator sees a failing run first, looks at its attempts, runs it again and sends the welcome again', () =>
    withOperator(async (page) => {
      const failing = page.getByRole('region', { name: '1 install needs attention' });
      await failing.getByText('publish-home').waitFor();
      await failing.getByRole('link', { name: 'Acme' }).click();
      await page.getByRole('heading', { name: 'Acme active' }).waitFor();
      assert.match(
        await page.locator('.run-step', { hasText: 'publish-home' }).innerText(),
        /view_too_large/,
      );
      await page.getByRole('button', { name: 'Run again' }).click();
      await page.getByRole('status').filter({ hasText: 'The run continues' }).waitFor();
      await eventually(async () => {
        await page.goto(`${stage.url}/operator/installations/${acme}`);
        return (await page.getByRole('heading', { name: 'Newest run succeeded' }).count()) > 0;
      });
      const sent = stage.sandbox.calls('chat.postMessage').length;
      await page.getByRole('button', { name: 'Send the welcome again' }).click();
      await page.getByRole('status').filter({ hasText: 'The welcome is being sent again' }).waitFor();
      await eventually(async () => stage.sandbox.calls('chat.postMessage').length === sent + 1);
      const history = page.getByRole('table', { name: 'History' });
      await history.getByText('send the welcome again').waitFor();
    }));

  it('in a list of thousands of installations, an operator can go to older pages, go back, and search', () =>
    withOperator(async (page) => {
      await page.getByRole('link', { name: 'Installations' }).click();
      const names = () => page.locator('td.head a').allInnerTexts();
      const first = await names();
      assert.equal(first.length, 50);
      const seen = [...first];
      for (let turn = 0; turn < 3; turn += 1) {
        await page.getByRole('link', { name: 'Older' }).click();
        seen.push(...(await names()));
      }
      assert.equal(new Set(seen).size, 200);
      for (let turn = 0; turn < 3; turn += 1) await page.getByRole('link', { name: 'Newer' }).click();
      assert.deepEqual(await names(), first);
      await page.getByLabel('Name or id').fill('company 01234');
      await page.getByRole('button', { name: 'Show' }).click();
      assert.deepEqual(await names(), ['Company 01234']);
      await page.getByRole('link', { name: 'Show all' }).click();
      await page.getByLabel('Status').selectOption('broken');
      await page.getByRole('button', { name: 'Show' }).click();
      await page.getByText('No installation matches.').waitFor();
    }));

  it('an operator filters install requests by outcome, day and team', () =>
    withOperator(async (page) => {
      await page.getByRole('link', { name: 'Install requests' }).click();
      const rows = () => page.locator('tbody tr').count();
      assert.equal(await rows(), 50);
      await page.getByLabel('Outcome').selectOption('failed');
      await page.getByLabel('Day (UTC)').fill('2026-05-31');
      await page.getByRole('button', { name: 'Show' }).click();
      assert.equal(await rows(), 50);
      const shown = await page.locator('tbody').innerText();
      assert.ok(shown.includes('slack_unreachable') && !shown.includes('installed'));
      await page.getByRole('link', { name: 'Older' }).click();
      assert.equal(await page.getByLabel('Outcome').inputValue(), 'failed');
      assert.equal(await page.getByLabel('Day (UTC)').inputValue(), '2026-05-31');
      await page.goto(`${stage.url}/operator/requests`);
      await page.getByLabel('Team or enterprise').fill('tmany00042');
      await page.getByRole('button', { name: 'Show' }).click();
      assert.equal(await rows(), 1);
    }));

  it('Foyer asks for confirmation before it purges an installation or marks it as gone', () =>
    withOperator(async (page) => {
      const path = `${stage.url}/operator/installations/ins_00099`;
      await page.goto(path);
      await page.getByRole('link', { name: 'Mark as gone' }).click();
      await page.getByRole('link', { name: 'Cancel' }).click();
      await page.getByRole('link', { name: 'Mark as gone' }).click();
      await page.getByRole('button', { name: 'Mark as gone' }).click();
      await page.getByRole('status').filter({ hasText: 'Marked as gone' }).waitFor();
      await page.getByRole('heading', { name: 'Company 00099 uninstalled' }).waitFor();
      await page.getByRole('link', { name: 'Purge' }).click();
      await page.getByLabel('Operator password').fill(password);
      await page.getByRole('button', { name: 'Purge it' }).click();
      await page.getByRole('status').filter({ hasText: 'Purged' }).waitFor();
      assert.equal((await page.goto(path))?.status(), 404);
    }));

  for (const width of [1280, 390]) {
    for (const colorScheme of ['light', 'dark'] as const) {
      it(`axe finds no accessibility problem on the operator pages at ${width} pixels, in ${colorScheme} mode`, {
        timeout: 170_000,
      }, async () => {
        const { context, page } = await operator({ width, colorScheme, javaScriptEnabled: true });
        const id = await stage.installs('Globex');
        const pages = [
          '',
          '/installations',
          `/installations/${id}`,
          `/installations/${id}/purge`,
          `/installations/${id}/mark-gone`,
          `/installations/${id}?done=run_rate_limited`,
          '/requests?outcome=failed',
          '/sessions',
          '/nothing',
          '/login',
        ];
        for (const path of pages) {
          await page.goto(`${stage.url}/operator${path}`);
          await page.evaluate('for (const each of document.querySelectorAll("details")) each.open = true');
          await page.evaluate(axe);
          const found: unknown = await page.evaluate(
            'axe.run(document, { resultTypes: ["violations"] }).then(({ violations }) => violations.map(({ id, nodes }) => id + ": " + nodes[0].html))',
          );
          assert.deepEqual(found, [], path);
        }
        await context.close();
      });
    }
  }

  it('the operator pages align the menu and the buttons on a phone, and the times of a run’s steps on a desktop', async () => {
    type Box = { left: number; top: number; height: number };
    const boxesOf = (page: Page, selector: string): Promise<Box[]> =>
      page.evaluate(
        `[...document.querySelectorAll('${selector}')].map((element) => element.getBoundingClientRect().toJSON())`,
      );
    const phone = await operator({ width: 375 });
    await phone.page.goto(`${stage.url}/operator/installations/${acme}`);
    const rows = Map.groupBy(await boxesOf(phone.page, '.bar nav a'), ({ top }) => top);
    assert.deepEqual(
      [...rows.values()].map((row) => row.length),
      [2, 2],
      'no entry of the menu stands alone',
    );
    const buttons = await boxesOf(phone.page, '.action-bar .button');
    assert.equal(new Set(buttons.map(({ height }) => height)).size, 1, 'all buttons are one line high');
    await phone.page.goto(`${stage.url}/operator/requests?team=${stage.sandbox.workspace('Acme').id}`);
    const [id] = await boxesOf(phone.page, '[data-label=Request] code');
    assert.ok(id && id.height < 25, `the id of a request breaks: it is ${id?.height} pixels high`);
    await phone.context.close();
    const desktop = await operator({ width: 1280 });
    await desktop.page.goto(`${stage.url}/operator/installations/${acme}`);
    const heads = await boxesOf(desktop.page, '.run-step-head');
    const times = await boxesOf(desktop.page, '.run-step-head time');
    assert.ok(times.length > 3);
    assert.equal(new Set(times.map(({ left }) => Math.round(left))).size, 1, 'the times form a column');
    for (const [at, { top }] of times.entries())
      assert.ok(top - (heads[at]?.top ?? 0) < 10, `the time of step ${at} is not on its first line`);
    await desktop.context.close();
  });

  it('the operator pages fit a phone in both color schemes, and violate no Content-Security-Policy', async () => {
    const paths = [
      '',
      '/installations',
      `/installations/${acme}`,
      `/installations/${acme}/people`,
      `/installations/${acme}/purge`,
      '/requests',
      '/sessions',
      '/nothing',
    ];
    for (const colorScheme of ['light', 'dark'] as const) {
      const { context, page } = await operator({ width: 390, colorScheme });
      const complaints: string[] = [];
      page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()));
      for (const path of paths) {
        await page.goto(`${stage.url}/operator${path}`);
        const width = Number(await page.evaluate('document.documentElement.scrollWidth'));
        assert.ok(width <= 390, `${path} is ${width} wide`);
        const end = await page.evaluate(
          'Math.max(...[...document.querySelectorAll(".bar nav a")].map((link) => link.getBoundingClientRect().right))',
        );
        assert.ok(Number(end) <= 390, `the menu of ${path} ends at ${end}`);
      }
      // The console reports the 404 of /nothing. It would also report a violation of the Content-Security-Policy.
      assert.deepEqual(
        complaints.filter((text) => !/404/.test(text)),
        [],
      );
      await context.close();
    }
  });
});
