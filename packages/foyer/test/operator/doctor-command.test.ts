import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { chmodSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import Sqlite from 'better-sqlite3';
import { sql } from 'kysely';
import { createCopyMark } from '../../src/database/copy/copy-mark.ts';
import { peekTables } from '../../src/database/peek-tables.ts';
import { peekPostgres } from '../../src/database/postgres/inspect-postgres.ts';
import type { UnwritablePath } from '../../src/database/sqlite/find-unwritable.ts';
import { createKeyring } from '../../src/installations/keyring.ts';
import { createSealer } from '../../src/installations/sealer.ts';
import { judgeDatabase } from '../../src/operator/doctor/check-database.ts';
import { judgePostgres } from '../../src/operator/doctor/check-postgres.ts';
import { schemaFinding } from '../../src/operator/doctor/database-findings.ts';
import type { Finding } from '../../src/operator/doctor/finding.ts';
import { postgresFault } from '../../src/operator/doctor/postgres-fault.ts';
import { fillManifest, manifestFileName } from '../../src/operator/fill-manifest.ts';
import { loadExistingKeyring } from '../../src/operator/open-existing-database.ts';
import { damagePages } from '../support/damage-pages.ts';
import { fixtureManifest } from '../support/fixture-manifest.ts';
import { mailPassword, startMailServer } from '../support/mail-server.ts';
import { createPostgresDatabase } from '../support/shared-postgres.ts';
import {
  amiss,
  type Breakage,
  botScopes,
  key,
  listen,
  plantFaults,
  prepareDoctor,
} from './doctor-harness.ts';
import { createOperatorHarness, storeRequest, storeRun, testOnBothEngines } from './operator-harness.ts';

for (const engine of ['SQLite', 'Postgres'] as const) {
  test(`doctor finds nothing wrong with a healthy Foyer (${engine})`, async (t) => {
    const { doctor } = await prepareDoctor(t, engine);
    const { exitCode, findings, stderr } = await doctor();
    assert.deepEqual(amiss(findings), []);
    assert.deepEqual([exitCode, stderr], [0, '']);
    for (const finding of findings) {
      assert.deepEqual(Object.keys(finding), ['check', 'status', 'detail', 'fix']);
      assert.equal(finding.fix, null);
    }
  });
}

test('doctor --offline prints its findings as text, without the checks that need the network', async (t) => {
  const { run, environment } = await prepareDoctor(t);
  const shown = await run(['doctor', '--offline'], {
    readEnvironment: () => environment,
    loadKeyring: loadExistingKeyring,
    now: Date.now,
  });
  assert.match(shown.stdout, /^✓ environment {2,}Every variable/m);
  assert.doesNotMatch(shown.stdout, /credentials|public-url/);
});

const breakages: Breakage[] = [
  {
    what: 'an environment variable with an invalid value',
    breakIt: ({ environment }) => Object.assign(environment, { PORT: 'http' }),
    check: 'environment',
    status: 'fault',
    detail: /PORT is not a whole number/,
    fix: /0 to 65535/,
  },
  {
    what: 'a missing client secret',
    breakIt: ({ environment }) => delete environment.SLACK_CLIENT_SECRET,
    check: 'environment',
    status: 'fault',
    detail: /SLACK_CLIENT_SECRET is missing/,
    fix: /Basic Information/,
    also: ['credentials'],
  },
  {
    what: 'a client secret that belongs to another app',
    breakIt({ environment, startProcess }) {
      environment.SLACK_CLIENT_SECRET = 'f'.repeat(32);
      startProcess();
    },
    check: 'credentials',
    status: 'fault',
    detail: /SLACK_CLIENT_SECRET is not this app’s/,
    fix: /Basic Information/,
  },
  {
    what: 'a client id that Slack does not know',
    breakIt({ environment, database, startProcess }) {
      environment.SLACK_CLIENT_ID = '1.2';
      startProcess();
      return database.queries.deleteFrom('installations').execute();
    },
    check: 'credentials',
    status: 'fault',
    detail: /does not know SLACK_CLIENT_ID/,
    fix: /Basic Information/,
  },
  {
    what: 'the same value for the client secret and the signing secret',
    breakIt({ environment, sandbox, startProcess }) {
      environment.SLACK_SIGNING_SECRET = sandbox.app.clientSecret;
      startProcess();
    },
    check: 'credentials',
    status: 'fault',
    detail: /the same as SLACK_CLIENT_SECRET/,
    fix: /signing secret is a different value/,
  },
  {
    what: 'an encryption key that was replaced under the same id',
    breakIt: ({ environment }) =>
      Object.assign(environment, { TOKEN_ENCRYPTION_KEYS: `main:${randomBytes(32).toString('base64')}` }),
    check: 'key',
    status: 'fault',
    detail: /key main is not the one/,
    fix: /Put the right key back/,
    also: ['process'],
  },
  {
    what: 'an encryption key that is in use but no longer configured',
    breakIt: ({ environment }) =>
      Object.assign(environment, { TOKEN_ENCRYPTION_KEYS: `new:${randomBytes(32).toString('base64')}` }),
    check: 'key',
    status: 'fault',
    detail: /encrypted with the key main, which is missing/,
    fix: /Put the right key back/,
    also: ['process'],
  },
  {
    what: 'a missing key file',
    breakIt: ({ environment }) => delete environment.TOKEN_ENCRYPTION_KEYS,
    check: 'key',
    status: 'fault',
    detail: /key file .*foyer\.db\.key is missing/,
    fix: /Restore the key/,
  },
  {
    what: 'a key file that others can read',
    breakIt({ environment, file }) {
      delete environment.TOKEN_ENCRYPTION_KEYS;
      writeFileSync(`${file}.key`, `${key.id}:${key.base64}\n`);
      chmodSync(`${file}.key`, 0o644);
    },
    check: 'key-file',
    status: 'warning',
    detail: /mode 644/,
    fix: /^chmod 600 .*foyer\.db\.key$/,
  },
  {
    what: 'an .env that others can read',
    breakIt({ folder }) {
      writeFileSync(join(folder, '.env'), '');
      chmodSync(join(folder, '.env'), 0o640);
    },
    check: 'env-file',
    status: 'warning',
    detail: /mode 640/,
    fix: /^chmod 600 \.env$/,
  },
  {
    what: 'a misspelled variable in .env',
    breakIt({ folder }) {
      writeFileSync(join(folder, '.env'), 'OPERATER_PASSWORD=hunter2hunter2\nACME_TOKEN=x\n', {
        mode: 0o600,
      });
    },
    check: 'environment',
    status: 'warning',
    detail: /^\.env sets OPERATER_PASSWORD, which Foyer does not know\.$/,
    fix: /^If you mean OPERATOR_PASSWORD, correct the name\./,
  },
  {
    what: 'a DATABASE_URL that points to no database',
    breakIt: ({ environment, folder }) =>
      Object.assign(environment, { DATABASE_URL: `file:${folder}/none.db` }),
    check: 'database',
    status: 'warning',
    detail: /no database yet at .*none\.db/,
    fix: /DATABASE_URL names the wrong place/,
  },
  {
    what: 'a DATABASE_URL that names a file of another format',
    breakIt({ environment, folder }) {
      writeFileSync(join(folder, 'other.db'), 'this is a text '.repeat(1000));
      environment.DATABASE_URL = `file:${folder}/other.db`;
    },
    check: 'database',
    status: 'fault',
    detail: /other\.db cannot be opened: file is not a database/,
    fix: /wrong file, name the right one.*keep the file.*restore the newest backup.*runbook\.md#a-damaged-page/,
    also: ['key', 'records'],
  },
  {
    what: 'a database file with overwritten pages',
    breakIt({ file, environment, folder }) {
      const sqlite = new Sqlite(file);
      sqlite.exec(`vacuum into '${folder}/damaged.db'`);
      sqlite.close();
      const bytes = readFileSync(join(folder, 'damaged.db'));
      bytes.fill(7, 4096);
      writeFileSync(join(folder, 'damaged.db'), bytes);
      environment.DATABASE_URL = `file:${folder}/damaged.db`;
    },
    check: 'database',
    status: 'fault',
    detail: /damaged\.db is damaged: database disk image is malformed/,
    fix: /restore the newest backup.*runbook\.md#a-damaged-page/,
    also: ['key', 'records'],
  },
  {
    what: 'a database file with a damaged index page',
    breakIt({ file, environment, folder }) {
      const copy = join(folder, 'damaged-index.db');
      const sqlite = new Sqlite(file);
      sqlite.exec(`vacuum into '${copy}'`);
      sqlite.close();
      damagePages(copy, ['runs_due']);
      environment.DATABASE_URL = `file:${copy}`;
    },
    check: 'database-integrity',
    status: 'fault',
    detail: /Tree \d+ .*\(the index runs_due of runs\)/,
    fix: /Save what can be read, or restore the newest backup.*runbook\.md#a-damaged-page/,
    also: ['key', 'records'],
  },
  {
    what: 'a missing database file with a copy left beside it',
    breakIt({ environment, folder }) {
      writeFileSync(join(folder, 'moved.db.before'), 'x');
      environment.DATABASE_URL = `file:${folder}/moved.db`;
    },
    check: 'database',
    status: 'fault',
    detail: /moved\.db is gone; files beside it: moved\.db\.before\./,
    fix: /^Do not start Foyer.*put the file back, or restore the newest backup/,
  },
  {
    what: 'an empty database file',
    breakIt({ environment, folder }) {
      writeFileSync(join(folder, 'moved.db'), '');
      environment.DATABASE_URL = `file:${folder}/moved.db`;
    },
    check: 'database',
    status: 'fault',
    detail: /moved\.db is empty\.$/,
    fix: /If there never was a database, delete the file\. Otherwise do not start Foyer/,
  },
  {
    what: 'an empty database file with its WAL left beside it',
    breakIt({ environment, folder }) {
      writeFileSync(join(folder, 'moved.db'), '');
      writeFileSync(join(folder, 'moved.db-wal'), 'x');
      environment.DATABASE_URL = `file:${folder}/moved.db`;
    },
    check: 'database',
    status: 'fault',
    detail: /moved\.db is empty; files beside it: moved\.db-wal\.$/,
    fix: /^Do not start Foyer/,
  },
  {
    what: 'a database path that is a broken symbolic link',
    breakIt({ environment, folder }) {
      symlinkSync('/mnt/away/foyer.db', join(folder, 'linked.db'));
      environment.DATABASE_URL = `file:${folder}/linked.db`;
    },
    check: 'database',
    status: 'fault',
    detail: /linked\.db is a link to \/mnt\/away\/foyer\.db, which does not exist\.$/,
    fix: /^Mount the disk that the link leads to/,
  },
  {
    what: 'a DATABASE_URL whose folder is a file',
    breakIt({ environment, folder }) {
      writeFileSync(join(folder, 'data'), '');
      environment.DATABASE_URL = `file:${folder}/data/foyer.db`;
    },
    check: 'database',
    status: 'fault',
    detail: /cannot create it\. Foyer cannot write \S+\/data, which is not a folder\.$/,
    fix: /^Move \S+\/data away, or name a file in another folder/,
  },
  {
    what: 'a named pipe at the path of the database',
    breakIt({ environment, folder }) {
      execFileSync('mkfifo', [join(folder, 'pipe')]);
      environment.DATABASE_URL = `file:${folder}/pipe`;
    },
    check: 'database',
    status: 'fault',
    detail: /pipe is not a regular file\.$/,
    fix: /^Name a file in DATABASE_URL/,
    also: ['key', 'records'],
  },
  {
    what: 'a database that a newer Foyer has migrated',
    breakIt({ file }) {
      const sqlite = new Sqlite(file);
      sqlite.exec("insert into kysely_migration values ('9999-from-the-future', '2099-01-01')");
      sqlite.close();
    },
    check: 'database-schema',
    status: 'fault',
    detail: /newer Foyer.*9999-from-the-future/,
    fix: /Run that version/,
    also: ['key', 'records'],
  },
  {
    what: 'a database that lacks a migration',
    breakIt({ file, environment, folder }) {
      environment.DATABASE_URL = `file:${folder}/old.db`;
      const sqlite = new Sqlite(file);
      sqlite.exec(`vacuum into '${folder}/old.db'`);
      sqlite.close();
      const old = new Sqlite(join(folder, 'old.db'));
      old.exec("delete from kysely_migration where name = '0003-operator-notices'");
      old.close();
    },
    check: 'database-schema',
    status: 'warning',
    detail: /missing migrations: 0003-operator-notices/,
    fix: /restart Foyer/,
    also: ['key', 'records'],
  },
  {
    what: 'an exported manifest that names another address and turns the Home tab off',
    breakIt({ folder }) {
      const manifest = fillManifest(fixtureManifest, 'https://old.example.com') as {
        features: { app_home: Record<string, boolean> };
        settings: { event_subscriptions: { bot_events: string[] } };
      };
      manifest.features.app_home.home_tab_enabled = false;
      manifest.settings.event_subscriptions.bot_events = ['app_home_opened'];
      writeFileSync(join(folder, 'exported.json'), JSON.stringify(manifest));
    },
    options: ({ folder }) => ['--manifest', join(folder, 'exported.json')],
    check: 'manifest-urls',
    status: 'fault',
    detail: /no redirect URL http:.*event URL is https:\/\/old\.example\.com/,
    fix: /App Manifest page/,
    also: ['manifest-events', 'manifest-tabs'],
  },
  ...(
    [
      [
        'an open Messages tab without a subscription to message.im',
        false,
        [],
        /does not subscribe to message\.im/,
      ],
      [
        'a read-only Messages tab in an app that subscribes to message.im',
        true,
        ['message.im'],
        /no one can write.*subscribes to message\.im/,
      ],
    ] as const
  ).map(
    ([what, isReadOnly, more, detail]): Breakage => ({
      what,
      breakIt({ folder, environment }) {
        const manifest = fillManifest(fixtureManifest, environment.PUBLIC_URL ?? '') as {
          features: { app_home: Record<string, boolean> };
          settings: { event_subscriptions: { bot_events: string[] } };
        };
        manifest.features.app_home.messages_tab_read_only_enabled = isReadOnly;
        manifest.settings.event_subscriptions.bot_events.push(...more);
        writeFileSync(join(folder, manifestFileName), JSON.stringify(manifest));
      },
      check: 'manifest-tabs',
      status: 'warning',
      detail,
      fix: /messages_tab_read_only_enabled/,
    }),
  ),
  {
    what: 'a saved manifest that does not match PUBLIC_URL',
    breakIt({ folder }) {
      const manifest = fillManifest(fixtureManifest, 'https://old.example.com');
      writeFileSync(join(folder, manifestFileName), JSON.stringify(manifest));
    },
    check: 'manifest-urls',
    status: 'fault',
    detail: /slack-app-manifest\.json does not fit PUBLIC_URL/,
    fix: /npm run foyer -- manifest/,
  },
  {
    what: 'a saved manifest without the redirect URL of Sign in with Slack',
    breakIt({ folder, environment }) {
      const manifest = fillManifest(fixtureManifest, environment.PUBLIC_URL ?? '');
      writeFileSync(join(folder, manifestFileName), JSON.stringify(manifest));
      environment.SIGN_IN = 'on';
    },
    check: 'manifest-urls',
    status: 'fault',
    detail: /no redirect URL http.*\/slack\/signin\/callback/,
    fix: /npm run foyer -- manifest/,
  },
  {
    what: 'a --manifest file that does not exist',
    breakIt: () => {},
    options: ({ folder }) => ['--manifest', join(folder, 'nowhere.json')],
    check: 'manifest',
    status: 'fault',
    detail: /nowhere\.json cannot be read as JSON: ENOENT/,
    fix: /Export the manifest/,
  },
  {
    what: 'a saved manifest that is not JSON',
    breakIt: ({ folder }) => writeFileSync(join(folder, manifestFileName), '{ cut of'),
    check: 'manifest',
    status: 'warning',
    detail: /slack-app-manifest\.json cannot be read as JSON/,
    fix: /run setup again/,
  },
  {
    what: 'a configured scope that the manifest does not list and no team has granted',
    breakIt: ({ environment }) =>
      Object.assign(environment, { SLACK_SCOPES: [...botScopes, 'channels:read'].join() }),
    check: 'manifest-scopes',
    status: 'fault',
    detail: /asks for channels:read/,
    fix: /SLACK_SCOPES/,
    also: ['granted-scopes'],
  },
  {
    what: 'installations that lack a configured scope',
    breakIt: ({ database }) =>
      database.queries
        .updateTable('installations')
        .set({ bot_scopes: '["chat:write","users:read"]' })
        .execute(),
    check: 'granted-scopes',
    status: 'warning',
    detail: /1 of 1 lack im:write; 1 of 1 lack team:read/,
    fix: /Update permissions/,
  },
  {
    what: 'a public URL where nothing listens',
    breakIt: ({ closeServer }) => closeServer(),
    check: 'public-url',
    status: 'fault',
    detail: /healthz refuses the connection/,
    fix: /Start Foyer/,
    also: ['webhook'],
  },
  {
    what: 'a public URL on this machine with a port other than PORT',
    breakIt({ closeServer, environment, publicUrl }) {
      environment.PORT = '3999';
      environment.PUBLIC_URL = publicUrl;
      return closeServer();
    },
    check: 'public-url',
    status: 'fault',
    detail: /healthz refuses the connection/,
    fix: /^PUBLIC_URL has port \d+, but PORT is 3999: give both the same port \(PORT=\d+\), and start Foyer \(npm start\)\.$/,
    also: ['webhook'],
  },
  {
    what: 'a public URL where something else listens',
    breakIt: ({ health }) => Object.assign(health, { body: '<h1>Welcome to nginx</h1>' }),
    check: 'public-url',
    status: 'fault',
    detail: /something that is not Foyer/,
    fix: /DNS, the firewall/,
  },
  {
    what: 'a public URL without https',
    breakIt: ({ environment }) => Object.assign(environment, { PUBLIC_URL: 'http://foyer.example.com' }),
    check: 'public-url',
    status: 'fault',
    detail: /is http/,
    fix: /TLS proxy/,
  },
  {
    what: 'that Slack answers with status 503',
    breakIt: ({ sandbox }) =>
      sandbox.faults.add({ method: 'api.test', failure: { type: 'status', status: 503 } }),
    check: 'slack',
    status: 'fault',
    detail: /HTTP 503/,
    fix: /firewall/,
  },
  {
    what: 'a clock that is ten minutes slow',
    breakIt: () => {},
    now: () => Date.now() - 10 * 60_000,
    check: 'clock',
    status: 'fault',
    detail: /(?:59[5-9]|60[0-5]) s behind Slack’s/,
    fix: /NTP/,
    also: ['process'],
  },
  {
    what: 'an installation with a revoked token',
    breakIt: ({ database }) =>
      database.queries
        .updateTable('installations')
        .set({ status: 'broken', broken_reason: 'token_revoked' })
        .execute(),
    check: 'tokens-dead',
    status: 'warning',
    detail: /^1 installation is broken: Slack refuses the token, or Foyer erased it/,
    fix: /list --status broken/,
  },
  {
    what: 'an expired token that was not refreshed',
    breakIt: ({ database }) =>
      database.queries
        .updateTable('installations')
        .set({ bot_expires_at: Date.now() - 1000 })
        .execute(),
    check: 'tokens-expired',
    status: 'fault',
    detail: /1 bot token and 0 user tokens have expired/,
    fix: /Start Foyer/,
  },
  {
    what: 'a run that no worker picks up',
    async breakIt({ database }) {
      await storeRun(database, 'ins_1', [{ name: 'register-team', status: 'pending' }]);
      const due = { status: 'queued' as const, due_at: Date.now() - 15 * 60_000, finished_at: null };
      await database.queries.updateTable('runs').set(due).execute();
    },
    check: 'runs-hanging',
    status: 'fault',
    detail: /1 run is due, and no worker is running it.*15 min/,
    fix: /npm start/,
  },
  {
    what: 'a failed run',
    breakIt: ({ database }) =>
      storeRun(database, 'ins_1', [{ name: 'send-welcome', status: 'failed', errors: ['missing_scope'] }]),
    check: 'runs-failed',
    status: 'warning',
    detail: /newest run of 1 installation/,
    fix: /retry RUN.*or all of them with.*retry --failed`/,
  },
  {
    what: 'tokens that an interrupted install left behind',
    breakIt: ({ database, sandbox }) =>
      storeRequest(database, {
        id: 'req_1',
        client_id: sandbox.app.clientId,
        outcome: 'started',
        started_at: Date.now() - 3_600_000,
        sealed_tokens: createSealer({ keyring: createKeyring([key]), purpose: 'x' }).seal('x', 'y'),
      }),
    check: 'tokens-unstored',
    status: 'fault',
    detail: /1 interrupted install/,
    fix: /Start Foyer/,
  },
  {
    what: 'an operator password that is sent over plain http',
    breakIt: ({ environment }) =>
      Object.assign(environment, {
        OPERATOR_PASSWORD: 'correct horse battery',
        PUBLIC_URL: 'http://foyer.example.com',
      }),
    check: 'operator-pages',
    status: 'fault',
    detail: /unencrypted/,
    fix: /TLS proxy/,
    also: ['public-url'],
  },
  {
    what: 'an operator password and an operator sign-in with Slack that both use plain http',
    breakIt: ({ environment }) =>
      Object.assign(environment, {
        OPERATOR_PASSWORD: 'correct horse battery',
        OPERATOR_SLACK_USERS: 'T1/U1',
        SIGN_IN: 'on',
        PUBLIC_URL: 'http://foyer.example.com',
      }),
    check: 'operator-pages',
    status: 'fault',
    detail: /the password crosses the network unencrypted/,
    fix: /remove OPERATOR_PASSWORD and OPERATOR_SLACK_USERS\.$/,
    also: ['public-url'],
  },
  {
    what: 'an operator sign-in with Slack that uses plain http',
    breakIt: ({ environment }) =>
      Object.assign(environment, {
        OPERATOR_SLACK_USERS: 'T1/U1',
        SIGN_IN: 'on',
        PUBLIC_URL: 'http://foyer.example.com',
      }),
    check: 'operator-pages',
    status: 'fault',
    detail: /session crosses the network unencrypted/,
    fix: /remove OPERATOR_SLACK_USERS\.$/,
    also: ['public-url'],
  },
  {
    what: 'an operator password over plain http even if the host name begins with localhost',
    breakIt: ({ environment }) =>
      Object.assign(environment, {
        OPERATOR_PASSWORD: 'correct horse battery',
        PUBLIC_URL: 'http://localhost.example.com',
      }),
    check: 'operator-pages',
    status: 'fault',
    detail: /unencrypted/,
    fix: /TLS proxy/,
    also: ['public-url'],
  },
  {
    what: 'a public URL that accepts connections but never answers',
    async breakIt({ environment }, t) {
      environment.PUBLIC_URL = await listen(
        t,
        createServer(() => {}),
      );
    },
    check: 'public-url',
    status: 'fault',
    detail: /does not answer in time/,
    fix: /firewall/,
  },
  {
    what: 'a public URL that begins a response but never finishes it',
    async breakIt({ environment }, t) {
      const server = createServer((_req, res) => {
        const drip = setInterval(() => res.write(' '), 500);
        res.on('close', () => clearInterval(drip));
      });
      environment.PUBLIC_URL = await listen(t, server);
    },
    check: 'public-url',
    status: 'fault',
    detail: /does not answer in time/,
    fix: /firewall/,
  },
  {
    what: 'that neither a webhook nor mail is configured for notices to operators',
    breakIt: ({ environment }) => delete environment.NOTIFY_SLACK_WEBHOOK_URL,
    check: 'notify',
    status: 'warning',
    detail: /Foyer does not notify you/,
    fix: /NOTIFY_SLACK_WEBHOOK_URL/,
  },
  {
    what: 'a mail server that refuses the login',
    async breakIt({ environment }, t) {
      const mail = await startMailServer(t);
      Object.assign(environment, {
        NOTIFY_SMTP_URL: `smtp://foyer:wrong@127.0.0.1:${mail.port}`,
        NOTIFY_EMAIL_FROM: 'foyer@ops.example',
        NOTIFY_EMAIL_TO: 'ada@ops.example',
      });
    },
    check: 'mail-server',
    status: 'fault',
    detail: /refused the login/,
    fix: /user and password/,
  },
  {
    what: 'a SQLite database that holds an unfinished copy',
    breakIt: ({ database }) =>
      database.write((transaction) => createCopyMark(transaction, { source: 'another', owner: 'x' })),
    check: 'database-schema',
    status: 'fault',
    detail: /an unfinished copy/,
    fix: /To finish it, .*npm run foyer -- copy --to/,
    also: ['key', 'records'],
  },
  {
    what: 'a Postgres database that holds an unfinished copy',
    engine: 'Postgres',
    breakIt: ({ database }) =>
      database.write((transaction) => createCopyMark(transaction, { source: 'another', owner: 'x' })),
    check: 'database-schema',
    status: 'fault',
    detail: /an unfinished copy/,
    fix: /To finish it, .*npm run foyer -- copy --to/,
    also: ['key', 'records'],
  },
  {
    what: 'a missing Postgres database',
    engine: 'Postgres',
    breakIt: ({ environment }) => changeUrl(environment, (url) => Object.assign(url, { pathname: '/none' })),
    check: 'database',
    status: 'fault',
    detail: /foyer@127.*\/none does not exist/,
    fix: /createdb/,
    also: ['key', 'records'],
  },
  {
    what: 'a Postgres server that does not listen, without printing the password',
    engine: 'Postgres',
    breakIt: ({ environment }) =>
      changeUrl(environment, (url) => Object.assign(url, { port: '9', password: mailPassword })),
    check: 'database',
    status: 'fault',
    detail: /foyer@127.* refuses the connection: nothing listens there/,
    fix: /the server runs/,
    also: ['key', 'records'],
  },
  {
    what: 'a Postgres server without TLS if sslmode requires TLS',
    engine: 'Postgres',
    breakIt: ({ environment }) =>
      changeUrl(environment, (url) => url.searchParams.set('sslmode', 'verify-full')),
    check: 'database',
    status: 'fault',
    detail: /offers no TLS/,
    fix: /ssl = on/,
    also: ['key', 'records'],
  },
  {
    what: 'a read-only Postgres database',
    engine: 'Postgres',
    breakIt: ({ database }) =>
      sql`do $$ begin
        execute format('alter database %I set default_transaction_read_only = on', current_database());
      end $$`.execute(database.queries),
    check: 'database',
    status: 'fault',
    detail: /lets this role only read/,
    fix: /default_transaction_read_only|to off/,
    also: ['key', 'records'],
  },
  {
    what: 'a Postgres database that a newer Foyer has migrated',
    engine: 'Postgres',
    breakIt: ({ database }) =>
      sql`insert into kysely_migration values ('9999-from-the-future', '2099-01-01')`.execute(
        database.queries,
      ),
    check: 'database-schema',
    status: 'fault',
    detail: /newer Foyer.*9999-from-the-future/,
    fix: /Run that version/,
    also: ['key', 'records'],
  },
  {
    what: 'a pool_max that is higher than Postgres’ connection limit',
    engine: 'Postgres',
    breakIt: ({ environment }) => changeUrl(environment, (url) => url.searchParams.set('pool_max', '500')),
    check: 'database-connections',
    status: 'warning',
    detail: /of the server’s 197 connections are in use, and each Foyer takes up to 500/,
    fix: /max_connections/,
  },
  {
    what: 'a Postgres database without Foyer’s tables',
    engine: 'Postgres',
    async breakIt({ environment }, t) {
      const { url, drop } = await createPostgresDatabase({ empty: true });
      t.after(drop);
      environment.DATABASE_URL = url;
    },
    check: 'database-schema',
    status: 'warning',
    detail: /no Foyer tables yet/,
    fix: /wrong database/,
  },
  {
    what: 'a Postgres database in which another program has a table `installations`',
    engine: 'Postgres',
    async breakIt({ environment }, t) {
      const { url, drop } = await createPostgresDatabase({ empty: true });
      t.after(drop);
      await peekPostgres(url, (queries) => sql`create table installations (id int)`.execute(queries));
      environment.DATABASE_URL = url;
    },
    check: 'database-schema',
    status: 'fault',
    detail: /belongs to another program/,
    fix: /a database that no other program uses/,
    also: ['key', 'records'],
  },
  {
    what: 'a SQLite file in which another program has a table `installations`',
    breakIt: (prepared) => useOther(prepared, 'create table installations (id int)'),
    check: 'database-schema',
    status: 'fault',
    detail: /belongs to another program/,
    fix: /a database that no other program uses/,
    also: ['key', 'records'],
  },
  {
    what: 'a SQLite file with only another program’s tables',
    breakIt: (prepared) => useOther(prepared, 'create table orders (id int)'),
    check: 'database-schema',
    status: 'warning',
    detail: /no Foyer tables yet/,
    fix: /wrong database/,
  },
  {
    what: 'missing encryption keys for a Postgres database',
    engine: 'Postgres',
    breakIt: ({ environment }) => delete environment.TOKEN_ENCRYPTION_KEYS,
    check: 'environment',
    status: 'fault',
    detail: /TOKEN_ENCRYPTION_KEYS is missing, and with Postgres there is no folder/,
    fix: /openssl rand/,
    also: ['key'],
  },
];

