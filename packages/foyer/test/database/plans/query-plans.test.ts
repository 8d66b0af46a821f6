import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { sql } from 'kysely';
import { openDatabase } from '../../../src/database/open-database.ts';
import { createVisitor, finishedRun, install } from '../../../src/testing/visitor.ts';
import { password } from '../../operator/pages/operator-stage.ts';
import { keysOf } from '../../support/installations.ts';
import { setStage } from '../../support/start-foyer.ts';
import { readPostgresPlan, readSqlitePlan, type TableAccess } from './read-plan.ts';
import { type RecordedQuery, recordQueries } from './record-queries.ts';
import { seedEverything } from './seed-everything.ts';

/** Large enough that neither engine's planner prefers to read a whole table. */
const count = 4000;

/** Tables that have only a few rows, however many installations there are. */
const small = [
  'encryption_keys',
  'key_holders',
  'chores',
  'ended_sessions',
  'maintenance',
  'unknown_teams',
  // `due` and `found` are not tables, but subqueries that return a limited number of rows.
  'due',
  'found',
  'kysely_migration',
];

/** Queries that may read a whole index, each with its reason. No query may read a whole table, except a small one. */
const mayReadWholeIndex: readonly RegExp[] = [
  // A search by part of a name looks at every name.
  /lower\("installations"\."team_name"\) like/,
  // To count rows for the operator, the database reads every row.
  /count\(\*\)/,
  // To find the runs that are due first, Foyer reads a partial index that contains only runs with a due time.
  /from "runs" where "due_at" is not null .*order by "due_at" limit /,
];

async function useEverything(t: TestContext, engine: 'SQLite' | 'Postgres') {
  let record: ReturnType<typeof recordQueries> | undefined;
  const stage = await setStage({
    engine,
    environment: {
      OPERATOR_PASSWORD: password,
      TOKEN_ENCRYPTION_KEYS: keysOf('main')
        .map(({ id, base64 }) => `${id}:${base64}`)
        .join(','),
    },
    start: false,
    foyer: {
      async openDatabase(target) {
        const database = await openDatabase(target);
        record = recordQueries(database);
        return record.database;
      },
    },
  });
  const looking = await openDatabase(stage.config.database);
  t.after(async () => {
    await stage.close();
    await looking.close();
  });
  await seedEverything(looking, { clientId: stage.config.slack.clientId, count, now: Date.now() });
  // In production, Postgres gathers statistics automatically, and SQLite has none. So the test analyzes only Postgres.
  if (engine === 'Postgres') await sql`vacuum analyze`.execute(looking.queries);
  await stage.start();
  const during = (activity: string) => record?.now(activity);

  const { sandbox, url } = stage;
  const acme = { teamId: sandbox.workspace('Acme').id, userId: sandbox.person('Acme').id };
  const visitor = createVisitor();
  during('an install');
  const done = await install(visitor, url, sandbox, acme);
  during('its run');
  await finishedRun(visitor, url + (done.headers.get('location') ?? ''));
  during('a Home that is opened');
  await sandbox.openHome(acme);
  during('a cancelled install');
  await install(createVisitor(), url, sandbox, { ...acme, decision: 'cancel' });
  for (const path of ['/readyz', '/metrics', '/operator']) {
    during(path);
    await visitor.get(url + path);
  }
  during('the login');
  const form = new URLSearchParams({ password, next: '/operator' });
  const headers = { 'content-type': 'application/x-www-form-urlencoded', 'sec-fetch-site': 'same-origin' };
  const login = await fetch(`${url}/operator/login`, {
    ...{ method: 'POST', redirect: 'manual', headers, body: form.toString() },
  });
  for (const line of login.headers.getSetCookie()) {
    const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
    visitor.cookies.set(name, value);
  }
  const pages = [
    '/operator',
    '/operator/installations',
    '/operator/installations?status=active',
    '/operator/installations?run=failed',
    '/operator/installations?run=succeeded',
    '/operator/installations?q=Company+12',
    '/operator/installations?q=TSEED12',
    '/operator/installations?q=USEED12',
    '/operator/installations?q=run_00000012',
    '/operator/installations/ins_00000012',
    '/operator/installations/ins_00000012/people',
    '/operator/installations/ins_00000012/people?older=1.U1-T1',
    '/operator/installations/ins_00000012/people?q=USEED12',
    '/operator/requests',
    '/operator/requests?outcome=failed',
    '/operator/requests?q=TSEED12',
  ];
  for (const page of pages) {
    during(page);
    const response = await visitor.get(url + page);
    assert.equal(response.status, 200, page);
    const next = /href="([^"]*after=[^"]*|[^"]*cursor=[^"]*)"/.exec(await response.text())?.[1];
    if (next) await visitor.get(new URL(next.replaceAll('&amp;', '&'), url).href);
  }
  during('an uninstall');
  await sandbox.uninstall({ teamId: acme.teamId });
  return { queries: record?.recorded() ?? [], looking };
}

function fault({ query }: RecordedQuery, access: TableAccess): boolean {
  if (access.how === 'search' || small.includes(access.table)) return false;
  return access.how === 'scan' || !mayReadWholeIndex.some((pattern) => pattern.test(query.sql));
}

for (const [engine, readPlan] of [
  ['SQLite', readSqlitePlan],
  ['Postgres', readPostgresPlan],
] as const) {
  test(`no query of an install, an uninstall or the operator pages reads a whole large table, on ${engine}`, async (t) => {
    const { queries, looking } = await useEverything(t, engine);
    const asked = queries.filter(({ query }) => /^(select|update|delete|with)\b/.test(query.sql));
    assert.ok(asked.length > 60, `only ${asked.length} queries were seen`);
    const faults: string[] = [];
    for (const recorded of asked) {
      for (const access of await readPlan(looking, recorded.query)) {
        if (fault(recorded, access))
          faults.push(`${recorded.during}: ${access.how} of ${access.table}: ${recorded.query.sql}`);
      }
    }
    assert.deepEqual(faults, []);
    t.diagnostic(`${asked.length} queries`);
  });
}
