import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pageHeaders } from '../../../src/http/pages/page-headers.ts';
import { everyPage, frame, progressDocument, progressOf, siteOf } from './page-fixtures.ts';

const pages = everyPage();

test('every page is a document with a language, a title, one main and one h1', () => {
  for (const [name, text] of pages) {
    assert.match(text, /^<!doctype html>\n<html lang="en" dir="ltr">/, name);
    assert.match(text, /<title>[^<]*Foyer[^<]*<\/title>/, name);
    assert.match(text, /<meta name="viewport"/, name);
    assert.equal(text.match(/<main\b/g)?.length, 1, name);
    assert.equal(text.match(/<h1\b/g)?.length, 1, name);
    assert.equal(text.match(/<footer\b/g)?.length, 1, name);
  }
});

test('no page has an inline handler, a style attribute, or a script or style without the nonce', () => {
  for (const [name, text] of pages) {
    const tags =
      text.replace(/(<(?:script|style)\b[^>]*>)[\s\S]*?(?=<\/)/g, '$1').match(/<[a-z][^>]*>/gi) ?? [];
    for (const tag of tags) {
      assert.doesNotMatch(tag, /\s(?:on[a-z]+|style)\s*=/i, `${name}: ${tag}`);
      if (/^<(?:script|style)\b/.test(tag)) assert.match(tag, new RegExp(`nonce="${frame.nonce}"`), name);
    }
  }
});

test('no page loads an external resource, and a form on a page posts only to Foyer', () => {
  for (const [name, text] of pages) {
    assert.doesNotMatch(text, /\ssrc=|@import|url\(|<(?:iframe|object|embed|base)\b/i, name);
    // A page with a question has one form, which posts to Foyer.
    const forms = [...text.matchAll(/<form\b[^>]*action="([^"]*)"/g)].map(([, action]) => action);
    const asks = /^asked (?:choice|long-choice|text)$/.test(name);
    assert.deepEqual(
      forms,
      name.startsWith('question') ? ['/slack/install'] : asks ? ['/installs/abc'] : [],
      name,
    );
    for (const [, href] of text.matchAll(/<link\b[^>]*href="([^"]*)"/g))
      assert.match(href ?? '', /^data:/, name);
    for (const [, href] of text.matchAll(/<a\b[^>]*href="([^"]*)"/g)) {
      // An empty href reloads the page.
      assert.match(href ?? '#', /^$|^(?:https:|mailto:|slack:|\/)/, `${name}: ${href}`);
    }
  }
});

test('every page shows the privacy and support links when they are configured, and only then', () => {
  for (const [name, text] of pages) {
    assert.match(text, /href="https:\/\/example\.com\/privacy">Privacy</, name);
    assert.match(text, /href="mailto:help@example\.com">Support</, name);
  }
  for (const [name, text] of everyPage({ ...frame, site: siteOf() })) {
    assert.doesNotMatch(text, />(?:Privacy|Support)</, name);
  }
});

test('no page turns a hostile app name or team name into markup, or a hostile address into a link', () => {
  const hostile = '"><img src=x onerror=alert(1)><script>alert(2)</script>';
  const site = siteOf({
    name: hostile,
    publisher: hostile,
    tagline: hostile,
    description: hostile,
    siteUrl: 'javascript:alert(3)',
    supportUrl: 'javascript:alert(3)',
    privacyUrl: 'data:text/html,x',
  });
  for (const [name, text] of [
    ...everyPage({ ...frame, site }),
    ['team', progressDocument(progressOf('running', [], { teamName: hostile }))] as const,
  ]) {
    assert.doesNotMatch(text, /<img|<script>|href="(?:javascript|data:text)/, name);
  }
});

test('every local link on a page starts with the base path', () => {
  for (const [name, text] of everyPage({
    ...frame,
    site: siteOf({ logo: 'logo.png' }, { basePath: '/in/slack' }),
  })) {
    for (const [, href = ''] of text.matchAll(/\s(?:href|src)="(\/[^"]*)"/g)) {
      assert.match(href, /^\/in\/slack(?:\/|$)/, `${name}: ${href}`);
    }
  }
});

test('the headers of a page allow only its own style and script, connections to Foyer, and pictures', () => {
  const headers = pageHeaders({ nonce: 'abc', secure: false });
  assert.equal(
    headers['Content-Security-Policy'],
    "default-src 'none'; style-src 'nonce-abc'; script-src 'nonce-abc'; connect-src 'self'; img-src 'self' https: data:; " +
      "form-action 'none'; base-uri 'none'; frame-ancestors 'none'",
  );
  assert.equal(headers['Content-Type'], 'text/html; charset=utf-8');
  assert.equal(headers['Referrer-Policy'], 'no-referrer');
  assert.equal(headers['X-Content-Type-Options'], 'nosniff');
  assert.equal(headers['X-Frame-Options'], 'DENY');
  assert.equal(headers['Cache-Control'], 'no-store');
  assert.equal(headers['Cross-Origin-Opener-Policy'], 'same-origin');
  assert.equal(headers['X-Robots-Tag'], undefined);
  assert.equal(headers['Strict-Transport-Security'], undefined);
});

test('the headers of a page can require https, forbid indexing and allow forms', () => {
  const headers = pageHeaders({ nonce: 'abc', secure: true, noIndex: true, formAction: 'self' });
  assert.match(headers['Strict-Transport-Security'] ?? '', /^max-age=\d+$/);
  assert.match(headers['X-Robots-Tag'] ?? '', /noindex/);
  assert.match(headers['Content-Security-Policy'] ?? '', /form-action 'self'/);
});
