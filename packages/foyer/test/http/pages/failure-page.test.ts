import assert from 'node:assert/strict';
import { test } from 'node:test';
import { failurePage } from '../../../src/http/pages/failure-page.ts';
import { failurePages, failureWords } from '../../../src/http/pages/failure-texts.ts';
import { failureKinds, frame, visibleText } from './page-fixtures.ts';

test('each failure page has its own heading, two sentences, a contact, and a reference that names the cause and the request', () => {
  assert.equal(failureKinds.length, 48);
  const headings = new Set<string>();
  for (const kind of failureKinds) {
    const { status, button } = failurePages[kind];
    const { heading, sentences } = failureWords(frame.words, kind, { app: 'Foyer' });
    assert.ok(status >= 200 && status < 600, kind);
    assert.equal(sentences.length, 2, kind);
    headings.add(heading);
    const document = failurePage({ ...frame, kind, code: kind, requestId: 'req_1' });
    assert.equal(document.match(/class="button"/g)?.length ?? 0, button === 'none' ? 0 : 1, kind);
    const text = visibleText(document);
    const saidNo = kind === 'access_denied' || kind === 'signin_cancelled';
    const help = saidNo
      ? /Do you have a question first\? Contact support ?\./
      : /Still stuck\? Contact support and include the reference below/;
    assert.match(text, help, kind);
    assert.ok(text.endsWith(`Reference: ${kind} · req_1`), `${kind}: ${text.slice(-80)}`);
    assert.match(document, /<meta name="robots" content="noindex">/, kind);
  }
  assert.equal(headings.size, failureKinds.length, 'two causes share a heading');
});

test('a failure page asks people to include the reference only if it has an id that can be looked up', () => {
  const unlinked = { ...frame, site: { ...frame.site, brand: { ...frame.site.brand, supportUrl: null } } };
  for (const kind of failureKinds.filter((name) => !/^(?:access_denied|signin_cancelled)$/.test(name))) {
    const without = visibleText(failurePage({ ...frame, kind, code: kind }));
    assert.match(without, /Still stuck\? Contact support ?\./, kind);
    assert.doesNotMatch(without, /include the reference/, kind);
    const unlinkedText = visibleText(failurePage({ ...unlinked, kind, code: kind }));
    assert.match(unlinkedText, /Still stuck\? Ask the people who run \w+\./, kind);
  }
});

test('failure pages have the documented HTTP status, such as 200 after a cancel, 503 in an outage and 404 for an unknown page', () => {
  const statuses = Object.fromEntries(failureKinds.map((kind) => [kind, failurePages[kind].status]));
  assert.equal(statuses.access_denied, 200);
  for (const kind of failureKinds.filter((name) => name.startsWith('state_')))
    assert.equal(statuses[kind], 400, kind);
  assert.equal(statuses.slack_unreachable, 502);
  assert.equal(statuses.database_unavailable, 503);
  assert.equal(statuses.temporarily_unavailable, 503);
  assert.equal(statuses.not_found, 404);
  assert.equal(statuses.progress_expired, 404);
  assert.equal(statuses.method_not_allowed, 405);
  assert.equal(statuses.payload_too_large, 413);
});

test('the failure page of every failed OAuth attempt says what became of the install', () => {
  for (const kind of failureKinds.filter(
    (name) => !['again', 'startPage', 'thatAddress'].includes(failurePages[name].button),
  )) {
    assert.match(failurePage({ ...frame, kind }), /<p class="fact">[^<]+<\/p>/, kind);
  }
});

test('if a request exceeds a limit, “Try again” on the failure page repeats the same address, including its query parameters', () => {
  for (const kind of ['too_many_requests', 'signin_limited'] as const) {
    assert.match(failurePage({ ...frame, kind }), /<a class="button" href="">Try again</, kind);
    assert.match(failurePage({ ...frame, kind, path: '/in/' }), /<a class="button" href="\/in\/">/, kind);
  }
});

test('if Slack had issued tokens, a failure page says whether they were revoked', () => {
  const of = (tokensRevoked: boolean | undefined) =>
    visibleText(failurePage({ ...frame, kind: 'database_unavailable', tokensRevoked }));
  assert.match(of(true), /Nothing was installed.*We revoked it immediately/);
  assert.match(of(false), /The install did not finish.*could not revoke it yet/);
  assert.doesNotMatch(of(false), /Nothing was installed/);
  assert.doesNotMatch(of(undefined), /granted access/);
  const refused = (tokensRevoked: boolean) =>
    visibleText(failurePage({ ...frame, kind: 'already_connected', tokensRevoked }));
  assert.match(refused(true), /Nothing changed/);
  assert.match(refused(false), /The install did not finish.*could not revoke it yet/);
});

test('a failure page does not claim that nothing was installed if Slack may have installed the app without answering', () => {
  const of = (mayHaveActed: boolean, tokensRevoked?: boolean) =>
    visibleText(failurePage({ ...frame, kind: 'slack_unreachable', mayHaveActed, tokensRevoked }));
  assert.match(of(true), /The install did not finish.*installing it again fixes this/);
  assert.doesNotMatch(of(true), /Nothing was installed/);
  assert.match(of(false), /Nothing was installed/);
  assert.match(of(true, true), /Nothing was installed.*We revoked it immediately/);
});

test('a failure page leads back to the requested install, or to the start page', () => {
  const retry = failurePage({ ...frame, kind: 'state_expired', retryPath: '/slack/install?team=T1' });
  assert.match(retry, /href="\/slack\/install\?team=T1">Start again</);
  assert.match(failurePage({ ...frame, kind: 'not_found' }), /href="\/">Go to the start page</);
});

test('a failure page after a cancel, or for a callback without a state, makes no claim about an earlier install', () => {
  for (const kind of ['access_denied', 'state_missing'] as const) {
    const text = visibleText(failurePage({ ...frame, kind }));
    assert.doesNotMatch(text, /no access|is installed|was not added/, kind);
  }
});

test('a failure page that replaces a progress page links to the progress page, and does not say that nothing was installed', () => {
  const document = failurePage({ ...frame, kind: 'temporarily_unavailable', path: '/installs/abc' });
  assert.doesNotMatch(visibleText(document), /[Nn]othing was installed|not finished|save your install/);
  assert.match(document, /href="\/installs\/abc">Try again</);
  assert.match(failurePage({ ...frame, kind: 'temporarily_unavailable' }), /href="\/">Try again</);
});

test('a failure page shows Slack’s error code in small print next to the reference, escaped', () => {
  const document = failurePage({ ...frame, kind: 'slack_refused', code: 'team_not_allowed<b>' });
  assert.match(
    document,
    /<code translate="no">slack_refused<\/code> · <code translate="no">team_not_allowed&lt;b&gt;<\/code>/,
  );
});

test('a failure page shows the reason that an install gate gives, escaped, or a default text if the gate gives none', () => {
  const refused = failurePage({ ...frame, kind: 'gate_refused', reason: 'Only <b>Acme</b> & friends.' });
  assert.match(refused, /<p>Only &lt;b&gt;Acme&lt;\/b&gt; &amp; friends\.<\/p>/);
  assert.match(visibleText(failurePage({ ...frame, kind: 'gate_refused' })), /does not accept installs/);
});