/** Makes DATABASE_URL point to a SQLite file that another program created. */
function useOther(
  { folder, environment }: { folder: string; environment: Record<string, string> },
  text: string,
) {
  const other = new Sqlite(join(folder, 'other.db'));
  other.exec(text);
  other.close();
  environment.DATABASE_URL = `file:${join(folder, 'other.db')}`;
}

/** Changes a part of DATABASE_URL. */
function changeUrl(environment: Record<string, string>, change: (url: URL) => unknown): void {
  const url = new URL(environment.DATABASE_URL ?? '');
  change(url);
  environment.DATABASE_URL = url.href;
}

plantFaults('doctor names each problem with its fix', breakages);

test('doctor creates no tables in an empty Postgres database', async (t) => {
  const { doctor, environment } = await prepareDoctor(t, 'Postgres');
  const { url, drop } = await createPostgresDatabase({ empty: true });
  t.after(drop);
  environment.DATABASE_URL = url;
  await doctor();
  assert.deepEqual(await peekTables({ kind: 'postgres', url }), []);
});

test('doctor calls Slack through the proxy that the environment configures', async (t) => {
  const { doctor, environment, sandbox } = await prepareDoctor(t);
  const through: string[] = [];
  const proxy = createServer();
  proxy.on('connect', (req, socket) => {
    through.push(req.url ?? '');
    const slack = connect(Number(new URL(sandbox.url).port), '127.0.0.1');
    slack.on('error', () => socket.destroy());
    socket.on('error', () => slack.destroy());
    socket.write('HTTP/1.1 200 OK\r\n\r\n');
    slack.pipe(socket).pipe(slack);
  });
  proxy.listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  const before = process.env.http_proxy;
  process.env.http_proxy = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
  t.after(() => {
    if (before === undefined) delete process.env.http_proxy;
    else process.env.http_proxy = before;
    proxy.closeAllConnections();
    proxy.close();
  });
  // Nothing listens on 127.9.9.9: without the proxy, the connection is refused.
  Object.assign(environment, { NODE_USE_ENV_PROXY: '1', SLACK_API_URL: 'http://127.9.9.9:1/api/' });
  const { findings } = await doctor();
  for (const asked of ['slack', 'clock', 'credentials']) {
    const found = findings.find(({ check }) => check === asked);
    assert.equal(found?.status, 'ok', found?.detail);
  }
  assert.ok(through.length > 0 && through.every((asked) => asked === '127.9.9.9:1'), through.join());
});

