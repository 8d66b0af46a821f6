import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { Writable } from 'node:stream';
import { before, describe, it } from 'node:test';
import { parseConfig } from '../src/config/config.ts';
import { createLogger } from '../src/config/log.ts';
import type { Route } from '../src/http/create-server.ts';
import { createFoyerServer, createRequestHandler } from '../src/http/create-server.ts';
import { type Listening, listen } from '../src/http/listen.ts';
import { createSendPages } from '../src/http/send-pages.ts';
import { createRoutes } from '../src/routes.ts';
import { fixtureManifest } from './support/fixture-manifest.ts';
import { openTestDatabase } from './support/open-test-database.ts';

const secrets = {
  SLACK_CLIENT_ID: '1.2',
  SLACK_CLIENT_SECRET: 'client-secret',
  SLACK_SIGNING_SECRET: 'signing-secret',
};
const config = parseConfig(secrets, fixtureManifest);
const logged: string[] = [];
const destination = new Writable({
  write(line, _encoding, done) {
    logged.push(String(line));
    done();
  },
});
const log = createLogger({ logLevel: 'error', secrets: [] }, { destination });

describe('the server', () => {
  let url = '';
  let listening: Listening;
  let misbehave: Route = () => {};

  before(async () => {
    const { database, close } = await openTestDatabase();
    await close();
    const pages = createSendPages({ config });
    const unused: Route = () => assert.fail('not asked for');
    const route = createRoutes({
      startInstall: (req, res) => misbehave(req, res),
      finishInstall: unused,
      slackEvents: unused,
      progress: { page: () => database.ping(), status: () => database.ping() },
      pages,
      database,
    });
    const handler = createRequestHandler({ basePath: '', route, pages, log });
    listening = await listen(createFoyerServer({ handler, log }), { port: 0, host: '127.0.0.1' });
    url = `http://127.0.0.1:${listening.address.port}`;
  });

  it('is not ready when the database does not answer, and lives all the same', async () => {
    const [health, ready] = await Promise.all(['/healthz', '/readyz'].map((path) => fetch(url + path)));
    assert.equal(health?.status, 200);
    assert.equal(ready?.status, 503);
    assert.deepEqual(await ready?.json(), { status: 'database_unavailable' });
  });

  it('shows the page for a database that is down', async () => {
    const answer = await fetch(`${url}/installs/a-secret-address`);
    assert.equal(answer.status, 503);
    assert.match(logged.at(-1) ?? '', /"path":"\/installs\/…".*the database does not answer/);
    assert.ok(!logged.join('').includes('a-secret-address'));
    const text = await answer.text();
    assert.match(text, /database_unavailable/);
    assert.doesNotMatch(text, /Nothing was installed|could not save/, 'nobody had asked for an install');
  });

  it('says which methods a path takes', async () => {
    const allowed = async (method: string, path: string) => {
      const { status, headers } = await fetch(url + path, { method });
      return `${status} ${headers.get('allow')}`;
    };
    assert.equal(await allowed('POST', '/'), '405 GET, HEAD');
    assert.equal(await allowed('GET', '/slack/events'), '405 POST');
    assert.equal(await allowed('HEAD', '/slack/events'), '405 POST');
    assert.equal(await allowed('HEAD', '/slack/oauth_redirect'), '405 GET');
    assert.equal(await allowed('POST', '/installs/abc/status'), '405 GET, HEAD');
    assert.equal(await allowed('POST', '/nowhere'), '404 null');
  });

  it('answers with a page when a handler throws, and tells nothing of the fault', async () => {
    misbehave = () => {
      throw new Error('a private detail');
    };
    const answer = await fetch(`${url}/slack/install`);
    assert.equal(answer.status, 500);
    assert.ok(!(await answer.text()).includes('private detail'));
  });

  it('answers within ten seconds when a handler never does', async () => {
    misbehave = () => new Promise(() => {});
    const startedAt = performance.now();
    const answer = await fetch(`${url}/slack/install`);
    assert.equal(answer.status, 504);
    assert.ok(performance.now() - startedAt < 10_000);
    assert.match(await answer.text(), /took_too_long/);
  });

  it('is not held up in closing by a connection that asks for nothing', async () => {
    const silent = connect(listening.address.port, '127.0.0.1');
    await once(silent, 'connect');
    const startedAt = performance.now();
    await listening.close(5000);
    assert.ok(performance.now() - startedAt < 1000);
    silent.destroy();
  });
});
