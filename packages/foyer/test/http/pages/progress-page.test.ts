import assert from 'node:assert/strict';
import { test } from 'node:test';
import { progressPage } from '../../../src/http/pages/progress-page.ts';
import { type Progress, progressStatus } from '../../../src/http/pages/progress-status.ts';
import { plainName } from '../../../src/slack/slack-text.ts';
import { createTexts } from '../../../src/texts/create-texts.ts';
import { frame, progressDocument, progressOf, visibleText, wordsOf } from './page-fixtures.ts';

const S = 'succeeded';
const textOf = (progress: Progress) => visibleText(progressDocument(progress));

test('the progress page shows each step with its state in words, and tells the person that they can close the page', () => {
  const text = textOf(progressOf('running', [S, 'running']));
  assert.match(text, /Setting up Foyer Foyer is installed in Acme Rockets/);
  assert.match(text, /You can close this page/);
  assert.match(
    text,
    /Register the workspace Done Registering the person who installs Working Read the profile To do/,
  );
  assert.match(text, /Reference: run_1$/);
});

test('without scripts, the progress page reloads automatically until the run is done', () => {
  for (const status of ['connecting', 'queued', 'running', 'waiting'] as const) {
    const document = progressDocument(progressOf(status));
    assert.match(document, /<noscript><meta http-equiv="refresh" content="2"><\/noscript>/, status);
    assert.match(document, /<script nonce=/, status);
  }
  for (const status of [S, 'failed', 'cancelled', 'not_installed'] as const) {
    const document = progressDocument(progressOf(status));
    assert.doesNotMatch(document, /http-equiv|<script|<template/, status);
  }
});

test('the progress page reloads only every thirty seconds while the run waits for an admin', () => {
  const progress = progressOf('waiting', [S], { waitingFor: 'team_access_granted' });
  assert.match(progressDocument(progress), /content="30"/);
  assert.match(
    textOf(progress),
    /no workspace has it yet\. An org admin must add it to one: in Slack’s admin pages/,
  );
  assert.match(textOf(progress), /Register the person who installs Waiting/);
});

test('the progress page says that Foyer will try a step again automatically', () => {
  const steps = progressOf('waiting', [S, 'retrying']).steps.map((step) =>
    step.status === 'retrying' ? { ...step, attempts: 2, errorCode: 'rate_limited' } : step,
  );
  const text = textOf(progressOf('waiting', [], { steps }));
  assert.match(text, /Still setting up Foyer/);
  assert.match(text, /Trying again Slack asked us to wait\. It will be tried again automatically\./);
});

test('when setup is complete, the progress page links to Slack with an address that works without the desktop app', () => {
  const document = progressDocument(progressOf(S, [S, S, S, S, S, 'skipped']));
  assert.match(
    visibleText(document),
    /You’re all set Foyer is ready in Acme Rockets\. A welcome message is waiting/,
  );
  assert.match(
    document,
    /data-offer="open">\s*<a class="button" href="https:\/\/slack\.com\/app_redirect[^"]*">Open in Slack<\/a>\s*<a class="quiet" href="slack:\/\/app\?team=T1&amp;id=A1&amp;tab=home"/,
  );
  assert.match(document, /data-offer="install" hidden>/);
});

test('the progress page does not promise a welcome that is unconfirmed or was not sent', () => {
  const unconfirmed = textOf(progressOf(S, [S, S, S, 'unconfirmed', S, S]));
  assert.match(unconfirmed, /could not confirm that your welcome message arrived/);
  assert.match(unconfirmed, /Not confirmed The welcome may have arrived\. Look for Foyer in Slack/);
  assert.doesNotMatch(textOf(progressOf(S, [S, S, S, 'skipped', S, S])), /is waiting for you/);
});

test('if a step failed, the progress page names the step and says that the app is installed nevertheless', () => {
  const steps = progressOf('failed', [S, S, S, 'failed', 'skipped', 'skipped']).steps.map((step) =>
    step.status === 'failed' ? { ...step, errorCode: 'missing_scope' } : step,
  );
  const text = textOf(progressOf('failed', [], { steps }));
  assert.match(text, /Foyer is installed, but setup is not complete/);
  assert.match(text, /Send the welcome message Failed Slack says that a permission is missing\./);
  assert.match(text, /Open in Slack/);
});