test('doctor reports an environment that cannot be read, and continues with other checks', async (t) => {
  const { run } = await createOperatorHarness(t);
  const { exitCode, stdout } = await run(['doctor', '--json', '--offline'], {
    readEnvironment: () => {
      throw new Error('EISDIR: illegal operation on a directory, read');
    },
    readManifest: () => 'no JSON',
    loadKeyring: loadExistingKeyring,
  });
  assert.equal(exitCode, 1);
  const findings = JSON.parse(stdout) as Finding[];
  assert.match(findings[0]?.detail ?? '', /EISDIR/);
  assert.ok(findings.length > 3);
});

testOnBothEngines(
  'if Slack has suspended an app with very many installations, doctor calls none of them broken',
  async (t, engine) => {
    const { database, sandbox, doctor } = await prepareDoctor(t, engine);
    const { clientId } = sandbox.app;
    await sql`
    insert into installations (id, client_id, tenant, is_enterprise_install, status, broken_reason, life, version,
        installer_user_id, installed_at)
      with recursive numbers (n) as (select 1 union all select n + 1 from numbers where n < 10001)
      select 'held_' || n, ${clientId}, 'team:H' || n, 0, 'broken', 'account_inactive', 1, 1, 'U1', 1
        from numbers`.execute(database.queries);
    const { findings } = await doctor(['--offline']);
    assert.equal(findings.find(({ check }) => check === 'tokens-dead')?.status, 'ok');
    assert.match(
      findings.find(({ check }) => check === 'app-suspended')?.detail ?? '',
      /^10001 installations are held/,
    );
  },
);

