import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { after, afterEach, before, describe, it } from 'node:test';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { eventually } from '../../src/testing/visitor.ts';
import { launchBrowser } from '../support/launch-browser.ts';
import { type Stage, setStage } from '../support/start-foyer.ts';

/** Set SCREENSHOTS to a folder to save a screenshot of each page there: SCREENSHOTS=folder npm test. */
const pictures = process.env.SCREENSHOTS;

/** All tests share one Slack and one Foyer: each test begins where the previous one ended. */
describe('people install, use and remove the app in a browser', () => {
  let stage: Stage;
  let browser: Browser;
  let context: BrowserContext;
  let page: Page;
  const complaints: string[] = [];

  before(async () => {
    [stage, browser] = await Promise.all([
      setStage({
        environment: { SLACK_USER_SCOPES: 'users.profile:read' },
        sandbox: { manifest: await manifestWithUserScope() },
      }),
      launchBrowser(),
    ]);
    if (pictures) mkdirSync(pictures, { recursive: true });
    context = await browser.newContext({ viewport: { width: 1280, height: 900 } });
    page = await context.newPage();
    page.setDefaultTimeout(10_000);
    page.on('dialog', (dialog) => void dialog.accept());
    page.on('pageerror', (error) => complaints.push(error.message));
  });
  after(async () => {
    await browser.close();
    await stage.close();
  });
  afterEach(() => assert.deepEqual(complaints.splice(0), [], 'the browser reported errors'));

  async function manifestWithUserScope(): Promise<unknown> {
    const { default: manifest } = await import('../support/manifest.json', { with: { type: 'json' } });
    const scopes = { ...manifest.oauth_config.scopes, user: ['users.profile:read'] };
    return { ...manifest, oauth_config: { ...manifest.oauth_config, scopes } };
  }

  async function look(name: string): Promise<void> {
    if (pictures) await page.screenshot({ path: `${pictures}/story-${name}.png`, fullPage: true });
  }

  /** Switches to a person of a workspace in the web client, as a click on the switcher would. */
  async function be(
    workspace: string,
    who: 'owner' | 'admin' | 'member',
  ): Promise<{ teamId: string; userId: string }> {
    const teamId = stage.sandbox.workspace(workspace).id;
    const userId = stage.sandbox.person(workspace, who).id;
    await page.goto(`${stage.sandbox.url}/client/switch?team=${teamId}&user=${userId}`);
    return { teamId, userId };
  }

  async function openHome(teamId: string): Promise<void> {
    await page.goto(`${stage.sandbox.url}/client/${teamId}/app/home`);
  }

  /** Allows the install on Slack's consent page, and waits until setup is done. */
  async function allow(options: { decline?: boolean } = {}): Promise<void> {
    if (options.decline) await page.getByRole('checkbox', { name: /email addresses/ }).uncheck();
    await page.getByRole('button', { name: 'Allow' }).click();
    await page.waitForURL(/\/installs\//);
    await page.getByRole('heading', { name: 'all set' }).waitFor();
  }

  async function addFromSlack(teamId: string): Promise<void> {
    await page.goto(`${stage.sandbox.url}/client/${teamId}`);
    await page.getByRole('link', { name: 'Add to Slack' }).click();
    await page.getByRole('link', { name: 'Add to Slack' }).click();
  }

  const welcomes = (whom: { teamId: string; userId: string }): number => stage.sandbox.messages(whom).length;

  it('the owner of Acme adds the app, declines the scope for email addresses, and reads the welcome', async () => {
    const owner = await be('Acme', 'owner');
    await addFromSlack(owner.teamId);
    await look('1-consent');
    await allow({ decline: true });
    await page.goto(`${stage.sandbox.url}/client/${owner.teamId}/app`);
    await page.getByRole('link', { name: 'Messages' }).click();
    await page.getByText('Start here').waitFor();
    await look('2-welcome');
    assert.equal(welcomes(owner), 1);
  });

  it('Home shows the declined scope, and the “Send the welcome again” button on Home sends another welcome', async () => {
    const owner = await be('Acme', 'owner');
    await openHome(owner.teamId);
    await page.getByText('Not granted').waitFor();
    await look('3-home-declined');
    await page.getByRole('button', { name: 'Send the welcome again' }).click();
    await page.getByRole('button', { name: /Send/ }).last().click();
    await eventually(async () => welcomes(owner) === 2);
  });

  it('the “Update permissions” button lets the owner grant the declined scope, and sends no new welcome', async () => {
    const owner = await be('Acme', 'owner');
    await openHome(owner.teamId);
    const [consent] = await Promise.all([
      context.waitForEvent('page'),
      page.getByText('Update permissions').click(),
    ]);
    await consent.getByRole('button', { name: 'Allow' }).click();
    await consent.getByRole('heading', { name: 'all set' }).waitFor();
    await consent.close();
    await openHome(owner.teamId);
    await page.getByText('users:read.email').first().waitFor();
    await eventually(async () => (await page.getByText('Not granted').count()) === 0);
    await look('4-home-upgraded');
    assert.equal(welcomes(owner), 2);
  });

  it('an admin installs too and is welcomed; a member opens Home and sees no button to send the welcome', async () => {
    const admin = await be('Acme', 'admin');
    await page.goto(stage.url);
    await page.getByRole('link', { name: 'Add to Slack' }).click();
    await allow();
    assert.equal(welcomes(admin), 1);
    const member = await be('Acme', 'member');
    await openHome(member.teamId);
    await page.getByText('What Foyer may do').waitFor();
    assert.equal(await page.getByRole('button', { name: 'Send the welcome again' }).count(), 0);
    await look('5-home-member');
  });

  it('someone at Globex cancels, changes their mind, and installs', async () => {
    const owner = await be('Globex', 'owner');
    await addFromSlack(owner.teamId);
    await page.getByRole('button', { name: 'Cancel' }).click();
    await page.getByRole('heading', { name: /canceled/ }).waitFor();
    await page.getByRole('link', { name: 'Start again' }).click();
    await allow();
    assert.equal(welcomes(owner), 1);
  });

  it('when a person’s authorization is revoked, the app stays installed', async () => {
    const owner = await be('Globex', 'owner');
    await page.goto(`${stage.sandbox.url}/client/${owner.teamId}/settings`);
    await look('6-settings');
    const name = stage.sandbox.person('Globex', 'owner').realName;
    await page
      .locator('li', { hasText: name })
      .getByRole('button', { name: /Revoke/ })
      .click();
    await eventually(async () =>
      stage.sandbox.deliveries.list().some((each) => each.type === 'tokens_revoked' && each.status === 200),
    );
    await openHome(owner.teamId);
    // The owner's Slack is in German, so Home is in German too.
    await page.getByText('wurde widerrufen').first().waitFor();
    await page.getByText('Alles ist eingerichtet').first().waitFor();
    const tokens = stage.sandbox.state().installations.flatMap((each) => each.tokens);
    const revoked = tokens.filter((token) => token.status === 'revoked');
    assert.deepEqual(
      revoked.map((token) => [token.kind, token.userId]),
      [['user', owner.userId]],
    );
  });

  it('after Acme removes the app, a new install starts over and sends a new welcome', async () => {
    const owner = await be('Acme', 'owner');
    const before = welcomes(owner);
    await page.goto(`${stage.sandbox.url}/client/${owner.teamId}/settings`);
    await page.getByRole('button', { name: /Remove Foyer/ }).click();
    await page.getByText('not installed in Acme').waitFor();
    await look('7-removed');
    await stage.sandbox.settled();
    await addFromSlack(owner.teamId);
    await allow();
    await eventually(async () => welcomes(owner) === before + 1);
  });

  it('an org admin installs for the whole of Initech, and gives one workspace access', async () => {
    const owner = await be('Initech Product', 'owner');
    await addFromSlack(owner.teamId);
    await page.getByRole('radio', { name: /whole organization/ }).check();
    await look('8-consent-org');
    await page.getByRole('button', { name: 'Allow' }).click();
    await page.waitForURL(/\/installs\//);
    await page
      .getByText(/workspace/i)
      .first()
      .waitFor();
    await look('9-progress-waiting');
    const progress = page.url();
    await page.goto(`${stage.sandbox.url}/client/${owner.teamId}/settings`);
    await page
      .locator('li', { hasText: 'Initech Product' })
      .getByRole('button', { name: 'Give access' })
      .click();
    await page.goto(progress);
    await page.getByRole('heading', { name: 'all set' }).waitFor();
    await openHome(owner.teamId);
    await page.getByText('Foyer in Initech').waitFor();
    await look('10-home-org');
    assert.equal(welcomes(owner), 1);
  });

  it('Home fits into a window 390 pixels wide', async () => {
    await page.setViewportSize({ width: 390, height: 844 });
    const owner = await be('Acme', 'owner');
    await openHome(owner.teamId);
    await page.getByText('What Foyer may do').waitFor();
    const overflow = await page.evaluate('document.documentElement.scrollWidth - window.innerWidth');
    assert.ok(Number(overflow) <= 0);
    await look('11-home-phone');
  });
});
