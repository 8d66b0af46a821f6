import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { createLogger } from '../../src/config/log.ts';
import { listUnknownTeams, mostUnknownTeams } from '../../src/database/unknown-teams.ts';
import { createNoteUnknownTeam } from '../../src/events/note-unknown-team.ts';
import { checkRecords } from '../../src/operator/doctor/check-records.ts';
import { createVisitor, eventually, finishedRun, install } from '../../src/testing/visitor.ts';
import { commandOnStage } from '../operator/command-on-stage.ts';
import { createOperatorHarness, storeInstallation, testOnBothEngines } from '../operator/operator-harness.ts';
import { setOperatorStage } from '../operator/pages/operator-stage.ts';
import type { EngineName } from '../support/stage-database.ts';

testOnBothEngines(
  'after a restore, Foyer lists each team that is missing from the backup until that team installs again',
  async (t, engine) => {
    let aheadMs = 0;
    const now = () => Date.now() + aheadMs;
    const stage = await setOperatorStage({ engine, foyer: { now } });
    t.after(() => stage.close());
    const { sandbox, url, config } = stage;
    const acme = { teamId: sandbox.workspace('Acme').id, userId: sandbox.person('Acme').id };
    const installs = async () => {
      const visitor = createVisitor();
      const done = await install(visitor, url, sandbox, acme);
      await finishedRun(visitor, url + (done.headers.get('location') ?? ''));
    };
    const command = (...commandLine: string[]) =>
      commandOnStage({ ...stage, database: undefined as never }, commandLine, { now });
    const unknown = async () => JSON.parse((await command('list', '--unknown', '--json')).stdout);
    const metric = async () =>
      /^foyer_unknown_teams (\d+)$/m.exec(await (await fetch(`${url}/metrics`)).text())?.[1];
    await installs();
    await stage.logIn();
    assert.equal(await metric(), '0');

    // Deletes the installation, as the restore of an older backup would.
    await stage.database.queries.deleteFrom('installations').execute();
    await eventually(async () => {
      await sandbox.openHome(acme);
      return (await stage.database.queries.selectFrom('unknown_teams').selectAll().execute()).length === 1;
    });
    assert.deepEqual(await unknown(), [], 'an install that is being committed looks the same for a moment');
    aheadMs = 2 * 60_000;

    const [team] = await unknown();
    assert.deepEqual(
      [team.teamId, team.enterpriseId, team.reconnectUrl],
      [acme.teamId, null, `${url}/slack/install?team=${acme.teamId}`],
    );
    assert.match((await command('list', '--unknown')).stdout, new RegExp(`^${acme.teamId} `, 'm'));
    assert.equal((await command('list', '--unknown', '--failed')).exitCode, 2);
    assert.equal(await metric(), '1');
    const overview = await (await stage.get('/operator')).text();
    assert.match(overview, /1 team is missing here/);
    assert.ok(overview.includes(acme.teamId));
    const found = await checkRecords(stage.database.queries, config, now(), []);
    const finding = found.find(({ check }) => check === 'teams-unknown');
    assert.equal(finding?.status, 'warning');
    assert.ok(finding.detail.includes(acme.teamId));
    // The suggested fix names DATABASE_URL before the backup: a wrong DATABASE_URL also makes the team unknown, and
    // correcting it needs no new install.
    assert.match(finding.fix ?? '', /DATABASE_URL.*newer backup.*list --unknown/);

    await installs();
    assert.deepEqual(await unknown(), []);
    assert.equal(await metric(), '0');
  },
);