test('doctor reports low disk space, a large WAL, damage and files that Foyer cannot write, each as a warning or a fault', () => {
  const sound = {
    bytes: 1_000_000,
    walBytes: 0,
    freeBytes: 100_000_000_000,
    integrity: 'ok',
    isLogWithoutIndex: false,
    hasNoFileLeft: false,
    unwritable: [] as UnwritablePath[],
    isEmpty: false,
    isOfAnother: false,
    isUnfinishedCopy: false,
    missingMigrations: [],
    unknownMigrations: [],
  };
  const amissIn = (changes: Partial<typeof sound>) => {
    const { findings, usable } = judgeDatabase('foyer.db', { ...sound, ...changes });
    return [...amiss(findings).map(({ check, status }) => `${check} ${status}`), usable];
  };
  assert.deepEqual(amissIn({}), [true]);
  assert.deepEqual(amissIn({ freeBytes: 10_000_000 }), ['disk fault', true]);
  assert.deepEqual(amissIn({ freeBytes: 300_000_000 }), ['disk warning', true]);
  assert.deepEqual(amissIn({ walBytes: 400_000_000 }), ['database-wal warning', true]);
  assert.deepEqual(amissIn({ integrity: 'Page 7: never used' }), ['database-integrity fault', false]);
  assert.deepEqual(amissIn({ hasNoFileLeft: true }), ['disk fault', true]);
  assert.deepEqual(amissIn({ isLogWithoutIndex: true }), ['database-wal warning', true]);
  const readOnly = { path: 'foyer.db', reason: 'EROFS', mode: 0o600, uid: 1000 };
  assert.deepEqual(amissIn({ unwritable: [readOnly] }), ['database fault', true]);
});

