import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { HomeView } from '@slack/types';
import fc from 'fast-check';
import { checkBlocks, createFaultList } from 'slack-sandbox';
import type { HistoryRecord } from '../../src/database/history.ts';
import type { InstallRecord, StepRecord } from '../../src/database/install-record.ts';
import type { HistoryKind } from '../../src/database/records.ts';
import type { HomeContent } from '../../src/home/home-content.ts';
import { homeBlocks } from '../../src/home/home-view.ts';
import { homeView as viewOfBlocks } from '../../src/home/read-home.ts';
import { homeActions, mayAct } from '../../src/home/viewer.ts';
import { builtInSteps } from '../../src/steps/steps.ts';
import { stepFaces } from '../../src/texts/create-texts.ts';
import { content, installedAt, profile, run, scopes, step } from './home-content.ts';

const homeView = (shown: HomeContent): HomeView => viewOfBlocks(homeBlocks(shown));

/** Every text that a view shows, in order, one per line. */
function textOf(view: HomeView): string {
  const texts: string[] = [];
  JSON.stringify(view.blocks, (key, value) => {
    if (key === 'text' && typeof value === 'string') texts.push(value);
    return value;
  });
  return texts.join('\n');
}

function actionIds(view: HomeView): string[] {
  return [...JSON.stringify(view).matchAll(/"action_id":"([^"]+)"/g)].map((match) => match[1] ?? '');
}

const outsider = { userId: 'U9', isAdmin: false, profile: undefined };
const failedRun = run('failed', [
  step('register-team', 'succeeded'),
  step('send-welcome', 'failed', {
    attempts: 3,
    errorCode: 'missing_scope',
    errorMessage: 'Slack answered missing_scope (needs im:write)',
  }),
]);

describe('the Home view of a finished install', () => {
  const text = textOf(homeView(content()));

  it('the Home view of a finished install names the workspace and the installer, and says that everything is in place', () => {
    assert.match(text, /^Foyer in Acme$/m);
    assert.match(text, /\*Installed by\*\n<@U1>/);
    assert.match(text, /✓ {2}\*Everything is in place\.\*/);
  });

  it('the Home view shows the time of the install in the reader’s time zone, with UTC as the fallback', () => {
    const seconds = installedAt / 1000;
    assert.ok(text.includes(`<!date^${seconds}^{date_long_pretty}, {time}|2026-05-12 09:30 UTC>`));
  });

  it('the Home view lists each granted scope with a sentence that explains it', () => {
    assert.match(text, /Send messages as the app {2}`chat:write`/);
    for (const scope of scopes) assert.ok(text.includes(`\`${scope}\``), scope);
  });

  it('the Home view of a finished install is the same if it is built twice from the same content', () => {
    assert.deepEqual(homeView(content()), homeView(content()));
  });

  it('the Home view names the organization of an org-wide install', () => {
    const org = { isEnterpriseInstall: true, teamId: null, teamName: null, enterpriseId: 'E1' };
    const view = homeView(content({}, { ...org, enterpriseName: 'Globex' }));
    assert.match(textOf(view), /\*Organization\*\nGlobex/);
  });
});

describe('the Home view’s permissions', () => {
  const update = (granted: string[]) => homeView(content({}, { botScopes: granted }));

  it('the Home view offers no permission update if all permissions are granted', () => {
    assert.deepEqual(actionIds(update(scopes)), [homeActions.sendWelcome]);
  });

  it('the Home view says how many permissions are missing, and links to an install of the same team', () => {
    const view = update(scopes.filter((scope) => scope !== 'im:write' && scope !== 'team:read'));
    assert.match(textOf(view), /2 permissions are missing/);
    assert.deepEqual(actionIds(view), [homeActions.sendWelcome, homeActions.updatePermissions]);
    assert.match(textOf(view), /✕ {2}\*Permissions are missing\.\*/);
    assert.doesNotMatch(textOf(view), /Everything is in place/);
    assert.ok(JSON.stringify(view).includes('"url":"https://foyer.test/slack/install?team=T1"'));
  });

  it('the Home view does not list a declined optional scope as missing', () => {
    const view = update(scopes.filter((scope) => scope !== 'users:read.email'));
    assert.doesNotMatch(textOf(view), /missing/);
    assert.match(textOf(view), /\*Not granted\.\*[\s\S]*`users:read\.email`/);
    assert.deepEqual(actionIds(view), [homeActions.sendWelcome, homeActions.updatePermissions]);
  });

  it('the Home view lists at most thirty scopes in each list, and says how many more there are', () => {
    const many = Array.from({ length: 300 }, (_, index) => `scope:${index}`);
    const text = textOf(homeView(content({ requestedScopes: many }, { botScopes: many.slice(0, 200) })));
    assert.match(text, /100 permissions are missing/);
    assert.match(text, /70 more permissions not listed here/);
    assert.match(text, /170 more permissions not listed here/);
  });

  it('the Home view says what to do if Slack no longer accepts the token', () => {
    const view = homeView(content({}, { status: 'broken', brokenReason: 'token_revoked' }));
    assert.match(textOf(view), /Slack no longer accepts its token \(`token_revoked`\)\. Install it again/);
    assert.deepEqual(actionIds(view), [homeActions.updatePermissions]);
  });
});

