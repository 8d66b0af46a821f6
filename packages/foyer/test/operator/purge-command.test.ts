import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type TestContext, test } from 'node:test';
import { sql } from 'kysely';
import { KeyringError } from '../../src/installations/keyring.ts';
import type { OperatorDeps } from '../../src/operator/operator-deps.ts';
import type { EngineName } from '../support/stage-database.ts';
import {
  createOperatorHarness,
  storeInstallation,
  storeRun,
  storeUser,
  testOnBothEngines,
} from './operator-harness.ts';

/** Starts a fake Slack that has only `auth.revoke`. `answer` returns its answer for a token. */
async function startSlack(t: TestContext, answer: (token: string) => object | 'drop') {
  const revoked: string[] = [];
  const server = createServer((request, response) => {
    const token = request.headers.authorization?.replace('Bearer ', '') ?? '';
    assert.equal(request.url, '/api/auth.revoke');
    revoked.push(token);
    const answered = answer(token);
    if (answered === 'drop') return request.socket.destroy();
    response.setHeader('content-type', 'application/json').end(JSON.stringify(answered));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => new Promise((resolve) => server.close(resolve).closeAllConnections()));
  return { apiUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}/api/`, revoked };
}

/**
 * A store that gives each person a token that contains the person's id. Its purge deletes only the installation's row.
 */
function storeOfTokens(installationId: string) {
  const purged: string[] = [];
  const deps: Pick<OperatorDeps, 'openStore' | 'openEraser'> = {
    openStore() {
      return {
        async readInstallation(id, userId = 'U1') {
          assert.equal(id, installationId);
          const rest = { installationId, tenant: 'team:T1', status: 'active' as const, life: 1, version: 1 };
          const user = { id: userId, token: `xoxp-${userId}`, scopes: [] };
          const bot = { id: 'B1', userId: 'UBOT', token: 'xoxb-bot', scopes: [] };
          const installation = { team: { id: 'T1' }, enterprise: undefined, user, bot };
          return { ...rest, userVersion: 1, installedAt: 0, installation };
        },
      };
    },
    openEraser(_config, { queries }) {
      return {
        deleteInstallation: async () => true,
        async purgeInstallation(id) {
          purged.push(id);
          const gone = await queries.deleteFrom('installations').where('id', '=', id).executeTakeFirst();
          return gone.numDeletedRows > 0n;
        },
      };
    },
  };
  return { deps, purged };
}

async function createTeam(t: TestContext, answer: (token: string) => object | 'drop', engine?: EngineName) {
  const slack = await startSlack(t, answer);
  const harness = await createOperatorHarness(t, { SLACK_API_URL: slack.apiUrl }, engine);
  await storeInstallation(harness.database, { id: 'ins_1' });
  await storeRun(harness.database, 'ins_1', [{ name: 'register-team', status: 'succeeded' }]);
  const ada = { installationId: 'ins_1', userId: 'U1', realName: 'Ada', sealedToken: 'sealed' };
  await storeUser(harness.database, ada);
  await storeUser(harness.database, { ...ada, userId: 'U2' });
  return { ...harness, slack, ...storeOfTokens('ins_1') };
}

const ok = () => ({ ok: true, revoked: true });

testOnBothEngines(
  '`purge` revokes every token at Slack, erases the team and says what was erased',
  async (t, engine) => {
    const { run, deps, purged, slack } = await createTeam(t, ok, engine);
    const { exitCode, stdout, stderr } = await run(['purge', 'T1', '--yes', '--json'], deps);
    assert.equal(exitCode, 0);
    assert.equal(stderr, '');
    assert.deepEqual(slack.revoked, ['xoxb-bot', 'xoxp-U1', 'xoxp-U2']);
    assert.deepEqual(purged, ['ins_1']);
    assert.deepEqual(JSON.parse(stdout), {
      teamId: 'T1',
      teamName: 'Acme',
      enterpriseId: null,
      isEnterpriseInstall: false,
      erased: { users: 2, userTokens: 2, runs: 1, history: 2 },
      ownTables: { erased: [], left: [] },
      tokens: { revoked: 3, notRevoked: [] },
    });
    assert.equal((await run(['show', 'T1'])).exitCode, 1);
  },
);

test('`purge` stops calling Slack after a connection breaks, reports the tokens that it did not revoke, and still erases the team', async (t) => {
  const { run, deps, purged, slack } = await createTeam(t, () => 'drop');
  const { exitCode, stdout, stderr } = await run(['purge', 'T1', '--yes', '--json'], deps);
  assert.equal(exitCode, 0);
  assert.equal(slack.revoked.length, 1);
  assert.deepEqual(purged, ['ins_1']);
  const error = 'connection_failed';
  assert.deepEqual(JSON.parse(stdout).tokens, {
    revoked: 0,
    notRevoked: [
      { of: 'bot', error },
      { of: 'U1', error },
      { of: 'U2', error },
    ],
  });
  assert.match(stderr, /bot’s token could not be revoked at Slack \(connection_failed\)/);
});

test('`purge` counts an already revoked token as revoked, but not an expired token or a token that Slack refuses to revoke', async (t) => {
  const errors: Record<string, string> = {
    'xoxb-bot': 'token_revoked',
    'xoxp-U1': 'token_expired',
    'xoxp-U2': 'not_allowed_token_type',
  };
  const { run, deps } = await createTeam(t, (token) => ({ ok: false, error: errors[token] }));
  const { stdout } = await run(['purge', 'T1', '--yes', '--json'], deps);
  assert.deepEqual(JSON.parse(stdout).tokens, {
    revoked: 1,
    notRevoked: [
      { of: 'U1', error: 'token_expired' },
      { of: 'U2', error: 'not_allowed_token_type' },
    ],
  });
});

test('`purge` shows what it will erase and asks for confirmation; if the operator says no, it erases and revokes nothing', async (t) => {
  const { run, deps, purged, slack } = await createTeam(t, ok);
  const questions: string[] = [];
  const answer = (yes: boolean) => async (question: string) => {
    questions.push(question);
    return yes;
  };
  const declined = await run(['purge', 'T1'], { ...deps, confirm: answer(false) });
  assert.equal(declined.exitCode, 1);
  assert.equal(declined.stdout, '');
  assert.match(declined.stderr, /Acme \(T1\), active\n +people +2\n[\s\S]*Nothing was erased\.\n$/);
  assert.deepEqual([purged, slack.revoked, questions], [[], [], ['Erase T1?']]);
  const agreed = await run(['purge', 'T1'], { ...deps, confirm: answer(true) });
  assert.equal(agreed.exitCode, 0);
  assert.match(agreed.stdout, /^Erased:\n {2}team +Acme \(T1\), active\n/);
  assert.deepEqual(purged, ['ins_1']);
});

test('`purge` requires --yes if it cannot ask for confirmation; without it, `purge` erases and revokes nothing', async (t) => {
  const { run, deps, purged, slack } = await createTeam(t, ok);
  const { exitCode, stdout, stderr } = await run(['purge', 'T1'], deps);
  assert.deepEqual([purged, slack.revoked], [[], []]);
  assert.equal(exitCode, 2);
  assert.equal(stdout, '');
  assert.match(stderr, /--yes/);
});

test('`purge` stops if the encryption key is wrong; with --no-revoke, it erases without the key', async (t) => {
  const { run, deps, purged, slack } = await createTeam(t, ok);
  const openStore = (): never => {
    throw new KeyringError('The key main is another one.');
  };
  const stopped = await run(['purge', 'T1', '--yes'], { ...deps, openStore });
  assert.equal(stopped.exitCode, 1);
  assert.match(stopped.stderr, /The key main is another one/);
  assert.match(stopped.stderr, /--no-revoke/);
  assert.deepEqual(purged, []);
  const erased = await run(['purge', 'T1', '--yes', '--no-revoke'], { ...deps, openStore });
  assert.equal(erased.exitCode, 0);
  assert.deepEqual([purged, slack.revoked], [['ins_1'], []]);
});

test('`purge` erases an uninstalled team without calling Slack, and a second `purge` finds no such team', async (t) => {
  const { database, run, deps, slack } = await createTeam(t, ok);
  await database.queries.updateTable('installations').set({ status: 'uninstalled' }).execute();
  assert.equal((await run(['purge', 'T1', '--yes'], deps)).exitCode, 0);
  assert.deepEqual(slack.revoked, []);
  const unknown = await run(['purge', 'T1', '--yes', '--json'], deps);
  assert.deepEqual([unknown.exitCode, unknown.stdout], [1, '']);
  assert.match(unknown.stderr, /There is no installation of T1/);
});

testOnBothEngines(
  'a command that changes a team refuses its name, and names the ids that the name matches',
  async (t, engine) => {
    const { database, run, deps, purged } = await createTeam(t, ok, engine);
    await storeInstallation(database, { id: 'ins_2', team_id: 'T2', team_name: 'Acme Labs' });
    for (const args of [
      ['purge', 'acme', '--yes'],
      ['revoke', 'acme', '--yes'],
      ['connect', 'acme', '--org', 'org_1'],
    ]) {
      const { exitCode, stderr } = await run(args, deps);
      assert.equal(exitCode, 1);
      assert.match(stderr, /takes a team’s id, not a name\. "acme" matches T1 \(Acme\)\./, args[0]);
    }
    const part = await run(['purge', 'acm', '--yes'], deps);
    assert.match(part.stderr, /"acm" matches T2 \(Acme Labs\), T1 \(Acme\)\./);
    assert.deepEqual(purged, []);
  },
);

testOnBothEngines(
  '`purge` erases the team’s rows from own tables with `on delete cascade`, and names the own tables that it leaves unchanged',
  async (t, engine) => {
    const { database, run, deps } = await createTeam(t, ok, engine);
    await storeInstallation(database, { id: 'ins_2', team_id: 'T2' });
    const execute = (text: string) => sql.raw(text).execute(database.queries);
    await execute(
      'create table orders (id text primary key, installation_id text references INSTALLATIONS (id) on delete cascade)',
    );
    await execute(
      'create table lines (id text primary key, order_id text references Orders (id) on delete cascade)',
    );
    await execute('create table notes (id text primary key, team_id text)');
    await execute("insert into orders values ('order-1', 'ins_1'), ('order-2', 'ins_2')");
    await execute("insert into lines values ('line-1', 'order-1'), ('line-2', 'order-2')");
    await execute("insert into notes values ('note-1', 'T1'), ('note-2', 'T2')");
    const { exitCode, stdout, stderr } = await run(['purge', 'T1', '--yes', '--json'], deps);
    assert.equal(exitCode, 0, stderr);
    assert.deepEqual(JSON.parse(stdout).ownTables, { erased: ['lines', 'orders'], left: ['notes'] });
    assert.match(
      stderr,
      /does not erase rows of your own tables notes: .* about T1\. Erase them in the uninstall pipeline/,
    );
    const idsIn = async (table: string) =>
      (await sql<{ id: string }>`select id from ${sql.table(table)} order by id`.execute(database.queries))
        .rows;
    assert.deepEqual(
      [await idsIn('orders'), await idsIn('lines'), await idsIn('notes')],
      [[{ id: 'order-2' }], [{ id: 'line-2' }], [{ id: 'note-1' }, { id: 'note-2' }]],
    );
  },
);

testOnBothEngines(
  '`purge` keeps the records if an own table still refers to the team, and names that table',
  async (t, engine) => {
    const { database, run, deps } = await createTeam(t, ok, engine);
    await sql`create table orders (id text primary key, installation_id text references installations (id))`.execute(
      database.queries,
    );
    await sql`insert into orders values ('order-1', 'ins_1')`.execute(database.queries);
    const { exitCode, stdout, stderr } = await run(['purge', 'T1', '--yes', '--json'], deps);
    assert.deepEqual([exitCode, stdout], [1, '']);
    assert.match(
      stderr,
      /The records of T1 were not erased: rows of your own tables \(orders\) still refer to them/,
    );
    assert.equal((await run(['show', 'T1'])).exitCode, 0);
  },
);
