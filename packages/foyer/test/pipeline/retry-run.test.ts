import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { readHistory } from '../../src/database/history.ts';
import { markInstallationBroken } from '../../src/database/installations.ts';
import { readOnceMessage } from '../../src/database/once-messages.ts';
import { erasePerson } from '../../src/database/people/erase-person.ts';
import { claimDueRuns, holdLease } from '../../src/database/run-leases.ts';
import { listRuns } from '../../src/database/runs.ts';
import { retryRun } from '../../src/pipeline/retry-run.ts';
import { type Step, StepError, skip, unconfirmed, waitFor } from '../../src/pipeline/step.ts';
import { requestWelcome } from '../../src/steps/request-welcome.ts';
import { sendWelcome } from '../../src/steps/send-welcome.ts';
import { setStage } from './pipeline-stage.ts';

const traits = {
  required: false,
  timeLimitMs: 5000,
  title: { todo: 'Do it', doing: 'Doing it' },
  maxAttempts: 1,
};

/** Makes a step for each entry of `ends`. The entry says how the step's first attempt ends. Later attempts succeed. */
function moodySteps(ends: Record<string, 'succeed' | 'fail' | 'fail-required' | 'skip' | 'unsure'>) {
  const runs: string[] = [];
  const steps = Object.entries(ends).map(([name, end]): Step => {
    return {
      ...traits,
      name,
      required: end === 'fail-required',
      async run() {
        runs.push(name);
        if (runs.filter((each) => each === name).length > 1) return 'at last';
        if (end === 'skip') return skip('not_wanted', 'Not wanted');
        if (end === 'unsure') return unconfirmed('no_answer', 'Who knows');
        if (end !== 'succeed') throw new Error('no');
        return 'at once';
      },
    };
  });
  return { steps, runs };
}

describe('Try again', () => {
  it('“Try again” does not change a run that a worker has claimed', async (t) => {
    const { steps } = moodySteps({ good: 'succeed' });
    const stage = await setStage(t, { steps });
    const { runId } = await stage.install();
    const { clientId } = stage.config.slack;
    const claim = {
      clientId,
      limit: 1,
      now: stage.now(),
      leaseUntil: stage.now() + 30_000,
      owner: 'a:1:x/1',
    };
    const [lease] = await claimDueRuns(stage.database, claim);
    assert.ok(lease);
    assert.equal(await retryRun(stage.database, runId, { now: stage.now() }), 'going');
    assert.equal(await stage.database.write((tx) => holdLease(tx, lease)), true);
  });

  it('“Try again” repeats steps that failed, stayed unconfirmed or were skipped after a failure, and no others', async (t) => {
    const { steps, runs } = moodySteps({
      good: 'succeed',
      skipped: 'skip',
      unsure: 'unsure',
      bad: 'fail',
      needed: 'fail-required',
      after: 'succeed',
    });
    const stage = await setStage(t, { steps });
    const { runId, installationId } = await stage.install();
    assert.equal((await stage.finish(runId)).status, 'failed');
    runs.length = 0;
    runs.push('good', 'skipped', 'unsure', 'bad', 'needed', 'after');
    const retry = { userId: 'U1', now: stage.now() };
    assert.equal(await retryRun(stage.database, runId, retry), 'queued');
    assert.equal((await stage.finish(runId)).status, 'succeeded');
    assert.deepEqual(runs.slice(6), ['unsure', 'bad', 'needed', 'after']);
    const history = await readHistory(stage.database.queries, installationId, 2);
    assert.deepEqual(
      history.map(({ kind, userId }) => [kind, userId]),
      [
        ['run_succeeded', stage.sandbox.person('Acme').id],
        ['run_retried', 'U1'],
      ],
    );
  });

  it('retryRun returns the reason if it does not retry the run', async (t) => {
    const { steps } = moodySteps({ good: 'succeed' });
    const stage = await setStage(t, { steps });
    const { runId, teamId } = await stage.install();
    const retry = { now: stage.now() };
    assert.equal(await retryRun(stage.database, 'run_unknown', retry), 'unknown');
    assert.equal(await retryRun(stage.database, runId, retry), 'going');
    await stage.finish(runId);
    assert.equal(await retryRun(stage.database, runId, retry), 'nothing-to-retry');
    await stage.store.deleteInstallation({ teamId });
    assert.equal(await retryRun(stage.database, runId, retry), 'not-installed');
    await stage.install();
    assert.equal(await retryRun(stage.database, runId, retry), 'not-installed', 'from before the uninstall');
  });

  it('“Try again” wakes a run that is backing off or waiting for an event', async (t) => {
    const { steps } = moodySteps({ bad: 'fail' });
    const stage = await setStage(t, {
      steps: steps.map((step) => ({ ...step, title: { todo: 'Do it', doing: 'Doing it' }, maxAttempts: 5 })),
    });
    const { runId } = await stage.install();
    await stage.work();
    assert.equal((await stage.run(runId)).status, 'waiting');
    assert.equal(await retryRun(stage.database, runId, { now: stage.now() }), 'woken');
    await stage.work();
    assert.equal((await stage.run(runId)).status, 'succeeded');

    const waiting: Step = { ...traits, name: 'bad', run: async () => waitFor('team_access_granted') };
    const other = await stage.install();
    await stage.work({ steps: [waiting] });
    assert.equal((await stage.run(other.runId)).waitingFor, 'team_access_granted');
    assert.equal(await retryRun(stage.database, other.runId, { now: stage.now() }), 'woken');
    assert.equal(await stage.work({ steps: [waiting] }), 1);
  });

  it('“Try again” does not repeat the `opened` run of an erased person', async (t) => {
    const people: string[] = [];
    const greet: Step = {
      ...traits,
      name: 'greet',
      async run({ userId }) {
        people.push(userId);
        throw new StepError('no_greeting', 'No greeting', { final: true });
      },
    };
    const stage = await setStage(t, { steps: [], momentSteps: { opened: [greet] } });
    const { teamId, installationId } = await stage.install();
    const opening = { userId: 'U2', tab: 'home', channelId: null, openedAt: stage.now() } as const;
    await stage.store.recordOpening({ teamId }, opening);
    while ((await stage.work()) > 0);
    const [run] = await listRuns(stage.database.queries, installationId, 1, ['opened']);
    assert.equal(run?.status, 'failed');
    const person = { clientId: stage.config.slack.clientId, teamId, userId: 'U2', now: stage.now() };
    await stage.database.write((tx) => erasePerson(tx, person));
    assert.equal(await retryRun(stage.database, run.id, { now: stage.now() }), 'nothing-to-retry');
    await stage.work();
    assert.deepEqual(people, ['U2']);
  });

  it('“Try again” does not cut short a wait that Slack asked for', async (t) => {
    const stage = await setStage(t, { steps: [sendWelcome] });
    const { runId } = await stage.install();
    const failure = { type: 'status' as const, status: 429, retryAfterSeconds: 30 };
    stage.sandbox.faults.add({ method: 'chat.postMessage', failure });
    await stage.work();
    assert.equal(await retryRun(stage.database, runId, { now: stage.now() }), 'rate-limited');
    assert.equal(await stage.work(), 0);
  });
});