describe('the Home view’s steps', () => {
  it('the Home view explains a failed step in plain words, with its error code and number of attempts', () => {
    const text = textOf(homeView(content({}, { run: failedRun })));
    assert.match(
      text,
      /Send the welcome message\* · failed after 3 attempts\n>.*permission is missing\. `missing_scope`/,
    );
  });

  it('the Home view does not count a step’s attempts that only asked a question or waited', () => {
    const asked = step('plan', 'succeeded', { attempts: 3 });
    const failedOnce = step('fetch-profile', 'succeeded', { attempts: 2, failures: 1 });
    const text = textOf(homeView(content({}, { run: run('succeeded', [asked, failedOnce]) })));
    assert.deepEqual(text.match(/after \d+ attempts?/g), ['after 2 attempts']);
  });

  it('the Home view shows a step that waits for an answer as in progress, with the step’s `doing` title', () => {
    const title = { todo: 'Choose a channel', doing: 'Waiting for your choice' };
    const faces = { choose: { title, forOperators: false }, notify: { title, forOperators: false } };
    const steps = [step('register-team', 'succeeded'), step('choose', 'pending'), step('notify', 'pending')];
    const stepsOf = (waitingFor: string | null): string[] => {
      const shown = content({ faces }, { run: run('waiting', steps, { waitingFor }) });
      return textOf(homeView(shown)).match(/^[○◐] {2}(?:Choose|Waiting for your).*$/gm) ?? [];
    };
    const todo = '○  Choose a channel · to do';
    assert.deepEqual(stepsOf('answer'), ['◐  Waiting for your choice · in progress', todo]);
    assert.deepEqual(stepsOf(null), [todo, todo]);
  });

  it('the Home view shows when a step will be retried', () => {
    const retrying = step('fetch-profile', 'retrying', { attempts: 2, errorCode: 'timeout' });
    const waiting = run('waiting', [retrying], { dueAt: installedAt + 60_000 });
    const text = textOf(homeView(content({}, { run: waiting })));
    assert.ok(text.includes(`next try <!date^${installedAt / 1000 + 60}^`), text);
    assert.match(text, /Slack did not answer in time\. `timeout`/);
  });

  it('the Home view does not say that a step failed if the step only waited', () => {
    const waited = step('fetch-profile', 'retrying', { attempts: 3 });
    const text = (dueAt: number | null) =>
      textOf(homeView(content({}, { run: run('waiting', [waited], { dueAt }) })));
    assert.match(text(null), /next try soon\n/);
    assert.match(text(installedAt + 60_000), /next try <!date[^>]*>\n/);
    assert.doesNotMatch(text(null), /attempt|did not work/);
  });

  it('the Home view says that an org-wide install is waiting for a workspace', () => {
    const waiting = run('waiting', [step('send-welcome', 'pending')], { waitingFor: 'team_access_granted' });
    const org = { isEnterpriseInstall: true, teamId: null, teamName: null, enterpriseId: 'E1', run: waiting };
    assert.match(textOf(homeView(content({}, org))), /Waiting for a workspace/);
  });

  it('the Home view derives the title of an app’s own step from its name, even if the name is `constructor`', () => {
    const names = ['sync-crm-contacts', 'constructor', '__proto__'];
    const own = run(
      'succeeded',
      names.map((name) => step(name, 'succeeded')),
    );
    const text = textOf(homeView(content({}, { run: own })));
    assert.match(text, /✓ {2}Sync crm contacts\n✓ {2}Constructor\n/);
  });

  it('the Home view counts only the failed attempts of a failed or retrying step, even if the step also asked a question', () => {
    const counts = { attempts: 3, failures: 1 };
    const text = (status: 'failed' | 'retrying') =>
      textOf(homeView(content({}, { run: run('failed', [step('choose-plan', status, counts)]) })));
    assert.match(text('failed'), /failed after 1 attempt\n/);
    assert.match(text('retrying'), /after 1 attempt\n/);
  });

  it('the Home view of a run with many steps lists the failed step, and says how many other steps it leaves out', () => {
    const steps = Array.from({ length: 100 }, (_, index) => step(`step-${index}`, 'succeeded'));
    steps[97] = step('step-97', 'failed', { errorMessage: 'It broke' });
    const text = textOf(homeView(content({}, { run: run('failed', steps) })));
    assert.match(text, /Step 97\* · failed/);
    assert.match(text, /70 more steps not listed here, 70 of them done/);
  });
});