test('doctor advises to restore a backup if a newer app version migrated the database, and to merge the migrations if two versions diverged', () => {
  const known = { isEmpty: false, isOfAnother: false, isUnfinishedCopy: false };
  const fixFor = (missingMigrations: string[]) =>
    schemaFinding({ ...known, missingMigrations, unknownMigrations: ['0002-trials'] }).fix ?? '';
  assert.match(fixFor([]), /restore the backup/);
  assert.match(fixFor(['0002-plans']), /lacks \(0002-plans\).*the migrations of both/);
  assert.doesNotMatch(fixFor(['0002-plans']), /backup/);
});

test('doctor reports a Postgres server that does not meet Foyer’s needs, with a warning or a fault for each reason', () => {
  const url = 'postgres://foyer:secret@127.0.0.1/foyer';
  const sound = {
    version: '16.4',
    majorVersion: 16,
    isStandby: false,
    isReadOnly: false,
    encoding: 'UTF8',
    bytes: 1_000_000,
    isEncrypted: false,
    schema: 'public' as string | null,
    mayCreateTables: true,
    mayWrite: true,
    mostConnections: 97,
    connections: 20,
    oldestTransactionSeconds: 2 as number | null,
    idleSlots: [] as string[],
    isEmpty: false,
    isOfAnother: false,
    isUnfinishedCopy: false,
    missingMigrations: [],
    unknownMigrations: [],
  };
  const amissIn = (changes: Partial<typeof sound>, at = url) => {
    const { findings, usable } = judgePostgres(at, { ...sound, ...changes });
    return [...amiss(findings).map(({ check, status }) => `${check} ${status}`), usable];
  };
  const far = url.replace('127.0.0.1', 'db.example.com');
  assert.deepEqual(amissIn({}), [true]);
  assert.deepEqual(amissIn({ majorVersion: 13, version: '13.9' }), ['database fault', false]);
  assert.deepEqual(amissIn({ isStandby: true, isReadOnly: true }), ['database fault', false]);
  assert.deepEqual(amissIn({ encoding: 'SQL_ASCII' }), ['database fault', false]);
  assert.deepEqual(amissIn({ schema: null, mayCreateTables: false }), ['database fault', false]);
  assert.deepEqual(amissIn({ mayWrite: false }), ['database fault', false]);
  assert.deepEqual(amissIn({}, far), ['database-encryption warning', true]);
  assert.deepEqual(amissIn({ isEncrypted: true }, far), [true]);
  assert.deepEqual(amissIn({ isEncrypted: true }, `${far}?sslmode=no-verify`), [
    'database-encryption warning',
    true,
  ]);
  assert.deepEqual(amissIn({}, 'postgres:///foyer?host=/run/postgresql'), [true]);
  assert.deepEqual(amissIn({ connections: 90 }), ['database-connections warning', true]);
  assert.deepEqual(amissIn({ connections: 90 }, `${url}?pool_max=5`), [true]);
  assert.deepEqual(amissIn({ idleSlots: ['gone'] }), ['database-vacuum warning', true]);
  assert.deepEqual(amissIn({ oldestTransactionSeconds: 7200 }), ['database-vacuum warning', true]);
});