describe('Send again', () => {
  it('“Send again” sends one more welcome, even if someone presses it twice before that welcome is sent', async (t) => {
    const stage = await setStage(t, { steps: [sendWelcome] });
    const install = await stage.install();
    const { installationId, userId, runId } = install;
    const request = { installationId, userId, now: stage.now() };
    assert.equal(await requestWelcome(stage.database, request), 'going');
    await stage.finish(runId);
    assert.equal(stage.welcomes(install), 1);
    assert.equal(await requestWelcome(stage.database, request), 'queued');
    assert.equal(await requestWelcome(stage.database, request), 'going');
    await stage.finish(runId);
    assert.equal(stage.welcomes(install), 2);
    const history = await readHistory(stage.database.queries, installationId, 10);
    assert.equal(history.filter((line) => line.kind === 'welcome_requested').length, 1);
  });

  it('“Send again” changes nothing if the installation is broken, or if its run had no welcome to send', async (t) => {
    for (const isBroken of [true, false]) {
      const stage = await setStage(t, { steps: isBroken ? [sendWelcome] : [] });
      const { installationId, userId, runId, life } = await stage.install();
      const before = await stage.finish(runId);
      const mark = { installationId, reason: 'invalid_auth' };
      if (isBroken) await stage.database.write((tx) => markInstallationBroken(tx, mark));
      const request = { installationId, userId, now: stage.now() };
      assert.equal(await requestWelcome(stage.database, request), 'not-installed');
      assert.deepEqual(await stage.run(runId), before);
      const welcome = { kind: 'welcome', installationId, life, key: userId } as const;
      const sent = await readOnceMessage(stage.database.queries, welcome);
      assert.equal(sent?.status, isBroken ? 'sent' : undefined);
    }
  });

  it('“Send again” queues no welcome if the app is no longer installed', async (t) => {
    const stage = await setStage(t, { steps: [sendWelcome] });
    const { installationId, userId, runId, teamId } = await stage.install();
    await stage.finish(runId);
    await stage.store.deleteInstallation({ teamId });
    const request = { installationId, userId, now: stage.now() };
    assert.equal(await requestWelcome(stage.database, request), 'not-installed');
    assert.equal(
      await requestWelcome(stage.database, { ...request, installationId: 'ins_x' }),
      'not-installed',
    );
  });
});
