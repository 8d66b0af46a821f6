import assert from 'node:assert/strict';
import { tmpdir } from 'node:os';
import { describe, it, type TestContext } from 'node:test';
import { createLogger } from '../../src/config/log.ts';
import { migrationNames } from '../../src/database/migrate.ts';
import { openDatabase } from '../../src/database/open-database.ts';
import { createNoticeSender } from '../../src/notices/send-notices.ts';
import { freePort } from '../../src/testing/free-port.ts';
import { createVisitor, eventually, finishedRun, install } from '../../src/testing/visitor.ts';
import { isServing, spawnFoyer } from '../faults/support/foyer-process.ts';
import { count } from '../faults/support/full-run.ts';
import { signedPost } from '../faults/support/signed-post.ts';
import { liveTokens } from '../faults/support/tokens.ts';
import { fetchAs } from '../support/fetch-as.ts';
import { createPostgresDatabase } from '../support/shared-postgres.ts';
import { postgresStageDatabase } from '../support/stage-database.ts';
import { type Machines, setMachines } from './support/set-machines.ts';

/**
 * Tests two machines on one Postgres: some work must be done only once, whichever machine does it, and one machine must
 * see changes that the other has made.
 */

const quiet = createLogger({ logLevel: 'silent', secrets: [] });
const password = 'open sesame, please';

async function machinesFor(t: TestContext, options?: Parameters<typeof setMachines>[0]): Promise<Machines> {
  const machines = await setMachines(options);
  t.after(() => machines.close());
  return machines;
}

/**
 * Installs in a new workspace through a machine, and waits for the run. Returns the ids of the workspace and the
 * installer.
 */
async function installNew(machines: Machines, name: string, url = machines.a.url) {
  const { sandbox } = machines;
  const { id: teamId } = sandbox.addWorkspace({ name });
  const place = { teamId, userId: sandbox.person(teamId, 'owner').id };
  const visitor = createVisitor();
  const done = await install(visitor, url, sandbox, place);
  assert.equal(done.status, 303);
  await finishedRun(visitor, url + done.headers.get('location'), 90_000);
  return place;
}

/** Repeats one race: the senders of both machines find the same due notice at the same time, and only one sends it. */
async function assertClaimedOnce(t: TestContext, { a, b, database, webhook }: Machines): Promise<void> {
  const senders = await Promise.all(
    [a, b].map(async ({ config }) => {
      const own = await openDatabase(config.database);
      t.after(() => own.close());
      return createNoticeSender({ config, database: own, now: Date.now, log: quiet });
    }),
  );
  for (let n = 0; n < count({ quick: 15, full: 150 }); n += 1) {
    const before = webhook.calls();
    await database.change(
      "update operator_notices set status = 'pending', due_at = 0 where cause_id = (select min(cause_id) from operator_notices where kind = 'uninstalled')",
    );
    await Promise.all(senders.map((sender) => sender.send()));
    assert.equal(webhook.calls(), before + 1, 'both have sent');
  }
}