test('doctor names the reason why Postgres or TLS refuses a connection, without the password', () => {
  const url = 'postgres://foyer:very-secret@db.example.com/foyer';
  const adviceOn = (code: string | undefined, message: string): string => {
    const cause = Object.assign(new Error(message), code === undefined ? {} : { code });
    const { detail, fix } = postgresFault(url, new Error('it cannot be used', { cause }));
    assert.doesNotMatch(detail + fix, /very-secret/);
    return detail.replace('postgres://foyer@db.example.com/foyer ', '');
  };
  const noPassword = 'SASL: SCRAM-SERVER-FIRST-MESSAGE: client password must be a string';
  const noTls = 'no pg_hba.conf entry for host "10.0.0.1", user "foyer", database "foyer", no encryption';
  assert.match(
    adviceOn('28P01', 'password authentication failed for user "foyer"'),
    /refuses the user’s password/,
  );
  assert.match(adviceOn(undefined, noPassword), /asks for a password, and Foyer has none/);
  assert.match(adviceOn('28000', noTls), /accepts no unencrypted connection/);
  assert.match(adviceOn('28000', 'role "foyer" does not exist'), /there is no such role/);
  assert.match(adviceOn('53300', 'sorry, too many clients already'), /no free connection/);
  assert.match(adviceOn('57P03', 'the database system is starting up'), /is starting/);
  assert.match(adviceOn('DEPTH_ZERO_SELF_SIGNED_CERT', 'self-signed certificate'), /self-signed certificate/);
  assert.match(
    adviceOn('ERR_TLS_CERT_ALTNAME_INVALID', 'Hostname does not match'),
    /for a different host name/,
  );
  assert.match(adviceOn('ENOENT', "ENOENT: no such file or directory, open '/ca.pem'"), /sslrootcert/);
  assert.match(adviceOn('ENOTFOUND', 'getaddrinfo ENOTFOUND db.example.com'), /DNS does not know/);
  assert.match(adviceOn('42501', 'permission denied for database'), /refuses: permission denied/);
});
