import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';
import { createLogger } from '../../../src/config/log.ts';
import { type Listening, listen } from '../../../src/http/own-server.ts';
import { createMetrics, type Metrics } from '../../../src/operator/metrics/create-metrics.ts';
import { createVisitor, eventually, finishedRun, install } from '../../../src/testing/visitor.ts';
import { damagePages } from '../../support/damage-pages.ts';
import { createClock } from '../../support/installations.ts';
import { openTestDatabase, type TestDatabase } from '../../support/open-test-database.ts';
import { type Stage, setStage } from '../../support/start-foyer.ts';
import { storeInstallation, storeRequest, storeRun } from '../operator-harness.ts';
import { type Family, parseExposition, sampleValue } from './parse-exposition.ts';

const log = createLogger({ logLevel: 'silent', secrets: [] }, { pretty: false });

describe('the metrics', () => {
  let test: TestDatabase;
  let metrics: Metrics;
  let listening: Listening;
  let url: string;
  const clock = createClock();

  async function start(token?: string): Promise<void> {
    metrics = createMetrics({
      database: test.database,
      clientId: '1.2',
      stepNames: ['register-team', 'send-welcome'],
      jobs: [],
      engine: 'sqlite',
      token,
      now: clock.now,
      log,
    });
    const server = createServer((req, res) => void metrics.handle(req, res));
    listening = await listen(server, { port: 0, host: '127.0.0.1' });
    url = `http://127.0.0.1:${listening.address.port}`;
  }
  beforeEach(async () => {
    test = await openTestDatabase();
  });
  afterEach(async () => {
    await listening.close(100);
    await test.close();
  });

  const scrape = async (headers: Record<string, string> = {}) =>
    fetch(`${url}/metrics`, { headers: { connection: 'close', ...headers } });
  async function families(): Promise<Map<string, Family>> {
    const response = await scrape();
    assert.equal(response.headers.get('content-type'), 'text/plain; version=0.0.4; charset=utf-8');
    return parseExposition(await response.text());
  }

  it('the metrics count each reported event, in Prometheus’ text format', async () => {
    await start();
    metrics.onInstallRequest('installed');
    metrics.onRunChanged({ status: 'failed' });
    metrics.onRunChanged({ status: 'waiting' });
    metrics.onStepEnded({ step: 'send-welcome', status: 'retrying', ms: 250 });
    metrics.onSlackCall({ method: 'chat.postMessage', result: 'rate_limited', ms: 30 });
    metrics.onSlackRequest({ kind: 'event', type: 'app_uninstalled', status: 200, ms: 12 });
    metrics.onTokenRefresh('dead');
    const all = await families();
    assert.equal(sampleValue(all, 'foyer_install_requests_total', { outcome: 'installed' }), 1);
    assert.equal(sampleValue(all, 'foyer_runs_total', { end: 'failed' }), 1);
    assert.equal(sampleValue(all, 'foyer_runs_total'), 1);
    assert.equal(sampleValue(all, 'foyer_step_attempts_total', { step: 'send-welcome', end: 'retrying' }), 1);
    assert.equal(sampleValue(all, 'foyer_step_duration_seconds_sum', { step: 'send-welcome' }), 0.25);
    assert.equal(
      sampleValue(all, 'foyer_slack_calls_total', { method: 'chat.postMessage', result: 'rate_limited' }),
      1,
    );
    assert.equal(sampleValue(all, 'foyer_slack_rate_limits_total', { method: 'chat.postMessage' }), 1);
    assert.equal(
      sampleValue(all, 'foyer_slack_requests_total', { type: 'app_uninstalled', status: '200' }),
      1,
    );
    assert.equal(sampleValue(all, 'foyer_acknowledgement_duration_seconds_count', { kind: 'event' }), 1);
    assert.equal(sampleValue(all, 'foyer_token_refreshes_total', { result: 'dead' }), 1);
    assert.ok(sampleValue(all, 'process_resident_memory_bytes') > 0);
    assert.ok(all.has('nodejs_eventloop_lag_p99_seconds'));
    assert.ok(sampleValue(all, 'nodejs_eventloop_lag_min_seconds') < 60);
  });

  it('the metrics count unknown methods and paths as “other”, so that outside input adds few series', async () => {
    await start();
    const fresh = await families();
    const countOf = (all: Map<string, Family>) => [...all.values()].flatMap(({ samples }) => samples).length;
    for (let index = 0; index < 200; index += 1) {
      metrics.onSlackCall({ method: `made.up${index}`, result: 'error', ms: 1 });
      metrics.onSlackRequest({ kind: 'event', type: `made_up\n"${index}`, status: 200, ms: 1 });
      metrics.onSlackRequest({ kind: 'event', type: 'message', status: 200 + index, ms: 1 });
      metrics.onHttpRequest({ path: `/made-up/${index}`, status: 200 + index });
      metrics.onStepEnded({ step: `made-up-${index}`, status: 'failed', ms: 1 });
    }
    const all = await families();
    assert.equal(sampleValue(all, 'foyer_slack_calls_total', { method: 'other' }), 200);
    assert.equal(sampleValue(all, 'foyer_http_requests_total', { route: 'other' }), 200);
    const added = countOf(all) - countOf(fresh);
    assert.ok(added < 30, `${added} new series`);
  });

  it('a scrape of the metrics counts the runs in the queue, the installations and the tokens at risk', async () => {
    await start();
    const { database } = test;
    await storeInstallation(database, { id: 'ins_1', bot_expires_at: clock.now() + 60_000 });
    await storeInstallation(database, { id: 'ins_2', team_id: 'T2', status: 'broken' });
    await storeInstallation(database, { id: 'ins_3', team_id: 'T3', client_id: 'other' });
    const runId = await storeRun(database, 'ins_1', [{ name: 'send-welcome', status: 'pending' }]);
    const due = { status: 'queued' as const, due_at: clock.now() - 90_000, finished_at: null };
    await database.queries.updateTable('runs').set(due).where('id', '=', runId).execute();
    await storeRequest(database, { id: 'req_1', sealed_tokens: 'v1.main.sealed' });
    const all = await families();
    assert.equal(sampleValue(all, 'foyer_installations', { status: 'active' }), 1);
    assert.equal(sampleValue(all, 'foyer_installations', { status: 'broken' }), 1);
    assert.equal(sampleValue(all, 'foyer_queue_runs', { status: 'queued' }), 1);
    assert.equal(sampleValue(all, 'foyer_queue_due_runs'), 1);
    assert.equal(sampleValue(all, 'foyer_queue_oldest_due_seconds'), 90);
    assert.equal(sampleValue(all, 'foyer_tokens_lapsing'), 1);
    assert.equal(sampleValue(all, 'foyer_tokens_unstored'), 1);
    assert.equal(sampleValue(all, 'foyer_database_up'), 1);
  });

  it('while the database is closed, the metrics endpoint still answers a scrape, without stale values', async () => {
    await start();
    await storeInstallation(test.database, { id: 'ins_1' });
    assert.equal(sampleValue(await families(), 'foyer_installations', { status: 'active' }), 1);
    await test.database.close();
    const all = await families();
    assert.equal(sampleValue(all, 'foyer_database_up'), 0);
    assert.equal(sampleValue(all, 'foyer_time_seconds'), clock.now() / 1000);
    for (const name of ['foyer_installations', 'foyer_queue_due_runs', 'foyer_tokens_lapsing']) {
      assert.deepEqual(all.get(name)?.samples, [], name);
    }
  });

  it('the metrics count each statement that hits a damaged page, and the other metrics still have values', async () => {
    const { target } = test;
    assert.ok(target.kind === 'sqlite');
    await storeInstallation(test.database, { id: 'ins_1' });
    await test.database.close();
    damagePages(target.file, ['sessions']);
    const database = await test.reopen();
    test = { ...test, database };
    await start();
    const damage = async () => sampleValue(await families(), 'foyer_database_damage_total');
    assert.equal(await damage(), 0);
    const read = () => database.queries.selectFrom('sessions').selectAll().execute();
    await assert.rejects(read(), { name: 'DatabaseUnavailableError', message: /SQLITE_CORRUPT/ });
    await assert.rejects(
      database.write((tx) => tx.deleteFrom('sessions').execute()),
      /SQLITE_CORRUPT/,
    );
    assert.equal(await damage(), 2);
    assert.equal(sampleValue(await families(), 'foyer_installations', { status: 'active' }), 1);
  });

  it('a scrape of the metrics needs the token if one is set', async () => {
    await start('a token for Prometheus');
    for (const authorization of [
      '',
      'Bearer wrong',
      'a token for Prometheus',
      'Basic a token for Prometheus',
    ]) {
      const refused = await scrape(authorization ? { authorization } : {});
      assert.equal(refused.status, 401, authorization);
      assert.equal(refused.headers.get('www-authenticate'), 'Bearer');
      assert.equal(await refused.text(), '');
    }
    assert.equal((await scrape({ authorization: 'Bearer a token for Prometheus' })).status, 200);
  });
});

