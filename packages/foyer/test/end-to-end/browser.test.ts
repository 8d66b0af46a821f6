import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { after, afterEach, before, describe, it } from 'node:test';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { launchBrowser } from '../support/launch-browser.ts';
import { type Stage, setStage } from '../support/start-foyer.ts';

/** Set SCREENSHOTS to a folder to save a screenshot of each page there: SCREENSHOTS=folder npm test. */
const pictures = process.env.SCREENSHOTS;

describe('installing in a browser', () => {
  let stage: Stage;
  let browser: Browser;
  let context: BrowserContext;
  const complaints: string[] = [];

  before(async () => {
    [stage, browser] = await Promise.all([
      setStage({ environment: { SUPPORT_URL: 'mailto:help@foyer.example' } }),
      launchBrowser(),
    ]);
    if (pictures) mkdirSync(pictures, { recursive: true });
  });
  after(async () => {
    await browser.close();
    await stage.close();
  });
  afterEach(async () => {
    await context.close();
    stage.sandbox.faults.clear();
    assert.deepEqual(complaints.splice(0), [], 'the browser reported errors');
  });

  async function open(width: number, options: { javaScriptEnabled?: boolean } = {}): Promise<Page> {
    context = await browser.newContext({ viewport: { width, height: 900 }, ...options });
    const page = await context.newPage();
    page.on('console', (message) => {
      // Some of these tests request pages with a 4xx or 5xx status.
      if (message.type() === 'error' && !/status of [45]\d\d/.test(message.text()))
        complaints.push(message.text());
    });
    page.on('pageerror', (error) => complaints.push(error.message));
    return page;
  }

  async function look(page: Page, name: string): Promise<void> {
    const overflow = await page.evaluate('document.documentElement.scrollWidth - window.innerWidth');
    assert.ok(Number(overflow) <= 0, `${name} is wider than the window by ${overflow}`);
    if (pictures) await page.screenshot({ path: `${pictures}/${name}.png`, fullPage: true });
  }

  async function consent(page: Page, decision: 'Allow' | 'Cancel'): Promise<void> {
    await page.getByRole('link', { name: 'Add to Slack' }).click();
    await page.getByRole('button', { name: decision }).click();
  }

  for (const width of [1280, 390]) {
    it(`a person installs, watches the steps finish, and opens the install record in Slack, in a window ${width} pixels wide`, async () => {
      const page = await open(width);
      await page.goto(stage.url);
      await look(page, `landing-${width}`);
      // Slow enough to see the steps one by one.
      stage.sandbox.faults.setLatency('users.info', 400);
      await consent(page, 'Allow');
      await page.waitForURL(/\/installs\/[\w-]+$/);
      await look(page, `progress-${width}`);
      await page.getByRole('heading', { name: 'all set' }).waitFor();
      assert.equal(await page.getByText('Working').count(), 0);
      await look(page, `done-${width}`);

      await page.getByRole('link', { name: 'Open in Slack' }).click();
      await page.getByText('What Foyer may do').waitFor();
      await look(page, `home-${width}`);
    });
  }

  it('even without JavaScript, the progress page shows that setup is done', async () => {
    const page = await open(390, { javaScriptEnabled: false });
    stage.sandbox.faults.setLatency('users.info', 700);
    await page.goto(stage.url);
    await consent(page, 'Allow');
    await page.getByRole('heading', { name: 'all set' }).waitFor({ timeout: 15_000 });
    await look(page, 'done-without-javascript');
  });

  it('the progress page says that a step is being retried, and later that setup is done', async () => {
    const page = await open(1280);
    stage.sandbox.faults.add({
      method: 'users.info',
      times: 1,
      failure: { type: 'status', status: 429, retryAfterSeconds: 2 },
    });
    await page.goto(stage.url);
    await consent(page, 'Allow');
    await page
      .getByText(/tr(y|ies|ied|ying) again/i)
      .first()
      .waitFor();
    await look(page, 'progress-retrying');
    await page.getByRole('heading', { name: 'all set' }).waitFor({ timeout: 15_000 });
  });

  it('while the progress page cannot reach Foyer, it does not say that setup continues in the background', async () => {
    const page = await open(1280);
    const statusUrl = /\/installs\/[\w-]+\/status$/;
    await page.route(statusUrl, (route) => route.fulfill({ status: 503 }));
    stage.sandbox.faults.setLatency('users.info', 1500);
    await page.goto(stage.url);
    await consent(page, 'Allow');
    const hint = page.getByText('Setup continues in the background');
    await hint.waitFor();
    await page.getByText('If our server is down, setup continues when it is back').waitFor();
    assert.deepEqual([await hint.isVisible(), await page.locator('#now').isVisible()], [false, false]);
    await page.unroute(statusUrl);
    await page.getByRole('heading', { name: 'all set' }).waitFor();
    assert.equal(await page.locator('#offline').isVisible(), false);
  });

  it('the progress page says that the app is installed, even if its setup is not complete', async () => {
    const page = await open(390);
    stage.sandbox.faults.add({
      method: 'users.info',
      times: 20,
      failure: { type: 'error', error: 'user_not_found' },
    });
    await page.goto(stage.url);
    await consent(page, 'Allow');
    await page.waitForURL(/\/installs\//);
    await page
      .getByText(/installed/)
      .first()
      .waitFor();
    await page.getByRole('heading', { name: 'setup is not complete' }).waitFor({ timeout: 15_000 });
    await look(page, 'progress-failed');
  });

  it('two tabs of one browser can install at the same time', async () => {
    const first = await open(1280);
    const second = await context.newPage();
    await first.goto(stage.url);
    await second.goto(stage.url);
    await first.getByRole('link', { name: 'Add to Slack' }).click();
    await second.getByRole('link', { name: 'Add to Slack' }).click();
    for (const page of [first, second]) {
      await page.getByRole('button', { name: 'Allow' }).click();
      await page.waitForURL(/\/installs\//);
    }
  });

  it('after Cancel, a page says that the install was canceled, and Start again leads back to Slack', async () => {
    const page = await open(390);
    await page.goto(stage.url);
    await consent(page, 'Cancel');
    await page.getByRole('heading', { name: /canceled/ }).waitFor();
    await look(page, 'cancelled-390');
    await page.getByRole('link', { name: 'Start again' }).click();
    await page.getByRole('button', { name: 'Allow' }).waitFor();
  });

  it('after Reload and Back, a second Allow leads to the same progress page', async () => {
    const page = await open(1280);
    await page.goto(stage.url);
    await consent(page, 'Allow');
    await page.waitForURL(/\/installs\//);
    const progress = page.url();
    await page.reload();
    await page.goBack();
    await page.getByRole('button', { name: 'Allow' }).click();
    await page.waitForURL(/\/installs\//);
    assert.equal(page.url(), progress);
  });

  it('a failed callback and an unknown address each show a page with a heading that names the problem', async () => {
    const page = await open(390);
    for (const [path, heading, name] of [
      ['/slack/oauth_redirect?code=1', 'One more step', 'state-missing'],
      ['/slack/oauth_redirect?code=1&state=v1.x.y', 'broken', 'state-invalid'],
      ['/slack/oauth_redirect', 'too early', 'code-missing'],
      ['/nothing/here', 'nothing at this address', 'not-found'],
      ['/installs/nobody', 'nothing at this address', 'progress-unknown'],
    ] as const) {
      await page.goto(stage.url + path);
      await page.getByRole('heading', { name: heading }).waitFor();
      await look(page, name);
    }
  });

  it('if Slack answers the code exchange with 503, a page says that Foyer could not reach Slack', async () => {
    const page = await open(390);
    stage.sandbox.faults.add({ method: 'oauth.v2.access', failure: { type: 'status', status: 503 } });
    await page.goto(stage.url);
    await consent(page, 'Allow');
    await page.getByRole('heading', { name: 'could not reach Slack' }).waitFor();
    await look(page, 'slack-unreachable');
  });
});