describe('the Home view’s buttons', () => {
  const failed = (viewer: HomeContent['viewer']) => homeView(content({ viewer }, { run: failedRun }));

  it('the Home view shows its buttons to the installer and to admins, each with the id of the run that it acts on', () => {
    for (const viewer of [content().viewer, { ...outsider, isAdmin: true }]) {
      // The failed step is the welcome, so a button to send the welcome would do the same as the retry button.
      assert.deepEqual(actionIds(failed(viewer)), [homeActions.retryRun]);
      assert.equal(JSON.stringify(failed(viewer)).match(/"value":"run_1"/g)?.length, 1);
      const other = run('failed', [step('fetch-profile', 'failed'), step('send-welcome', 'succeeded')]);
      const view = homeView(content({ viewer }, { run: other }));
      assert.deepEqual(actionIds(view), [homeActions.retryRun, homeActions.sendWelcome]);
      assert.equal(JSON.stringify(view).match(/"value":"run_1"/g)?.length, 2);
    }
  });

  it('the Home view shows no buttons to a member who is neither the installer nor an admin', () => {
    assert.deepEqual(actionIds(failed(outsider)), []);
    assert.match(textOf(failed(outsider)), /The person who installed Foyer, or an admin, can try again here/);
    const lacking = homeView(content({ viewer: outsider }, { botScopes: ['chat:write'] }));
    assert.deepEqual(actionIds(lacking), []);
    const broken = homeView(content({ viewer: outsider }, { status: 'broken' }));
    assert.deepEqual(actionIds(broken), []);
  });

  it('the Home view offers to send an unconfirmed welcome again, and warns that there may then be two welcomes', () => {
    const doubtful = run('succeeded', [step('send-welcome', 'unconfirmed')]);
    const view = homeView(content({}, { run: doubtful }));
    assert.deepEqual(actionIds(view), [homeActions.sendWelcome]);
    assert.match(textOf(view), /If it did, there will be two/);
  });

  it('the Home view does not offer to send the welcome again if the app sends none', () => {
    const without = run('succeeded', [step('register-team', 'succeeded')]);
    assert.deepEqual(actionIds(homeView(content({}, { run: without }))), []);
    const removed = stepFaces(builtInSteps().filter(({ name }) => name !== 'send-welcome'));
    assert.deepEqual(actionIds(homeView(content({ faces: removed }))), []);
  });

  it('the Home view shows no buttons while a run is queued, running or waiting, or after it was cancelled', () => {
    for (const status of ['queued', 'running', 'waiting', 'cancelled'] as const) {
      const steps = [step('fetch-profile', 'failed'), step('send-welcome', 'pending')];
      assert.deepEqual(actionIds(homeView(content({}, { run: run(status, steps) }))), [], status);
    }
  });

  it('only the installer and admins can use the Home view’s buttons, and after an uninstall no one can', () => {
    const { record } = content();
    assert.equal(mayAct(record, { userId: 'U1', isAdmin: false }), true);
    assert.equal(mayAct(record, { userId: 'U9', isAdmin: true }), true);
    assert.equal(mayAct(record, { userId: 'U9', isAdmin: false }), false);
    assert.equal(mayAct({ ...record, status: 'uninstalled' }, { userId: 'U1', isAdmin: true }), false);
  });
});

