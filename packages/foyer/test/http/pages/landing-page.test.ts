import assert from 'node:assert/strict';
import { test } from 'node:test';
import { landingPage } from '../../../src/http/pages/landing-page.ts';
import { frame, landingDocument, visibleText } from './page-fixtures.ts';

test('says what the app does and leads to the install', () => {
  const document = landingDocument();
  assert.match(
    document,
    /<a class="button button-slack" href="\/slack\/install"><svg[\s\S]*?<span>Add to Slack<\/span><\/a>/,
  );
  assert.match(visibleText(document), /Add Foyer to Slack A welcome done well\. Add to Slack/);
});

test('tells each scope in a sentence with its own name, and a scope without a sentence by its name once', () => {
  const text = visibleText(landingDocument());
  assert.match(text, /Send messages as the app chat:write/);
  assert.equal(text.split('made:up').length, 2);
});

test('marks only what may be declined, and lists it last', () => {
  const text = visibleText(landingDocument());
  assert.match(
    text,
    /made:up See the email addresses of people in the workspace users:read\.email You may decline this/,
  );
  assert.equal(text.split('You may decline this').length, 2);
});

test('sets apart what it may do on behalf of the installer, when there is any', () => {
  assert.match(visibleText(landingDocument()), /On your own behalf Add emoji reactions reactions:write/);
  const without = landingPage({
    ...frame,
    description: '',
    botScopes: [],
    optionalBotScopes: [],
    userScopes: [],
  });
  assert.doesNotMatch(without, /On your own behalf|class="lead"/);
});
