import assert from 'node:assert/strict';
import { test } from 'node:test';
import { failurePage } from '../../../src/http/pages/failure-page.ts';
import { failurePages } from '../../../src/http/pages/failure-texts.ts';
import { failureKinds, frame, visibleText } from './page-fixtures.ts';

test('every cause has a status, words, one button and its name as the reference', () => {
  assert.equal(failureKinds.length, 31);
  const headings = new Set<string>();
  for (const kind of failureKinds) {
    const { status, heading, sentences } = failurePages[kind];
    assert.ok(status >= 200 && status < 600, kind);
    assert.ok(sentences({ appName: 'Foyer' }).length > 0, kind);
    headings.add(heading);
    const document = failurePage({ ...frame, kind, code: kind });
    assert.equal(document.match(/class="button"/g)?.length, 1, kind);
    assert.ok(visibleText(document).endsWith(`Reference: ${kind}`), kind);
    assert.match(document, /<meta name="robots" content="noindex">/, kind);
  }
  assert.equal(headings.size, failureKinds.length, 'two causes share a heading');
});

test('keeps the statuses that the contract fixes', () => {
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

test('says of every pass through Slack whether anything was installed', () => {
  for (const kind of failureKinds.filter((name) => failurePages[name].button.leadsTo === 'install')) {
    assert.match(failurePage({ ...frame, kind }), /<p class="fact">[^<]+<\/p>/, kind);
  }
});

test('says honestly what became of tokens that Slack had issued', () => {
  const of = (tokensRevoked: boolean | undefined) =>
    visibleText(failurePage({ ...frame, kind: 'database_unavailable', tokensRevoked }));
  assert.match(of(true), /Nothing was installed.*We gave it back straight away/);
  assert.match(of(false), /The install was not finished.*could not give it back yet/);
  assert.doesNotMatch(of(false), /Nothing was installed/);
  assert.doesNotMatch(of(undefined), /issued access/);
});

test('does not deny what Slack may have done without our hearing of it', () => {
  const of = (mayHaveActed: boolean, tokensRevoked?: boolean) =>
    visibleText(failurePage({ ...frame, kind: 'slack_unreachable', mayHaveActed, tokensRevoked }));
  assert.match(of(true), /The install was not finished.*installing again puts this right/);
  assert.doesNotMatch(of(true), /Nothing was installed/);
  assert.match(of(false), /Nothing was installed/);
  assert.match(of(true, true), /Nothing was installed.*We gave it back straight away/);
});

test('leads back into the install that was asked for, and elsewhere to the start page', () => {
  const retry = failurePage({ ...frame, kind: 'state_expired', retryUrl: '/slack/install?team=T1' });
  assert.match(retry, /href="\/slack\/install\?team=T1">Start again</);
  assert.match(failurePage({ ...frame, kind: 'not_found' }), /href="\/">Go to the start page</);
});

test('claims nothing of an app that may be in the workspace from before', () => {
  for (const kind of ['access_denied', 'state_missing'] as const) {
    const text = visibleText(failurePage({ ...frame, kind }));
    assert.doesNotMatch(text, /no access|is installed|was not added/, kind);
  }
});

test('denies no install to whoever only looked at one, and leads to the same page again', () => {
  const document = failurePage({ ...frame, kind: 'temporarily_unavailable', path: '/installs/abc' });
  assert.doesNotMatch(visibleText(document), /[Nn]othing was installed|not finished|save your install/);
  assert.match(document, /href="\/installs\/abc">Try again</);
  assert.match(failurePage({ ...frame, kind: 'temporarily_unavailable' }), /href="\/">Try again</);
});

test('shows Slack’s own error small beside the reference, escaped', () => {
  const document = failurePage({ ...frame, kind: 'slack_refused', code: 'team_not_allowed<b>' });
  assert.match(
    document,
    /Reference: <code>slack_refused<\/code> \(<code>team_not_allowed&lt;b&gt;<\/code>\)/,
  );
});

test('shows the reason of a gate, escaped, and its own words if there is none', () => {
  const refused = failurePage({ ...frame, kind: 'gate_refused', reason: 'Only <b>Acme</b> & friends.' });
  assert.match(refused, /<p>Only &lt;b&gt;Acme&lt;\/b&gt; &amp; friends\.<\/p>/);
  assert.match(visibleText(failurePage({ ...frame, kind: 'gate_refused' })), /does not accept installs/);
});
