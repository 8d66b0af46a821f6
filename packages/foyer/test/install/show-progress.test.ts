import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, test } from 'node:test';
import { sql } from 'kysely';
import { pino } from 'pino';
import { parseConfig } from '../../src/config/config.ts';
import { DatabaseUnavailableError } from '../../src/database/database.ts';
import { consumeState } from '../../src/database/install-requests.ts';
import { createBodyReader } from '../../src/http/read-body.ts';
import { createSendPages } from '../../src/http/send-pages.ts';
import { createShowProgress } from '../../src/install/show-progress.ts';
import { createInstallingBrowser, progressHash } from '../../src/install/state.ts';
import { createInstallationStore } from '../../src/installations/create-installation-store.ts';
import { createSealer } from '../../src/installations/sealer.ts';
import { fixtureManifest } from '../support/fixture-manifest.ts';
import { createClock, keyringOf, teamInstall } from '../support/installations.ts';
import { openTestDatabase } from '../support/open-test-database.ts';
import { brandOf, faces, texts } from '../support/test-face.ts';

const secrets = {
  SLACK_CLIENT_ID: '1.1',
  SLACK_CLIENT_SECRET: 'client-secret',
  SLACK_SIGNING_SECRET: 'signing-secret',
};
const config = parseConfig(secrets, fixtureManifest);
const anotherApp = parseConfig({ ...secrets, SLACK_CLIENT_ID: '2.2' }, fixtureManifest);
const token = 'a-progress-token';

let stage: Awaited<ReturnType<typeof setProgressStage>>;
beforeEach(async () => {
  stage = await setProgressStage();
});
afterEach(() => stage.close());

/** Serves the progress page and the status of one stored install over HTTP. */
async function setProgressStage() {
  const backend = await openTestDatabase();
  const { database } = backend;
  const clock = createClock();
  const { now } = clock;
  const log = pino({ level: 'silent' });
  const keyring = keyringOf('k1');
  const stepNames = ['first-step', 'second-step'];
  const store = createInstallationStore({ database, keyring, clientId: '1.1', stepNames, now, log });
  const request = { id: 'req_1', clientId: '1.1', progressHash: progressHash(token) };
  await database.write((trx) => consumeState(trx, { ...request, requestedTeamId: null, now: now() }));
  await store.recordInstall(teamInstall(), { installRequestId: 'req_1' });
  let isLost = false;
  const losable = {
    ...database,
    get queries() {
      if (isLost) throw new DatabaseUnavailableError('gone');
      return database.queries;
    },
  };
  const pages = createSendPages({ config, brand: brandOf(), texts });
  let serving = config;
  const show = (given: typeof config) =>
    createShowProgress({
      ...{ config: given, database: losable, pages, faces, now },
      browsers: createInstallingBrowser({
        sealer: createSealer({ keyring, purpose: 'test' }),
        secure: false,
        lifetimeMs: 1,
      }),
      bodies: createBodyReader(),
      answerHere: async () => 'unknown',
      hearsMessages: () => true,
    });
  const faults: unknown[] = [];
  const server = createServer((req, res) => {
    const progress = show(serving);
    const answer = req.url?.endsWith('/status') ? progress.status : progress.page;
    answer(token, res).catch((error) => faults.push(error));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const get = (path: string) => fetch(`http://127.0.0.1:${port}${path}`);
  return {
    store,
    database,
    clock,
    faults,
    serveAs(given: typeof config) {
      serving = given;
    },
    page: () => get(`/installs/${token}`),
    status: () => get(`/installs/${token}/status`),
    loseDatabase() {
      isLost = true;
    },
    async close() {
      server.closeAllConnections();
      server.close();
      await backend.close();
    },
  };
}

test('if an uninstall cancelled the run, the status of the install shows every step as stopped', async () => {
  await stage.store.deleteInstallation({ teamId: 'T1' });
  const status = (await (await stage.status()).json()) as { status: string; steps: { statusText: string }[] };
  assert.equal(status.status, 'cancelled');
  assert.deepEqual(
    status.steps.map((step) => step.statusText),
    ['Stopped', 'Stopped'],
  );
});

test('the progress page of a cancelled run mentions a newer install or an uninstall only if there has been one', async () => {
  const text = async (): Promise<string> => (await stage.page()).text();
  await stage.store.revokeBot({ teamId: 'T1' });
  assert.match(await text(), /was stopped before it finished.*To finish it, install/s);
  await stage.store.recordInstall(teamInstall());
  assert.match(await text(), /A newer install took over/);
  await stage.store.deleteInstallation({ teamId: 'T1' });
  assert.match(await text(), /was removed from/);
});

test('after an uninstall, the progress page of a finished run says that the app was removed', async () => {
  const finish = sql`update runs set status = 'succeeded', finished_at = 1`;
  await stage.database.write((tx) => finish.execute(tx));
  const text = async (): Promise<string> => (await stage.page()).text();
  assert.match(await text(), /You’re all set/);
  await stage.store.deleteInstallation({ teamId: 'T1' });
  assert.match(await text(), /was removed from .* after it was installed/);
});

test('after an uninstall, the page of a member’s own account says that the app was removed', async () => {
  await stage.database.queries.updateTable('install_requests').set({ run_id: null }).execute();
  assert.match(await (await stage.page()).text(), /Your account is connected/);
  await stage.store.deleteInstallation({ teamId: 'T1' });
  assert.match(await (await stage.page()).text(), /was removed from .* after it was installed/);
});

test('while the database is down, the progress page does not say that nothing was installed, and the status endpoint still answers in JSON', async () => {
  assert.equal((await stage.page()).status, 200);
  stage.loseDatabase();
  const [page, status] = [await stage.page(), await stage.status()];
  const text = await page.text();
  assert.equal(page.status, 503);
  assert.match(text, /database_unavailable/);
  assert.doesNotMatch(text, /Nothing was installed|could not save/);
  assert.match(text, new RegExp(`href="/installs/${token}">Try again<`));
  assert.equal(status.status, 503);
  assert.deepEqual(await status.json(), { error: 'database_unavailable' });
  assert.ok(stage.faults.length === 2 && stage.faults.every((e) => e instanceof DatabaseUnavailableError));
});

test('a progress token opens the progress page and the status for one day', async () => {
  stage.clock.advance(24 * 3_600_000);
  assert.equal((await stage.status()).status, 200);
  stage.clock.advance(1);
  assert.match(await (await stage.page()).text(), />progress_expired</);
  const status = await stage.status();
  assert.deepEqual([status.status, await status.json()], [404, { error: 'progress_expired' }]);
});

test('the status of an install is available only to the app that began the install, and only after the OAuth state was used', async () => {
  stage.serveAs(anotherApp);
  assert.deepEqual(await (await stage.status()).json(), { error: 'not_found' });
  stage.serveAs(config);
  await stage.database.queries.updateTable('install_requests').set({ used_at: null }).execute();
  assert.deepEqual(await (await stage.status()).json(), { error: 'not_found' });
});

test('the headers of the status response forbid caching and MIME sniffing', async () => {
  const { headers } = await stage.status();
  assert.equal(headers.get('cache-control'), 'no-store');
  assert.equal(headers.get('x-content-type-options'), 'nosniff');
});
