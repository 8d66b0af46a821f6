import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import type { RequestListener } from 'node:http';
import { createRequire } from 'node:module';
import { after, before, describe, it } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import { eventually } from '../../src/testing/visitor.ts';
import { launchBrowser } from '../support/launch-browser.ts';
import { type SignInStage, setSignInStage } from './sign-in-stage.ts';

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
/** Set PICTURES to a folder to save a screenshot of each page. */
const pictures = process.env.PICTURES;
const acme = 'T07ACME4QX1';
const [grace, lena] = ['U07GRACEH01', 'U07LENAFI13'];

describe('Sign in with Slack in a browser', () => {
  let stage: SignInStage;
  let browser: Browser;
  before(async () => {
    browser = await launchBrowser();
    const environment = {
      OPERATOR_SLACK_USERS: `${acme}/${grace}`,
      OPERATOR_PASSWORD: 'open sesame, please',
    };
    stage = await setSignInStage({ environment, otherwise: hostPage });
    await stage.installIn('Acme');
    await eventually(async () => {
      const record = await stage.foyer().find({ teamId: acme });
      return record?.run?.status === 'succeeded';
    });
    stage.sandbox.addMember({ teamId: acme, realName: 'Gus Guest', role: 'guest' });
  });
  after(async () => {
    await browser.close();
    await stage.close();
  });

  /** A page of the host product that says who is signed in and has a button to sign out. */
  const hostPage: RequestListener = (req, res) => {
    void stage
      .foyer()
      .member(req)
      .then((member) => {
        const who = member
          ? `<h1>Hello ${member.name}</h1>`
          : '<a href="/slack/signin?return_to=/app">Sign in</a>';
        const out = '<form method="post" action="/slack/signout"><button>Sign out</button></form>';
        res
          .writeHead(200, { 'Content-Type': 'text/html' })
          .end(`<html lang="en"><title>App</title>${who}${out}`);
      });
  };

  async function open(width: number, colorScheme: 'light' | 'dark'): Promise<Page> {
    const context = await browser.newContext({ viewport: { width, height: 844 }, colorScheme });
    return context.newPage();
  }

  async function check(page: Page, name: string): Promise<void> {
    await page.evaluate(axe);
    const found: { id: string; nodes: { html: string }[] }[] = await page.evaluate(
      'axe.run(document, { resultTypes: ["violations"] }).then(({ violations }) => violations)',
    );
    assert.deepEqual(
      found.map(({ id, nodes }) => `${id}: ${nodes[0]?.html}`),
      [],
      name,
    );
    const overflow = await page.evaluate('document.documentElement.scrollWidth - window.innerWidth');
    assert.ok(Number(overflow) <= 0, `${name} is wider than the window`);
    if (!pictures) return;
    const scheme = await page.evaluate("matchMedia('(prefers-color-scheme: dark)').matches");
    const file = `${name}-${page.viewportSize()?.width}-${scheme ? 'dark' : 'light'}.png`;
    await page.screenshot({ path: `${pictures}/${file}`, fullPage: true });
  }

  for (const width of [1280, 390]) {
    for (const scheme of ['light', 'dark'] as const) {
      it(`a person signs in, signs out, cancels a sign-in, and cannot sign in without an install (${width} pixels, ${scheme})`, {
        timeout: 120_000,
      }, async () => {
        const page = await open(width, scheme);
        await page.goto(`${stage.url}/app`);
        await page.getByRole('link', { name: 'Sign in' }).click();
        await page.getByRole('button', { name: 'Allow' }).click();
        await page.getByRole('heading', { name: 'Hello' }).waitFor();
        assert.equal(page.url(), `${stage.url}/app`);
        await page.getByRole('button', { name: 'Sign out' }).click();
        await page.getByRole('heading', { name: 'You are signed out' }).waitFor();
        await check(page, 'signed-out');
        await page.getByRole('link', { name: 'Sign in with Slack' }).click();
        await page.getByRole('button', { name: 'Cancel' }).click();
        await page.getByRole('heading', { name: 'You canceled the sign-in' }).waitFor();
        await check(page, 'cancelled');
        await page.getByRole('link', { name: 'Try again' }).click();
        const authorizeUrl = page.url();
        await page.goto(await stage.sandbox.signIn({ authorizeUrl, userId: lena }));
        await page.getByRole('heading', { name: /You can sign in once/ }).waitFor();
        await check(page, 'not-installed');
        await page.getByRole('link', { name: 'Add to Slack' }).waitFor();
        await page.context().close();
      });

      it(`people in each role see and use the install record in a browser (${width} pixels, ${scheme})`, {
        timeout: 120_000,
      }, async () => {
        for (const [who, signedIn, heading] of [
          ['owner', 'Signed in as Grace Okafor', 'What Foyer may do'],
          ['admin', 'Signed in as Mateo Vargas', 'What Foyer may do'],
          ['member', 'Signed in as Priya Nair', 'What Foyer may do'],
          // The guest's page is in the language that the guest uses in Slack.
          ['guest', 'Angemeldet als Gus Guest', 'Was Foyer tun darf'],
        ] as const) {
          const page = await open(width, scheme);
          await page.goto(`${stage.url}/`);
          await page.getByRole('link', { name: 'Sign in with Slack' }).click();
          const { id: userId } = stage.sandbox.person('Acme', who);
          await page.goto(await stage.sandbox.signIn({ authorizeUrl: page.url(), userId, teamId: acme }));
          await page.getByText(signedIn).waitFor();
          await page.getByRole('heading', { name: heading }).waitFor();
          await check(page, `record-${who}`);
          const mayAct = who === 'owner' || who === 'admin';
          const again = page.getByText('Send the welcome again').first();
          assert.equal(await again.isVisible(), mayAct, who);
          if (who === 'owner') {
            const before = stage.sandbox.calls('chat.postMessage').length;
            await again.click();
            await page.getByRole('button', { name: 'Send' }).click();
            await eventually(async () => stage.sandbox.calls('chat.postMessage').length === before + 1);
            await page.getByText(signedIn).waitFor();
          }
          if (who === 'guest') {
            await page.getByText('Daten löschen').first().click();
            await page.getByRole('button', { name: 'Daten löschen' }).click();
            await page.getByRole('heading', { name: 'Ihre Daten sind gelöscht' }).waitFor();
            await check(page, 'record-erased');
          } else {
            await page.getByRole('button', { name: 'Sign out' }).click();
            await page.getByRole('heading', { name: 'You are signed out' }).waitFor();
          }
          await page.context().close();
        }
      });

      it(`an operator signs in, looks at the sessions and logs out (${width} pixels, ${scheme})`, async () => {
        const page = await open(width, scheme);
        await page.goto(`${stage.url}/operator`);
        await check(page, 'operator-login');
        await page.getByRole('link', { name: 'Sign in with Slack' }).click();
        await page.goto(await stage.sandbox.signIn({ authorizeUrl: page.url(), userId: grace }));
        await page.getByRole('heading', { name: 'Overview' }).waitFor();
        await page.getByRole('link', { name: 'Sessions' }).click();
        await page.getByText('this session').waitFor();
        await check(page, 'operator-sessions');
        await page.getByRole('button', { name: 'Log out' }).last().click();
        await page.getByText('You are logged out.').waitFor();
        await page.context().close();
      });
    }
  }
});