/** Sets up `note` on its own database, with a clock, and collects what it logs. */
async function prepare(t: TestContext, engine?: EngineName) {
  const { database } = await createOperatorHarness(t, {}, engine);
  const lines: { level: number; teamId?: string; unknownTeams?: number; msg: string }[] = [];
  const destination = { write: (line: string) => void lines.push(JSON.parse(line)) };
  const log = createLogger({ logLevel: 'warn', secrets: [] }, { destination: destination as never });
  let time = Date.now();
  const reports: (() => void)[] = [];
  const note = createNoteUnknownTeam({
    database,
    clientId: '1.2',
    now: () => time,
    log,
    later: (work) => void reports.push(work),
  });
  const rows = async () => {
    const found = await database.queries.selectFrom('unknown_teams').selectAll().orderBy('tenant').execute();
    return found.map(({ tenant }) => tenant);
  };
  return {
    database,
    lines,
    note,
    rows,
    reports,
    pass(ms: number) {
      time += ms;
    },
    list: () => listUnknownTeams(database.queries, { clientId: '1.2', now: time }),
  };
}

testOnBothEngines(
  'Foyer logs an unknown team once, but not if the team installs shortly after its first event',
  async (t, engine) => {
    const { database, lines, note, rows, pass, reports } = await prepare(t, engine);
    for (let count = 0; count < 50; count += 1) note({ teamId: 'T1' });
    note({ teamId: 'T2', enterpriseId: 'E2' });
    await eventually(async () => (await rows()).length === 2);
    await storeInstallation(database, { id: 'ins_2', team_id: 'T2' });
    await eventually(async () => reports.length === 2);
    pass(65_000);
    for (const report of reports.splice(0)) report();
    await eventually(async () => lines.length > 0);
    for (let hour = 0; hour < 3; hour += 1) {
      pass(3_600_000);
      note({ teamId: 'T1' });
      note({ teamId: 'T2', enterpriseId: 'E2' });
    }
    await eventually(async () => (await rows()).length === 2);
    for (const report of reports) report();
    assert.deepEqual(
      lines.map(({ level, teamId, unknownTeams }) => [level, teamId, unknownTeams]),
      [[50, 'T1', 1]],
    );
    assert.match(lines[0]?.msg ?? '', /list --unknown/);
  },
);

test('a team does not count as unknown if it is installed, was uninstalled, or belongs to an org-wide install', async (t) => {
  const { database, note, rows } = await prepare(t);
  await storeInstallation(database, { id: 'ins_1', team_id: 'T1' });
  await storeInstallation(database, { id: 'ins_2', team_id: 'T2', status: 'uninstalled' });
  await storeInstallation(database, { id: 'ins_3', team_id: null, enterprise_id: 'E3' });
  await storeInstallation(database, { id: 'ins_4', team_id: 'T4', client_id: 'another' });
  note({ teamId: 'T1' });
  note({ teamId: 'T2' });
  note({ teamId: 'T3', enterpriseId: 'E3' });
  note({ teamId: undefined, enterpriseId: undefined });
  note({ teamId: 'T4' });
  await eventually(async () => (await rows()).length > 0);
  assert.deepEqual(await rows(), ['team:T4']);
});

test('Foyer remembers at most a thousand unknown teams, and forgets a team that sends no event for a month', async (t) => {
  const { database, note, rows, pass, list } = await prepare(t);
  const many = Array.from({ length: mostUnknownTeams - 1 }, (_, index) => ({
    ...{ client_id: '1.2', tenant: `team:T${10_000 + index}`, first_seen_at: 1, last_seen_at: Date.now() },
  }));
  await database.queries.insertInto('unknown_teams').values(many).execute();
  for (let team = 0; team < 20; team += 1) note({ teamId: `TNEW${team}` });
  await eventually(async () => (await rows()).length === mostUnknownTeams);
  for (let turn = 0; turn < 200; turn += 1) await new Promise((next) => setImmediate(next));
  assert.equal((await rows()).length, mostUnknownTeams);
  pass(31 * 24 * 3_600_000);
  assert.deepEqual(await list(), []);
  note({ teamId: 'TLATE' });
  await eventually(async () => (await rows()).length === 1);
  assert.deepEqual(await rows(), ['team:TLATE']);
});