test('the progress page of a cancelled run says whether the app was removed or a newer install took over', () => {
  const steps = progressOf('cancelled', [S, 'skipped', 'skipped']).steps.map((step, index) => ({
    ...step,
    errorCode: ['', 'not_configured', 'run_cancelled'][index] || null,
  }));
  const removed = textOf(progressOf('cancelled', [], { steps, cancelledBy: 'uninstall' }));
  assert.match(removed, /was removed from Acme Rockets.*Start again/);
  assert.match(removed, /Register the person who installs Skipped Read the profile Stopped/);
  const replaced = textOf(progressOf('cancelled', [S], { cancelledBy: 'reinstall' }));
  assert.match(replaced, /A newer install took over.*Open in Slack/);
});

test('the progress page says neither “installed” nor “ready” before the install is stored, or if nothing was installed', () => {
  for (const status of ['connecting', 'not_installed'] as const) {
    assert.doesNotMatch(
      textOf(progressOf(status, [], { id: null, teamName: null, steps: [] })),
      /is installed|is ready/,
    );
  }
});

test('progressStatus returns the same texts as the progress page shows, and the documented fields of the run and of each step', () => {
  const progress = progressOf('running', [S, 'retrying']);
  const status = progressStatus(wordsOf(frame), progress);
  assert.deepEqual(
    [status.id, status.status, status.done, status.teamName],
    ['run_1', 'running', false, 'Acme Rockets'],
  );
  const { name, label, status: stepStatus, attempts, error } = status.steps[1] ?? {};
  assert.deepEqual(
    { name, label, stepStatus, attempts, error },
    {
      name: 'register-user',
      label: 'Register the person who installs',
      stepStatus: 'retrying',
      attempts: 1,
      error: null,
    },
  );
  const text = visibleText(progressPage({ ...frame, progress: status, statusUrl: '/s' }));
  for (const words of [status.heading, status.message, status.hint])
    assert.ok(text.includes(words ?? '?'), String(words));
});

test('the progress page has a polite live region, and its script has no syntax error and uses only ids that exist', () => {
  const document = progressDocument(progressOf('running'));
  assert.match(document, /role="status" aria-live="polite"/);
  const source = /<script[^>]*>([\s\S]*)<\/script>/.exec(document)?.[1] ?? '';
  assert.doesNotThrow(() => new Function(source));
  for (const [, id] of source.matchAll(/(?:byId|getElementById)\('(\w+)'\)/g)) {
    assert.match(document, new RegExp(`id="${id}"`), id);
  }
});

test('the progress page names the current step during setup, and opens the list of steps only if setup failed', () => {
  const document = progressDocument(progressOf('running', [S, 'running']));
  assert.match(document, /<span id="doing">Registering the person who installs<\/span>/);
  assert.match(document, /<details id="details" class="card">\s*<summary id="summary">Setup details</);
  const done = progressDocument(progressOf(S, [S, S, S, S, S, S]));
  assert.match(done, /<details id="details" class="card">\s*<summary id="summary">Setup complete</);
  assert.match(done, /<p id="now" class="now" hidden>/);
  const failed = progressDocument(progressOf('failed', [S, 'failed']));
  assert.match(failed, /<details id="details" class="card" open>/);
});

test('the progress page never shows a step that is meant for operators', () => {
  const progress = progressOf('failed', [S, S, S, S, S, 'failed']);
  const status = progressStatus(wordsOf(frame), progress);
  assert.equal(status.steps.length, 5);
  assert.doesNotMatch(progressDocument(progress), /notify-operators|app’s team/);
});

test('the progress page counts only failed attempts, and does not say that a step failed if the step only waited', () => {
  const noteOf = (status: 'running' | 'retrying', more: { failures: number; errorCode: string | null }) => {
    const progress = progressOf('running', [status]);
    const steps = progress.steps.map((step) => ({ ...step, attempts: 5, ...more }));
    return progressStatus(wordsOf(frame), { ...progress, steps }).steps[0]?.note;
  };
  assert.equal(noteOf('running', { failures: 0, errorCode: null }), null);
  assert.equal(noteOf('running', { failures: 2, errorCode: null }), 'Attempt 3.');
  assert.equal(noteOf('retrying', { failures: 0, errorCode: null }), 'It will be tried again automatically.');
  assert.match(noteOf('retrying', { failures: 1, errorCode: 'timeout' }) ?? '', /did not answer in time/);
});