describe('the Home view’s privacy', () => {
  it('the Home view shows viewers their own profile', () => {
    const text = textOf(homeView(content()));
    assert.match(text, /\*Email\*\nu1@acme\.test/);
    assert.match(text, /\*Time zone\*\nAmerica\/New York/);
  });

  it('the Home view never shows a profile that is not the viewer’s, even if that profile is passed to it', () => {
    const view = homeView(content({ viewer: { ...outsider, profile: profile('U1') } }));
    assert.doesNotMatch(JSON.stringify(view), /acme\.test/);
  });

  it('the Home view shows the error code of a step, but never the error message or skip reason that a developer wrote', () => {
    const leaky = { errorMessage: 'Cannot reach <bob@acme.test>: refused' };
    const steps = [
      step('mail-them', 'failed', { ...leaky, errorCode: 'mail_down' }),
      step('sync', 'skipped', leaky),
    ];
    for (const viewer of [outsider, content().viewer]) {
      const text = textOf(homeView(content({ viewer }, { run: run('failed', steps) })));
      assert.doesNotMatch(text, /bob|Cannot reach|refused/);
      assert.match(text, />It did not work\. The people who run Foyer can look up why\. `mail_down`/);
    }
  });

  it('the Home view of an ordinary member shows neither the steps that succeeded nor the history', () => {
    const text = textOf(homeView(content({ viewer: outsider })));
    assert.match(text, /Everything is in place[\s\S]*What Foyer may do/);
    assert.doesNotMatch(text, /Register the workspace|History|Reference/);
  });

  it('the Home view never shows a step that is meant for operators, even if that step failed', () => {
    const steps = [step('send-welcome', 'succeeded'), step('notify-operators', 'failed')];
    const text = textOf(homeView(content({}, { run: run('failed', steps) })));
    assert.doesNotMatch(text, /[Nn]otify|Setup is not complete/);
    const again = [step('send-welcome', 'succeeded'), step('notify-operators', 'retrying')];
    const waiting = textOf(homeView(content({}, { run: run('waiting', again) })));
    assert.match(waiting, /Everything is in place/);
    assert.doesNotMatch(waiting, /Waiting/);
    const asMember = textOf(homeView(content({ viewer: outsider }, { run: run('succeeded', steps) })));
    assert.doesNotMatch(asMember, /Setup|ask/i);
  });

  it('the Home view offers a retry of an unconfirmed step, but not if only operators see that step', () => {
    const offersRetry = (name: string): boolean => {
      const unconfirmed = run('succeeded', [step('send-welcome', 'succeeded'), step(name, 'unconfirmed')]);
      return JSON.stringify(homeView(content({}, { run: unconfirmed }))).includes('Try again');
    };
    assert.deepEqual([offersRetry('fetch-profile'), offersRetry('notify-operators')], [true, false]);
  });

  it('the Home view mentions older history entries only if there are more than ten entries', () => {
    const lines = (count: number): HistoryRecord[] =>
      Array.from({ length: count }, () => ({ at: 0, kind: 'installed', userId: 'U1', detail: null }));
    const shown = (count: number) => textOf(homeView(content({ history: lines(count) })));
    assert.doesNotMatch(shown(10), /Older entries/);
    assert.match(shown(11), /Older entries are not listed here/);
  });

  it('the Home view of an ordinary member does not show the details of a history entry', () => {
    const line: HistoryRecord = { at: 0, kind: 'run_failed', userId: null, detail: 'bob@acme.test' };
    assert.doesNotMatch(JSON.stringify(homeView(content({ viewer: outsider, history: [line] }))), /bob/);
  });
});