describe('two machines on one Postgres', { concurrency: 4 }, () => {
  it('if both machines start at the same time on an empty database, each migration runs once, one key is stored, and both serve requests', async (t) => {
    const machines = await machinesFor(t, { start: false });
    for (let n = 0; n < count({ quick: 1, full: 5 }); n += 1) {
      const { url, drop } = await createPostgresDatabase({ empty: true });
      const database = await postgresStageDatabase({ url });
      const processes = await Promise.all(
        [1, 2].map(async () => {
          const port = await freePort();
          const environment = { ...machines.environment, DATABASE_URL: url, PORT: String(port) };
          return { port, foyer: spawnFoyer({ environment, folder: tmpdir() }) };
        }),
      );
      t.after(async () => {
        for (const { foyer } of processes) foyer.kill();
        await Promise.all(processes.map(({ foyer }) => foyer.ended));
        await database.remove();
        await drop();
      });
      for (const { foyer, port } of processes) {
        assert.ok(await isServing(foyer), foyer.output());
        assert.equal((await fetch(`http://127.0.0.1:${port}/readyz`)).status, 200);
        assert.ok(!/"level":(50|60)/.test(foyer.output()), foyer.output());
      }
      const applied = await database.rows<{ name: string }>(
        'select name from kysely_migration order by name',
      );
      assert.deepEqual(
        applied.map(({ name }) => name),
        migrationNames,
      );
      assert.equal((await database.rows('select id from encryption_keys')).length, 1);
    }
  });

  it('a lifecycle event that reaches both machines is applied once', async (t) => {
    const machines = await machinesFor(t);
    const { a, b, sandbox, database } = machines;
    for (let n = 0; n < count({ quick: 2, full: 15 }); n += 1) {
      const { teamId } = await installNew(machines, `Delivered twice ${n}`);
      const body = {
        type: 'event_callback',
        team_id: teamId,
        api_app_id: sandbox.app.id,
        event_id: `EvTWICE${n}`,
        // One second in the future, so that the event is certainly newer than the install.
        event_time: Math.floor(Date.now() / 1000) + 1,
        event: { type: 'app_uninstalled' },
      };
      const { signingSecret } = sandbox.app;
      const answers = await Promise.all(
        [a, b, a, b].map(({ url }) => signedPost({ url, signingSecret, body })),
      );
      for (const answer of answers) assert.equal(answer.status, 200);
      const [row] = await database.rows<{ id: string; status: string }>(
        'select id, status from installations where team_id = ?',
        teamId,
      );
      assert.equal(row?.status, 'uninstalled');
      const told = await database.rows(
        "select id from history where installation_id = ? and kind = 'uninstalled'",
        row.id,
      );
      assert.equal(told.length, 1);
    }
  });

  it('the operators get one notice of each install and uninstall, even if both machines look for due notices at the same time', async (t) => {
    const machines = await machinesFor(t);
    const { a, b, sandbox, webhook } = machines;
    await b.stop();
    const many = count({ quick: 3, full: 20 });
    for (let n = 0; n < many; n += 1) {
      const { teamId } = await installNew(machines, `Cause ${n} of it`);
      await sandbox.uninstall({ teamId });
    }
    await sandbox.settled();
    // Each machine looks for due notices when it starts.
    await a.stop();
    await Promise.all([a.start(), b.start()]);
    const tellsOf = (n: number, word: string) =>
      webhook.posted.filter((text) => text.includes(`Cause ${n} of it`) && text.includes(word)).length;
    await eventually(async () =>
      Array.from({ length: many }, (_, n) => tellsOf(n, 'uninstalled')).every((told) => told > 0),
    );
    await Promise.all([a.stop(), b.stop()]);
    await Promise.all([a.start(), b.start()]);
    await Promise.all([a.stop(), b.stop()]);
    for (let n = 0; n < many; n += 1) {
      assert.equal(tellsOf(n, ' installed '), 1);
      assert.equal(tellsOf(n, 'uninstalled'), 1);
    }
    assert.equal(webhook.calls(), 2 * many);
    await assertClaimedOnce(t, machines);
  });

  it('if two machines start at the same time, they revoke the kept tokens of a failed install without disturbing each other', async (t) => {
    const machines = await machinesFor(t);
    const { a, b, sandbox, database } = machines;
    // Slack fails to revoke the token during the callback, so Foyer stores the token to revoke it later.
    sandbox.faults.add({ method: 'auth.test', failure: { type: 'status', status: 500 } });
    sandbox.faults.add({ method: 'auth.revoke', failure: { type: 'status', status: 500 } });
    const { id: teamId } = sandbox.addWorkspace({ name: 'Cut off' });
    const place = { teamId, userId: sandbox.person(teamId, 'owner').id };
    const failed = await install(createVisitor(), a.url, sandbox, place);
    assert.equal(failed.status, 502);
    assert.equal(liveTokens(sandbox).length, 1);
    await database.change('update install_requests set started_at = started_at - 61000');
    await Promise.all([a.stop(), b.stop()]);
    await Promise.all([a.start(), b.start()]);
    await eventually(
      async () =>
        (await database.rows('select id from install_requests where sealed_tokens is not null')).length === 0,
    );
    await Promise.all([a.stop(), b.stop()]);
    assert.deepEqual(liveTokens(sandbox), []);
    const complaints = [...a.logged(), ...b.logged()].filter((line) => /could not (read|forget)/.test(line));
    assert.deepEqual(complaints, []);
  });

  it('an operator who logs in or out on one machine is logged in or out on the other too', async (t) => {
    const { a, b } = await machinesFor(t, { environment: { OPERATOR_PASSWORD: password } });
    const { host } = new URL(a.config.http.publicUrl);
    assert.equal((await fetchAs(host, `${b.url}/operator`)).status, 303);
    const login = await fetchAs(host, `${a.url}/operator/login`, {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded', 'sec-fetch-site': 'same-origin' },
      body: new URLSearchParams({ password, next: '/operator' }).toString(),
    });
    assert.equal(login.status, 303);
    const cookie = login.headers
      .getSetCookie()
      .map((line) => line.split(';')[0])
      .join('; ');
    const page = await fetchAs(host, `${b.url}/operator`, { headers: { cookie } });
    assert.equal(page.status, 200);
    const csrf = /name="csrf" value="([^"]+)"/.exec(await page.text())?.[1] ?? '';
    const logout = await fetchAs(host, `${b.url}/operator/logout`, {
      method: 'POST',
      headers: {
        cookie,
        'content-type': 'application/x-www-form-urlencoded',
        'sec-fetch-site': 'same-origin',
      },
      body: new URLSearchParams({ csrf }).toString(),
    });
    assert.equal(logout.status, 303);
    const after = await fetchAs(host, `${a.url}/operator`, { headers: { cookie } });
    assert.equal(after.status, 303);
  });

  it('App Home shows the newest record, whichever machine receives the event app_home_opened', async (t) => {
    const machines = await machinesFor(t);
    const { a, b, sandbox, database } = machines;
    const { teamId } = await installNew(machines, 'Opened');
    const admin = { teamId, userId: sandbox.person(teamId, 'admin').id };
    for (const [n, { url }] of [a, b, a, b].entries()) {
      const name = `Opened ${n}`;
      await database.change('update installations set team_name = ? where team_id = ?', name, teamId);
      const body = {
        type: 'event_callback',
        team_id: teamId,
        api_app_id: sandbox.app.id,
        event_id: `EvOPENED${n}`,
        event_time: Math.floor(Date.now() / 1000),
        event: { type: 'app_home_opened', user: admin.userId, tab: 'home' },
      };
      // The test posts the event to this machine directly: the sandbox might reuse a connection to the other machine.
      await signedPost({ url, signingSecret: sandbox.app.signingSecret, body });
      await eventually(async () => JSON.stringify(sandbox.homeView(admin)).includes(name));
    }
    for (const call of sandbox.calls()) assert.notEqual(call.answer?.ok, false, call.method);
  });
});