test('the progress page says that setup is complete even while Foyer still retries the notice to the operators', () => {
  for (const last of ['retrying', 'running'] as const) {
    const progress = progressOf('waiting', [S, S, S, S, S, last]);
    const tried = { ...progress, steps: progress.steps.map((step) => ({ ...step, attempts: 2 })) };
    const whole = progressStatus(wordsOf(frame), progressOf(S, [S, S, S, S, S, S]));
    const { heading, message, summary, done, status } = progressStatus(wordsOf(frame), tried);
    assert.deepEqual([heading, message, summary], [whole.heading, whole.message, whole.summary], last);
    assert.deepEqual([done, status], [false, 'waiting'], 'the run itself continues');
  }
  const open = progressStatus(wordsOf(frame), progressOf('waiting', [S, S, S, S, 'retrying', 'pending']));
  assert.match(open.heading, /Still setting up/);
});

test('the progress page never shows an error message that a developer wrote', () => {
  const steps = progressOf('failed', [S, 'failed', 'retrying']).steps.map((step) => ({
    ...step,
    errorCode: 'crm_down',
    errorMessage: 'connect ECONNREFUSED 10.0.0.7 with key s3cret',
  }));
  const document = progressDocument(progressOf('failed', [], { steps }));
  assert.doesNotMatch(document, /ECONNREFUSED|s3cret/);
  assert.match(visibleText(document), /It did not work\. The people who run Foyer can look up why\./);
});

test('the progress page says why a step was skipped, unless it was skipped because an earlier step failed', () => {
  const skippedAs = (status: 'succeeded' | 'failed', errorCode: string) => {
    const { steps } = progressOf(status, [S, S, status, 'skipped', 'skipped', S]);
    const coded = steps.map((step) => (step.name === 'send-welcome' ? { ...step, errorCode } : step));
    const shown = progressStatus(wordsOf(frame), progressOf(status, [], { steps: coded }));
    return shown.steps.find(({ name }) => name === 'send-welcome')?.note;
  };
  assert.equal(skippedAs('succeeded', 'already_sent'), 'Not needed this time.');
  assert.equal(skippedAs('failed', 'already_sent'), 'Not needed this time.');
  assert.equal(skippedAs('failed', 'earlier_step_failed'), null);
});

test('while a step waits for an answer to its question, the progress page shows the step’s `doing` title', () => {
  const titles = { 'step.fetch-profile.todo': 'Choose a channel', 'step.fetch-profile.doing': 'Your choice' };
  const shown = { ...wordsOf(frame), words: createTexts({ en: titles }).forLocale('en') };
  const stepOf = (waitingFor: string) => {
    const [, , step] = progressStatus(shown, progressOf('waiting', [S, S], { waitingFor })).steps;
    return [step?.label, step?.statusText];
  };
  assert.deepEqual(stepOf('answer'), ['Your choice', 'Waiting']);
  assert.deepEqual(stepOf('team_access_granted'), ['Choose a channel', 'Waiting']);
});

test('the progress page suggests the app’s own next steps when setup is complete, and not before', () => {
  const words = createTexts({ en: { 'app.nextSteps': 'Try /standup\n\nInvite your team' } }).forLocale('en');
  const own = { ...frame, words };
  const done = visibleText(progressDocument(progressOf(S, [S]), own));
  assert.match(done, /What to do next Try \/standup Invite your team/);
  assert.doesNotMatch(visibleText(progressDocument(progressOf('running', [S]), own)), /standup/);
});

test('the progress page suggests writing to the app only if the app receives messages', () => {
  const steps = { 'app.nextSteps.messages': 'Say hello to it', 'app.nextSteps': 'Invite your team' };
  const words = createTexts({ en: steps }).forLocale('en');
  const shown = (hearsMessages: boolean): string =>
    visibleText(progressDocument(progressOf(S, [S]), { ...frame, words, hearsMessages }));
  assert.match(shown(true), /What to do next Say hello to it Invite your team/);
  assert.match(shown(false), /What to do next Invite your team/);
});

test('`plainName` keeps a name from reversing or flooding the sentence around it', () => {
  assert.equal(plainName('Acme\u202egnp.exe\n', 'x'), 'Acme gnp.exe');
  assert.equal(plainName('שלום', 'x'), '\u2068שלום\u2069');
  assert.equal([...plainName('🚀'.repeat(500), 'x')].length, 80);
  assert.equal(plainName(null, 'your workspace'), 'your workspace');
  assert.equal(plainName(' \u202e ', 'your workspace'), 'your workspace');
});
