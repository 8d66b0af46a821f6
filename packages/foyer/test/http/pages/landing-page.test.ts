import assert from 'node:assert/strict';
import { test } from 'node:test';
import { landingPage } from '../../../src/http/pages/landing-page.ts';
import { createTexts } from '../../../src/texts/create-texts.ts';
import { frame, landingDocument, siteOf, visibleText } from './page-fixtures.ts';

test('the landing page says what the app does and leads to the install', () => {
  const document = landingDocument();
  assert.match(
    document,
    /<a class="button button-slack" href="\/slack\/install"><svg[\s\S]*?<span>Add to Slack<\/span><\/a>/,
  );
  assert.match(visibleText(document), /Add Foyer to Slack Made by Foyer A welcome done well\. Add to Slack/);
});

test('the landing page describes each scope in a sentence, or says that it has no description of the scope', () => {
  const text = visibleText(landingDocument());
  assert.match(text, /Send messages as the app chat:write/);
  assert.match(text, /A permission that we have no description for made:up/);
});

test('the landing page marks optional scopes as optional, and lists them last', () => {
  const text = visibleText(landingDocument());
  assert.match(text, /made:up See the email addresses of people in the workspace users:read\.email Optional/);
  assert.equal(text.split('Optional').length, 2);
});

test('the landing page lists user scopes separately, if there are any', () => {
  assert.match(
    visibleText(landingDocument()),
    /What it may do on your behalf Add and remove emoji reactions reactions:write/,
  );
  const without = landingPage({
    ...frame,
    botScopes: [],
    optionalBotScopes: [],
    userScopes: [],
  });
  assert.doesNotMatch(without, /in your name/);
});

test('the landing page shows the app’s reason for a scope next to that scope, and the contact next to the button', () => {
  const words = createTexts({ en: { 'reason.chat:write': 'To post your stand-ups' } }).forLocale('en');
  const site = siteOf({
    publisher: 'Acme Inc.',
    siteUrl: 'https://acme.test',
    supportUrl: 'mailto:a@acme.test',
  });
  const text = visibleText(landingDocument({ ...frame, site, words }));
  assert.match(text, /Send messages as the app chat:write Why: To post your stand-ups/);
  assert.match(text, /Made by Acme Inc\..*Add to Slack Questions\? Contact Acme Inc\./);
});

test('the landing page has the Open Graph title, description, URL and picture with which Slack unfurls its link', () => {
  const site = siteOf({ tagline: 'Does it well.', logo: 'logo.png' }, { basePath: '/in' });
  const document = landingDocument({ ...frame, site });
  const of = (property: string) =>
    new RegExp(`<meta property="og:${property}" content="([^"]*)">`).exec(document)?.[1];
  assert.deepEqual(['title', 'description', 'url', 'image'].map(of), [
    'Add Foyer to Slack',
    'Does it well.',
    'https://foyer.test/in',
    'https://foyer.test/in/brand/logo',
  ]);
  assert.match(document, /<link rel="apple-touch-icon" href="\/in\/brand\/logo">/);
});