const kinds: HistoryKind[] = [
  'installed',
  'uninstalled',
  'tokens_revoked',
  'run_failed',
  'welcome_requested',
  'connected',
  'disconnected',
];
const nastyText = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 60 }),
  fc.constantFrom(
    '<!channel>',
    '<https://evil.test|click>',
    '*bold* _it_ `code`',
    '\u202Etxt.exe',
    '&'.repeat(4000),
    '<'.repeat(4000),
    '😀'.repeat(2000),
    '',
    '__proto__',
  ),
);
/** Texts from a log or an error, which may contain people's email addresses. */
const leakyText = fc.oneof(nastyText, fc.constantFrom('ann@other.test', 'to <ann@other.test>, in vain'));
const orNull = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: null });
const time = fc.integer({ min: 0, max: 4_000_000_000_000 });
const stepArbitrary: fc.Arbitrary<StepRecord> = fc.record({
  name: nastyText,
  status: fc.constantFrom('pending', 'running', 'retrying', 'succeeded', 'failed', 'skipped', 'unconfirmed'),
  attempts: fc.nat(1000),
  failures: fc.nat(1000),
  errorCode: orNull(fc.oneof(leakyText, fc.constantFrom('missing_scope', 'toString'))),
  errorMessage: orNull(leakyText),
  finishedAt: orNull(time),
});
const recordArbitrary = fc.record({
  teamName: orNull(nastyText),
  enterpriseName: orNull(nastyText),
  isEnterpriseInstall: fc.boolean(),
  status: fc.constantFrom<InstallRecord['status']>('active', 'broken', 'uninstalled'),
  brokenReason: orNull(leakyText),
  installerUserId: fc.oneof(fc.constant('U1'), leakyText),
  botScopes: orNull(fc.array(nastyText, { maxLength: 300, size: 'max' })),
  run: orNull(
    fc.record({
      id: fc.constant('run_1'),
      userId: nastyText,
      status: fc.constantFrom('queued', 'running', 'waiting', 'succeeded', 'failed', 'cancelled'),
      createdAt: time,
      finishedAt: orNull(time),
      dueAt: orNull(time),
      waitingFor: orNull(fc.constantFrom('team_access_granted', 'other')),
      steps: fc.array(stepArbitrary, { maxLength: 150, size: 'max' }),
    }),
  ),
});
const contentArbitrary = fc
  .record({
    record: recordArbitrary,
    history: fc.array(
      fc.record({
        at: time,
        kind: fc.constantFrom(...kinds),
        userId: orNull(leakyText),
        detail: orNull(leakyText),
      }),
      { maxLength: 30 },
    ),
    requestedScopes: fc.array(nastyText, { maxLength: 300, size: 'max' }),
    realName: orNull(nastyText),
    avatarUrl: orNull(fc.oneof(nastyText, fc.webUrl())),
    isAdmin: fc.boolean(),
  })
  .map(({ record, history, requestedScopes, realName, avatarUrl, isAdmin }) =>
    content(
      {
        history,
        requestedScopes,
        viewer: { userId: 'U1', isAdmin, profile: profile('U1', { realName, avatarUrl }) },
        supportUrl: 'mailto:help@foyer.test',
        privacyUrl: 'https://foyer.test/privacy?a=1&b=|>',
      },
      record,
    ),
  );

describe('the Home view is valid and safe for any content', () => {
  it('the Home view of any content stays within Slack’s limits, and has only valid blocks', () => {
    fc.assert(
      fc.property(contentArbitrary, (any) => {
        const view = homeView(any);
        const faults = createFaultList();
        checkBlocks(faults, view.blocks, '/view/blocks', 'home');
        assert.deepEqual(faults.messages, []);
        assert.ok(view.blocks.length <= 100);
        assert.ok(Buffer.byteLength(JSON.stringify(view)) < 250_000);
      }),
      { numRuns: 60 },
    );
  });

  it('the Home view mentions people by id, links only to the app’s addresses, and shows markup in untrusted text as plain text', () => {
    const ours =
      /<@[UW][A-Z0-9]+>|<!date\^\d+\^\{date_(long|short)_pretty\}, \{time\}\|[\d: -]+UTC>|<(mailto:help@|https:\/\/)foyer\.test[^<>]*>/g;
    fc.assert(
      fc.property(contentArbitrary, (any) => {
        const view = homeView(any);
        JSON.stringify(view.blocks, (_key, value) => {
          if (value?.type !== 'mrkdwn') return value;
          assert.equal(value.verbatim, true);
          // A `>` at the start of a line is Foyer's own quote mark, since untrusted text never begins a line.
          const rest = value.text.replace(ours, '').replace(/^>/gm, '');
          assert.doesNotMatch(rest, /[<>\u202a-\u202e\u2066-\u2069]/);
          assert.doesNotMatch(rest, /&(?!(amp|lt|gt);)/);
          // Text in code style is never markup.
          assert.doesNotMatch(rest.replace(/`[^`]+`/g, ''), /\*bold\*|_it_|@other\.test/);
          return value;
        });
      }),
      { numRuns: 60 },
    );
  });
});