describe('the metrics of an install', () => {
  let stage: Stage;
  before(async () => {
    stage = await setStage({ environment: { METRICS_TOKEN: 'b3e1f09ac4d27586' } });
  });
  after(() => stage.close());

  const families = async () => {
    const headers = { authorization: 'Bearer b3e1f09ac4d27586', connection: 'close' };
    return parseExposition(await (await fetch(`${stage.url}/metrics`, { headers })).text());
  };

  it('the metrics count an install with its request, its run, its steps, its calls to Slack and its events', async () => {
    const { sandbox, url } = stage;
    const acme = { teamId: sandbox.workspace('Acme').id, userId: sandbox.person('Acme', 'owner').id };
    sandbox.faults.add({
      method: 'users.info',
      failure: { type: 'status', status: 429, retryAfterSeconds: 1 },
    });
    const visitor = createVisitor();
    await install(visitor, url, sandbox, { ...acme, decision: 'cancel' });
    const done = await install(visitor, url, sandbox, acme);
    await finishedRun(visitor, url + (done.headers.get('location') ?? ''));
    await visitor.get(`${url}/slack/oauth_redirect?code=1&state=made-up`);
    await sandbox.openHome(acme);
    const all = await eventually(async () => {
      const found = await families();
      return sampleValue(found, 'foyer_slack_requests_total', { type: 'app_home_opened' }) > 0 && found;
    });
    assert.equal(sampleValue(all, 'foyer_install_requests_total', { outcome: 'installed' }), 1);
    assert.equal(sampleValue(all, 'foyer_install_requests_total', { outcome: 'cancelled' }), 1);
    assert.equal(sampleValue(all, 'foyer_install_requests_total', { outcome: 'refused' }), 1);
    assert.equal(sampleValue(all, 'foyer_runs_total', { end: 'succeeded' }), 1);
    assert.equal(
      sampleValue(all, 'foyer_step_attempts_total', { step: 'send-welcome', end: 'succeeded' }),
      1,
    );
    assert.equal(sampleValue(all, 'foyer_slack_calls_total', { method: 'oauth.v2.access', result: 'ok' }), 1);
    assert.equal(sampleValue(all, 'foyer_slack_rate_limits_total', { method: 'users.info' }), 1);
    assert.equal(sampleValue(all, 'foyer_acknowledgement_duration_seconds_count', { kind: 'event' }), 1);
    assert.equal(sampleValue(all, 'foyer_installations', { status: 'active' }), 1);
  });

  it('the metrics measure the time to the welcome, and count HTTP responses by route and status', async () => {
    const all = await families();
    assert.equal(sampleValue(all, 'foyer_welcome_seconds_count'), 1);
    assert.ok(sampleValue(all, 'foyer_welcome_seconds_sum') < 30);
    const redirects = { route: '/slack/oauth_redirect', status: '3xx' };
    assert.equal(sampleValue(all, 'foyer_http_requests_total', redirects), 1);
    assert.equal(sampleValue(all, 'foyer_http_requests_total', { ...redirects, status: '4xx' }), 1);
    assert.ok(sampleValue(all, 'foyer_database_size_bytes') > 0);
    assert.ok(sampleValue(all, 'foyer_disk_free_bytes') <= sampleValue(all, 'foyer_disk_size_bytes'));
  });
});
