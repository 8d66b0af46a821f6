import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { readRefusedRequests, readUnconfirmedWelcomes } from '../../../src/operator/problems.ts';
import { measureWelcomesByDay } from '../../../src/operator/request-lists.ts';
import { engines, type TestDatabase } from '../../support/open-test-database.ts';
import { installedAt, storeInstallation, storeRequest, storeRun } from '../operator-harness.ts';
import { setOperatorStage } from './operator-stage.ts';

const dayMs = 86_400_000;

async function storeWelcome(
  { queries }: TestDatabase['database'],
  welcome: { installationId: string; runId: string; status: 'sent' | 'unconfirmed'; afterMs: number },
): Promise<void> {
  const { installationId, runId, status, afterMs } = welcome;
  await queries
    .insertInto('welcomes')
    .values({
      ...{ installation_id: installationId, life: 1, run_id: runId, user_id: 'U1', status },
      ...{ channel_id: null, message_ts: null, search_before: null, search_calls: 0 },
      attempted_at: installedAt,
      sent_at: installedAt + afterMs,
    })
    .execute();
}

for (const [engine, openDatabase] of Object.entries(engines)) {
  describe(`the queries of the overview count correctly (${engine})`, () => {
    let test: TestDatabase;
    before(async () => {
      test = await openDatabase();
      for (const [id, afterMs] of [
        ['ins_1', 500],
        ['ins_2', 1500],
        ['ins_3', 9000],
      ] as const) {
        await storeInstallation(test.database, { id, team_id: `T${id}` });
        const runId = await storeRun(test.database, id, [{ name: 'send-welcome', status: 'succeeded' }]);
        await storeWelcome(test.database, { installationId: id, runId, status: 'sent', afterMs });
      }
      for (const [id, status, life] of [
        ['ins_open', 'active', 1],
        ['ins_gone', 'uninstalled', 1],
        ['ins_again', 'active', 2],
      ] as const) {
        await storeInstallation(test.database, { id, team_id: `T${id}`, status, life });
        const runId = await storeRun(test.database, id, [{ name: 'send-welcome', status: 'unconfirmed' }]);
        await storeWelcome(test.database, { installationId: id, runId, status: 'unconfirmed', afterMs: 0 });
      }
      for (const [id, outcome, daysAgo] of [
        ['req_1', 'refused', 0],
        ['req_2', 'refused', 3],
        ['req_3', 'refused', 9],
        ['req_4', 'failed', 0],
      ] as const) {
        await storeRequest(test.database, { id, outcome, started_at: installedAt - daysAgo * dayMs });
      }
    });
    after(() => test.close());

    it('measureWelcomesByDay measures the time from the install to the welcome', async () => {
      const days = await measureWelcomesByDay(test.database.queries, {
        clientId: '1.2',
        days: 3,
        now: installedAt,
      });
      const day = Math.floor(installedAt / dayMs) * dayMs;
      assert.deepEqual(days, [
        { day: day - 2 * dayMs, welcomes: 0, medianMs: null, slowestMs: null },
        { day: day - dayMs, welcomes: 0, medianMs: null, slowestMs: null },
        { day, welcomes: 3, medianMs: 1500, slowestMs: 9000 },
      ]);
    });

    it('readUnconfirmedWelcomes counts the unconfirmed welcomes of current installs', async () => {
      const { newest, count } = await readUnconfirmedWelcomes(test.database.queries, {
        clientId: '1.2',
        limit: 5,
      });
      assert.deepEqual([newest.map(({ id }) => id), count], [['ins_open'], 1]);
    });

    it('readRefusedRequests counts the requests that were refused since a given time', async () => {
      const from = installedAt - 7 * dayMs;
      const { newest, count } = await readRefusedRequests(test.database.queries, {
        clientId: '1.2',
        from,
        limit: 1,
      });
      assert.deepEqual([newest.map(({ id }) => id), count], [['req_1'], 2]);
    });
  });
}

describe('the overview', () => {
  it('the operator overview names each problem above the counts, or says that nothing needs attention', async (t) => {
    const stage = await setOperatorStage();
    t.after(() => stage.close());
    await stage.logIn();
    const overview = async () => (await stage.get('/operator')).text();
    const id = await stage.installs('Acme');
    assert.match(await overview(), /Nothing needs attention/);
    const { queries } = stage.database;
    const clientId = stage.config.slack.clientId;
    await storeInstallation(stage.database, {
      ...{ id: 'ins_broken', client_id: clientId, team_id: 'TBROKEN', team_name: 'Broken Ltd' },
      ...{ status: 'broken', broken_reason: 'account_inactive' },
    });
    await queries
      .updateTable('welcomes')
      .set({ status: 'unconfirmed' })
      .where('installation_id', '=', id)
      .execute();
    await storeRequest(stage.database, {
      ...{ id: 'req_refused', client_id: clientId, outcome: 'refused', error_code: 'gate_refused' },
      ...{ team_id: 'TNO', team_name: 'Not Welcome', started_at: Date.now() },
    });
    for (const failed of ['req_1', 'req_2', 'req_3']) {
      const now = Date.now();
      await storeRequest(stage.database, { id: failed, client_id: clientId, started_at: now });
    }
    const page = await overview();
    const [problems = '', counts = ''] = page.split('<ul class="stats"');
    for (const text of [
      '1 broken installation<',
      'Broken Ltd',
      'account_inactive',
      '1 unconfirmed welcome<',
      'last 3 installs since yesterday have all failed',
    ]) {
      assert.ok(problems.includes(text), text);
    }
    assert.match(problems, /1 install refused in the last 7 days[\s\S]*Not Welcome[\s\S]*gate_refused/);
    assert.match(counts, /Installs by day[\s\S]*Time to the welcome/);
    assert.doesNotMatch(page, /Nothing needs attention/);
  });

  it('the overview reports installs that keep failing, with the error and a link to the requests', async (t) => {
    const stage = await setOperatorStage();
    t.after(() => stage.close());
    await stage.logIn();
    const overview = async () => (await stage.get('/operator')).text();
    const fails = (id: string, error_code: string) =>
      storeRequest(stage.database, {
        ...{ id, client_id: stage.config.slack.clientId, error_code, started_at: Date.now() - 60_000 },
      });
    await fails('req_1', 'bad_client_secret');
    await fails('req_2', 'bad_client_secret');
    assert.match(await overview(), /Nothing needs attention/, 'two failures are not reported');
    await fails('req_3', 'slack_unreachable');
    const failing = await overview();
    assert.match(failing, /last 3 installs since yesterday have all failed[^.]*<code>bad_client_secret</);
    assert.match(failing, /href="\/operator\/requests\?outcome=failed"/);
    assert.doesNotMatch(failing, /Nothing needs attention/);
    await fails('req_4', 'invalid_team_for_non_distributed_app');
    assert.match(await overview(), /refused 1 install since yesterday[\s\S]*public distribution is off/);
    await stage.installs('Acme');
    assert.match(await overview(), /Nothing needs attention/, 'an install has succeeded since');
  });

  it('the operator pages list installations and requests with a person’s name beside the id', async (t) => {
    const stage = await setOperatorStage();
    t.after(() => stage.close());
    await stage.logIn();
    await stage.installs('Acme');
    const person = stage.sandbox.person('Acme', 'owner');
    for (const path of ['/operator/installations', '/operator/requests']) {
      const page = await (await stage.get(path)).text();
      assert.ok(page.includes(`${person.realName}<span class="ids"><code>${person.id}</code>`), path);
    }
  });
});
