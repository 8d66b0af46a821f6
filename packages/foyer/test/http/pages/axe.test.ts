import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { after, before, describe, it } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import { landingPage } from '../../../src/http/pages/landing-page.ts';
import { createTexts, languages } from '../../../src/texts/create-texts.ts';
import { launchBrowser } from '../../support/launch-browser.ts';
import { brandOf } from '../../support/test-face.ts';
import { everyPage, frame, progressDocument, progressOf, siteOf } from './page-fixtures.ts';

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
/** Set PICTURES to a folder to save a screenshot of each page. */
const pictures = process.env.PICTURES;

/**
 * A brand whose color has too little contrast for text, so that the tests also check the colors that the theme
 * corrects.
 */
const site = siteOf({
  tagline: 'Stand-ups that take a minute.',
  description: 'Asks your team three questions each morning and posts the answers to one channel.',
  color: '#ffd23f',
  publisher: 'Acme Rockets Inc.',
  siteUrl: 'https://acme.test',
  privacyUrl: 'https://acme.test/privacy',
  supportUrl: 'mailto:help@acme.test',
});
const own = {
  en: { 'reason.chat:write': 'To post the answers', 'app.nextSteps': 'Try /standup\nInvite your team' },
} as const;

describe('every page, in a browser', () => {
  let browser: Browser;
  before(async () => {
    browser = await launchBrowser();
  });
  after(() => browser.close());

  async function open(width: number, colorScheme: 'light' | 'dark'): Promise<Page> {
    const height = width > 800 ? 800 : 844;
    const context = await browser.newContext({ viewport: { width, height }, colorScheme });
    const page = await context.newPage();
    // Blocks every request, since a page must load nothing.
    await page.route('**', (route) => route.abort());
    return page;
  }

  async function violations(page: Page): Promise<string[]> {
    await page.evaluate(axe);
    const found: { id: string; nodes: { html: string; failureSummary?: string }[] }[] = await page.evaluate(
      'axe.run(document, { resultTypes: ["violations"] }).then(({ violations }) => violations)',
    );
    return found.map(({ id, nodes }) => `${id}: ${nodes[0]?.html} ${nodes[0]?.failureSummary}`);
  }

  async function overflow(page: Page): Promise<number> {
    return Number(await page.evaluate('document.documentElement.scrollWidth - window.innerWidth'));
  }

  const english = { ...frame, site, words: createTexts(own).forLocale('en') };

  for (const width of [1280, 390]) {
    for (const scheme of ['light', 'dark'] as const) {
      it(`every page has no axe violation and fits a window ${width} pixels wide, in ${scheme} mode`, {
        timeout: 170_000,
      }, async () => {
        const page = await open(width, scheme);
        for (const [name, document] of everyPage(english)) {
          await page.setContent(document);
          assert.deepEqual(await violations(page), [], name);
          assert.ok((await overflow(page)) <= 0, `${name} is wider than the window`);
          if (pictures) {
            const file = name.replaceAll(' ', '-');
            await page.screenshot({ path: `${pictures}/${file}-${width}-${scheme}.png`, fullPage: true });
          }
        }
        await page.context().close();
      });
    }
  }

  for (const language of languages) {
    it(`every page fits a phone in ${language}, and has no axe violation`, { timeout: 120_000 }, async () => {
      const words = createTexts().forLocale(language);
      const page = await open(390, 'light');
      for (const [name, document] of everyPage({ ...frame, site, words })) {
        await page.setContent(document);
        assert.ok((await overflow(page)) <= 0, `${name} is wider than the window in ${language}`);
        assert.deepEqual(await violations(page), [], `${name} in ${language}`);
        if (pictures && name === 'landing') {
          await page.screenshot({ path: `${pictures}/landing-${language}.png`, fullPage: true });
        }
      }
      await page.context().close();
    });

    // Japanese may break after any character.
    if (language === 'ja') continue;
    it(`on a phone, the progress page does not break a word in the label of a step (${language})`, async () => {
      const page = await open(390, 'light');
      const steps = progressOf('failed', ['succeeded', 'skipped', 'retrying', 'failed', 'unconfirmed']);
      await page.setContent(progressDocument(steps, { ...frame, words: createTexts().forLocale(language) }));
      const broken = await page.evaluate(`[...document.querySelectorAll('.step-label')].flatMap((label) => {
        const room = label.clientWidth || label.getBoundingClientRect().width;
        const words = label.textContent.split(/\\s+/);
        return words.filter((word) => {
          const probe = label.parentElement.appendChild(document.createElement('span'));
          probe.style.cssText = 'position:absolute;white-space:nowrap';
          probe.textContent = word;
          const { width } = probe.getBoundingClientRect();
          probe.remove();
          return width > room;
        });
      })`);
      assert.deepEqual(broken, []);
      await page.context().close();
    });
  }

  it('the landing page shows the app, its maker, its permissions, what comes next, a contact and the button without scrolling', async () => {
    const scopes = ['chat:write', 'im:write', 'im:history', 'users:read', 'users:read.email', 'team:read'];
    const content = { botScopes: scopes, optionalBotScopes: ['users:read.email'], userScopes: [] };
    const page = await open(1280, 'light');
    for (const language of languages) {
      const words = createTexts().forLocale(language);
      await page.setContent(landingPage({ ...frame, site, words, ...content }));
      // These parts say what the app is, who makes it, what it may do, what happens next and whom to ask. The last is
      // the button.
      for (const part of ['.lead', '.maker', '.scopes', '.next', '.contacts', '.button-slack']) {
        const bottom = Number(
          await page.evaluate(`document.querySelector('${part}').getBoundingClientRect().bottom`),
        );
        assert.ok(bottom > 0 && bottom <= 800, `${part} ends at ${bottom} in ${language}`);
      }
      if (pictures) await page.screenshot({ path: `${pictures}/fold-${language}.png` });
    }
    await page.context().close();
  });

  it('if the app has a logo, every page shows it instead of a letter', async () => {
    const page = await open(390, 'light');
    const branded = siteOf({ ...brandOf('Standup'), logo: 'logo.png' });
    for (const [name, document] of everyPage({ ...frame, site: branded })) {
      await page.setContent(document);
      assert.equal(await page.locator('.tile img').getAttribute('src'), '/brand/logo', name);
      assert.equal(await page.locator('.tile-app').count(), 0, name);
    }
    await page.context().close();
  });
});
