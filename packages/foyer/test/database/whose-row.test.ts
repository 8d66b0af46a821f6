import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { commitConnection } from '../../src/connections/commit-connection.ts';
import { createConnections } from '../../src/connections/create-connections.ts';
import {
  deleteConnections,
  findUsedLink,
  isKnownAdmin,
  listConnections,
  readConnections,
  readRunConnection,
  saveConnection,
  sweepUsedLinks,
} from '../../src/database/connections.ts';
import type { Database, Queries, Tx } from '../../src/database/database.ts';
import * as erasing from '../../src/database/erase-installation.ts';
import { readHistory } from '../../src/database/history.ts';
import {
  announceView,
  confirmView,
  listLookers,
  noteHomeOpened,
  prepareShownView,
} from '../../src/database/home-views.ts';
import { findInstallRecords, readInstallRecord, readNewestRun } from '../../src/database/install-record.ts';
import {
  failInstallRequest,
  findInterruptedRequests,
  finishInstallRequest,
  keepUnstoredTokens,
  startOfNewest,
  sweepInstallRequests,
} from '../../src/database/install-requests.ts';
import {
  findGrantedTeams,
  findInstallsAndRemovals,
  markInstallationBroken,
  readStatuses,
  recordTeamAccess,
} from '../../src/database/installations.ts';
import { dropNotice, settleNotice } from '../../src/database/notices.ts';
import { keepMessageSearch, readOnceMessage, settleOnceMessage } from '../../src/database/once-messages.ts';
import {
  isKnownPerson,
  readLocale,
  readNames,
  readUsers,
  recordUser,
  saveProfile,
  updatePerson,
} from '../../src/database/people/people.ts';
import { listQuestions, noteReminded, storeAnswer } from '../../src/database/questions.ts';
import type { SessionRow } from '../../src/database/records.ts';
import { claimDueRuns, renewLeases } from '../../src/database/run-leases.ts';
import { countLostAttempts, endStep, readStepAttempts, startStep } from '../../src/database/run-steps.ts';
import {
  cancelRuns,
  endRun,
  findRun,
  listRuns,
  queueRun,
  repeatRun,
  restRun,
  resumeWaitingRuns,
} from '../../src/database/runs.ts';
import { replaceSeal } from '../../src/database/seals.ts';
import {
  beginSession,
  claimCheck,
  endSession,
  endSessionsIn,
  endSessionsOf,
  findSignInInstallation,
  hasSession,
  listOperatorSessions,
  readSession,
  readSignedIn,
  sessionUnusedMs,
  spendState,
  touchSession,
} from '../../src/database/sessions.ts';
import { moveTeam, recordTeam, renameTeam } from '../../src/database/teams.ts';
import {
  findLapsingTokens,
  findRefreshState,
  postponeRefresh,
  saveRefreshedToken,
  takeRefreshLease,
} from '../../src/database/token-refreshes.ts';
import { createSealer } from '../../src/installations/sealer.ts';
import {
  countGrantedScopes,
  countInstallations,
  findInstallationIds,
  listInstallationsPage,
  listTokenHolders,
} from '../../src/operator/installation-lists.ts';
import { withNames } from '../../src/operator/people-names.ts';
import { readInstallations } from '../../src/operator/read-installations.ts';
import { countRequestsByDay, listInstallRequests } from '../../src/operator/request-lists.ts';
import { keyringOf } from '../support/installations.ts';
import { engines } from '../support/open-test-database.ts';
import { insertTenant, inviteStrangers, ownRows } from '../support/strangers.ts';

/**
 * Invariant 9 (tenants never mix) for each query. One tenant and each stranger (`strangers.ts`) have rows in every
 * table whose rows belong to tenants. A write that names the tenant changes only that tenant's rows. A read that names
 * the tenant returns no stranger's row.
 */

const clientId = '1.1';
const installationId = 'ins_OWN';
const [ended, running, waiting] = ['run_OWN1', 'run_OWN2', 'run_OWN3'] as const;
const [U1, U2] = ['U1', 'U2'] as const;
const now = 5_000_000;
const team = { clientId, teamId: 'T1' };
const person = { ...team, userId: U1 };
const bot = { installationId };
const user = { installationId, userId: U1 };
const message = { kind: 'welcome' as const, installationId, life: 1, key: U1 };
const post = { ...message, kind: 'post' as const, key: 'tips' };
const question = { runId: running, stepName: 'ask', questionId: 'channel' };
const profile = { name: 'new', realName: 'New', email: null, timezone: null, locale: 'fr', avatarUrl: null };
const cause = { cause_id: `${ended}/failed`, channel: 'mail' as const };
const lease = { owner: 'a dead process', until: now + 1, now };

const writes: Record<string, (tx: Tx) => Promise<unknown>> = {
  'takes the lease of a refresh': (tx) => takeRefreshLease(tx, { ...lease, holder: bot, ifVersion: 1 }),
  'takes the lease of a user’s refresh': (tx) =>
    takeRefreshLease(tx, { ...lease, holder: user, ifVersion: 1 }),
  'postpones a refresh': (tx) => postponeRefresh(tx, { holder: bot, owner: 'a dead process', until: 9 }),
  'postpones a user’s refresh': (tx) =>
    postponeRefresh(tx, { holder: user, owner: 'a dead process', until: 9 }),
  'saves a refreshed token': (tx) =>
    saveRefreshedToken(tx, { holder: bot, ifVersion: 1, sealed: 'new', expiresAt: 9, now }),
  'saves a user’s refreshed token': (tx) =>
    saveRefreshedToken(tx, { holder: user, ifVersion: 1, sealed: 'new', expiresAt: 9, now }),
  'replaces a seal': (tx) => replaceSeal(tx, { holder: bot, from: 'new', to: 'newer' }),
  'replaces a user’s seal': (tx) => replaceSeal(tx, { holder: user, from: 'new', to: 'newer' }),
  'registers a team': (tx) => recordTeam(tx, { ...team, name: 'New', enterpriseId: null, seenAt: 1, now }),
  'registers a person': (tx) => recordUser(tx, { ...person, seenAt: 1, now }),
  'saves a profile': (tx) =>
    saveProfile(
      tx,
      { ...person, now },
      {
        user: { ...profile, isAdmin: false, isOwner: false },
        team: { name: 'New', domain: 'new', iconUrl: null },
      },
    ),
  'renames a team': (tx) => renameTeam(tx, { ...team, name: 'Newer', domain: 'newer', at: now + 1000 }),
  'moves a team': (tx) => moveTeam(tx, { ...team, enterpriseId: 'E9', at: now }),
  'updates a person': (tx) =>
    updatePerson(tx, { ...person, ...profile, isAdmin: true, isOwner: false, at: now + 1000, now }),
  'records access': (tx) =>
    recordTeamAccess(tx, { clientId, enterpriseId: 'E1', teamId: 'TOWN', granted: false, changedAt: now }),
  'notes a reminder': (tx) => noteReminded(tx, question),
  'stores an answer': (tx) => storeAnswer(tx, question, { answer: 'C1', userId: U1, now }),
  'keeps the position of a search': (tx) => keepMessageSearch(tx, message, { before: '1.0', calls: 3 }),
  'keeps the position of a post’s search': (tx) => keepMessageSearch(tx, post, { before: '1.0', calls: 3 }),
  'settles a welcome': (tx) =>
    settleOnceMessage(tx, message, { kind: 'sent', channelId: 'D9', messageTs: '9.0', now }),
  'settles a post': (tx) => settleOnceMessage(tx, post, { kind: 'unconfirmed' }),
  'settles a notice': (tx) => settleNotice(tx, cause, { status: 'sent', errorCode: null, dueAt: null, now }),
  'drops a notice': (tx) => dropNotice(tx, cause),
  'ends an attempt': async (tx) => {
    const step = await tx
      .selectFrom('steps')
      .selectAll()
      .where('run_id', '=', running)
      .where('name', '=', 'send-welcome')
      .executeTakeFirstOrThrow();
    const end = { outcome: 'retry', failures: 1, output: null, errorCode: null, errorMessage: null } as const;
    await endStep(tx, step, { ...end, status: 'retrying' }, now);
  },
  'begins an attempt': async (tx) => {
    const step = await tx
      .selectFrom('steps')
      .selectAll()
      .where('run_id', '=', running)
      .where('name', '=', 'register-team')
      .executeTakeFirstOrThrow();
    const started = await startStep(tx, { ...step, attempts: 4 }, now);
    const end = {
      outcome: 'succeeded',
      failures: 0,
      output: '{}',
      errorCode: null,
      errorMessage: null,
    } as const;
    await endStep(tx, started, { ...end, status: 'succeeded' }, now);
  },
  'queues a run': (tx) => queueRun(tx, { id: ended, now }),
  'repeats a run': (tx) =>
    repeatRun(tx, { id: ended, installationId, pipeline: 'opened', now, stepsToRepeat: ['send-welcome'] }),
  'lets a run rest': (tx) => restRun(tx, ended, { status: 'waiting', dueAt: null, waitingFor: 'an answer' }),
  'wakes the runs that wait for an event': (tx) =>
    resumeWaitingRuns(tx, { installationId, event: 'an answer', now }),
  'ends an uninstall run, and wakes what waits behind it': (tx) =>
    endRun(tx, {
      id: ended,
      pipeline: 'uninstall',
      installationId,
      userId: U1,
      steps: [],
      forOperators: [],
      now,
    }),
  'cancels a person’s runs': (tx) => cancelRuns(tx, { installationId, userId: U2, reason: 'test', now }),
  'cancels all runs': (tx) => cancelRuns(tx, { installationId, reason: 'test', now }),
  'keeps unstored tokens': (tx) => keepUnstoredTokens(tx, { id: 'req_OWN_started', sealedTokens: 'new' }),
  'fails a request': (tx) => failInstallRequest(tx, { id: 'req_OWN_started', errorCode: 'test', now }),
  'finishes a request': (tx) =>
    finishInstallRequest(tx, {
      ...{ id: 'req_OWN_started', teamId: 'T1', teamName: null, enterpriseId: null, userId: U1 },
      ...{ installationId, runId: ended, now },
    }),
  'connects an installation': (tx) =>
    saveConnection(tx, { installationId, org: 'org-1', subject: null, label: 'new', data: null, now }),
  'disconnects one': (tx) => deleteConnections(tx, ['con_OWN']),
  'sweeps used links': (tx) => sweepUsedLinks(tx, { clientId, before: now }),
  'sweeps requests': (tx) => sweepInstallRequests(tx, { clientId, before: now, limit: 10 }),
  'marks an installation broken': (tx) => markInstallationBroken(tx, { installationId, reason: 'test' }),
  'erases a user’s token': (tx) => erasing.eraseUserTokens(tx, { installationId, userIds: [U1] }),
  'erases all tokens of users': (tx) => erasing.eraseUserTokens(tx, { installationId }),
  'erases Home views': (tx) => erasing.eraseHomeViews(tx, installationId),
  'erases the bot’s token': (tx) => erasing.eraseBotToken(tx, { installationId, status: 'uninstalled', now }),
  'erases an installation': (tx) => erasing.eraseInstallation(tx, installationId, now),
};

/** The writes that change only one person, post or channel of the tenant. The tenant has two of each. */
const aboutOne = new Set([
  ...['takes the lease of a user’s refresh', 'postpones a user’s refresh', 'saves a user’s refreshed token'],
  ...[
    'replaces a user’s seal',
    'registers a person',
    'saves a profile',
    'updates a person',
    'drops a notice',
  ],
  ...['keeps the position of a search', 'keeps the position of a post’s search', 'settles a notice'],
  ...['settles a welcome', 'settles a post', 'erases a user’s token', 'confirms a view', 'announces a view'],
  'notes that Home was opened',
]);

/** Functions that write in a transaction of their own, and commit it. */
const commits: Record<string, (database: Database) => Promise<unknown>> = {
  'renews leases': (database) =>
    renewLeases(database, {
      leases: [running, waiting].map((runId) => ({ runId, owner: 'elsewhere:1:OWN/1' })),
      leaseUntil: now + 9,
    }),
  'claims runs': (database) =>
    claimDueRuns(database, { clientId, limit: 9, now: now + 10, leaseUntil: now + 20, owner: 'here:1:x/1' }),
  'notes that Home was opened': (database) => noteHomeOpened(database, user, now),
  'announces a view': (database) => announceView(database, user, { hash: 'h', lastSent: 's', openedAt: now }),
  'confirms a view': (database) => confirmView(database, user, 'h'),
};

async function pagesOf(queries: Queries): Promise<unknown[]> {
  const pages: unknown[] = [];
  for await (const page of readInstallations(queries, { clientId })) pages.push(page);
  return pages;
}

/** Functions that read what is stored about one tenant or about one of its people. */
const tenantReads: Record<string, (queries: Queries) => Promise<unknown>> = {
  record: (queries) => readInstallRecord(queries, installationId),
  'records by id': (queries) => findInstallRecords(queries, clientId, 'T1'),
  'newest run': (queries) => readNewestRun(queries, installationId),
  runs: (queries) => listRuns(queries, installationId, 10),
  'a run': (queries) => findRun(queries, clientId, ended),
  attempts: (queries) => readStepAttempts(queries, ended),
  history: (queries) => readHistory(queries, installationId, 50),
  'installs and removals': (queries) => findInstallsAndRemovals(queries, installationId),
  questions: (queries) => listQuestions(queries, { runId: running }),
  welcome: (queries) => readOnceMessage(queries, message),
  post: (queries) => readOnceMessage(queries, post),
  connections: (queries) => readConnections(queries, installationId),
  'connections of an account': (queries) =>
    listConnections(queries, { clientId, org: 'org-1', installationId }),
  'connection of a run': (queries) => readRunConnection(queries, { id: ended, installationId }),
  'used link': (queries) => findUsedLink(queries, { clientId, jti: 'link-OWN' }),
  'holders of tokens': (queries) => listTokenHolders(queries, installationId),
  onlookers: (queries) => listLookers({ queries }, installationId, { openedAfter: 0, most: 50 }),
  'granted teams': (queries) => findGrantedTeams(queries, { clientId, enterpriseId: 'E1' }),
  ids: (queries) => findInstallationIds(queries, { clientId, text: 'T1' }),
  'id of a run': (queries) => findInstallationIds(queries, { clientId, text: ended }),
  requests: (queries) => listInstallRequests(queries, { clientId, teamId: 'T1', limit: 50 }),
  interrupted: (queries) => findInterruptedRequests(queries, { clientId, before: now, limit: 50 }),
  lapsing: (queries) => findLapsingTokens(queries, { clientId, before: now, now, limit: 50 }),
};

for (const [engine, open] of Object.entries(engines)) {
  async function setUp(t: TestContext) {
    const { database, close } = await open();
    t.after(close);
    const keyring = keyringOf('k1');
    const strangers = await inviteStrangers(database, { clientId, keyring });
    const own = {
      mark: 'OWN',
      clientId,
      teamId: 'T1',
      enterpriseId: null,
      grantsOf: 'E1',
      dueAt: 3000,
      madeAt: 1000,
    };
    await database.write((tx) => insertTenant(tx, own, [U1, U2], keyring));
    return { database, strangers };
  }

  describe(`reads and writes for one tenant do not reach other tenants’ rows, on ${engine}`, () => {
    it('a write that names a tenant changes only that tenant’s rows', async (t) => {
      const { database, strangers } = await setUp(t);
      const own = async () =>
        JSON.stringify(await Promise.all(tables.map((table) => ownRows(database, table))));
      const others = async () => (await own()).match(/\{[^{}]*(?:"U2"|"greeting"|"webhook")[^{}]*\}/g);
      let before = await own();
      let othersBefore = await others();
      for (const [name, work] of [
        ...Object.entries(commits),
        ...Object.entries(writes).map(
          ([title, write]) => [title, (to: Database) => to.write(write)] as const,
        ),
      ]) {
        await work(database);
        const after = await own();
        assert.ok(after !== before, `it ${name}: nothing has changed, so nothing is shown`);
        before = after;
        const othersAfter = await others();
        // The tenant has two people, two posts and two channels. A write about one of a pair must not change the other.
        if (aboutOne.has(name)) assert.deepEqual(othersAfter, othersBefore, `it ${name} of another one too`);
        othersBefore = othersAfter;
        await strangers.assertUntouched().catch((error) => {
          throw new Error(`it ${name} of somebody else too`, { cause: error });
        });
      }
    });

    it('erasing an org-wide tenant erases only that tenant’s rows', async (t) => {
      const { database, strangers } = await setUp(t);
      const org = { mark: 'ORG', clientId, teamId: null, enterpriseId: 'EORG', grantsOf: 'EORG' };
      await database.write(async (tx) => {
        await insertTenant(tx, { ...org, dueAt: 3000, madeAt: 1000 }, [U1, U2], keyringOf('k1'));
        await erasing.eraseInstallation(tx, 'ins_ORG', now);
      });
      await strangers.assertUntouched();
      const left = await ownRows(database, 'team_access');
      assert.deepEqual(
        left.map(({ team_id }) => team_id),
        ['TOWN'],
      );
      assert.equal((await ownRows(database, 'installations')).length, 1);
    });

    it('a read that names a tenant returns only that tenant’s rows', async (t) => {
      const { queries } = (await setUp(t)).database;
      for (const [name, read] of Object.entries(tenantReads)) {
        const found = await read(queries);
        const text = JSON.stringify(found);
        assert.ok(found && text !== '[]', `${name}: nothing was found`);
        assert.doesNotMatch(text, /STRANGER/, name);
      }
      assert.equal((await readStepAttempts(queries, ended)).length, 2);
      assert.equal((await listRuns(queries, installationId, 10)).length, 3);
      assert.equal((await readHistory(queries, installationId, 50)).length, 3);
      assert.equal((await findInstallsAndRemovals(queries, installationId)).length, 3);
      assert.deepEqual(await listTokenHolders(queries, installationId), [U1, U2]);
      assert.deepEqual(await listLookers({ queries }, installationId, { openedAfter: 0, most: 50 }), [
        U1,
        U2,
      ]);
      assert.deepEqual(await erasing.countInstallationRows(queries, installationId), {
        ...{ userTokens: 2, runs: 3, history: 3 },
      });
      assert.equal(await countLostAttempts(queries, { runId: running, name: 'only', most: 9 }), 1);
      assert.equal((await findRefreshState(queries, user))?.version, 1);
      const record = await readInstallRecord(queries, installationId);
      assert.ok(record);
      assert.deepEqual(
        (await readUsers(queries, record)).map(({ userId, email, hasUserToken }) => [
          userId,
          email,
          hasUserToken,
        ]),
        [
          [U1, 'U1@OWN.example', true],
          [U2, 'U2@OWN.example', true],
        ],
      );
    });

    it('a tenant’s links, connections and claims are its own, and a run reads the connection of the link that started it', async (t) => {
      const { database } = await setUp(t);
      const { queries } = database;
      const [connection] = await ownRows(database, 'connections');
      const [link] = await ownRows(database, 'used_links');
      assert.ok(connection && link);
      await queries
        .insertInto('connections')
        .values({ ...connection, id: 'con_OWN2', org: 'org-2', connected_at: 2000 })
        .execute();
      await queries
        .insertInto('used_links')
        .values([
          { ...link, jti: 'link-OWN2', run_id: running, org: 'org-2' },
          { ...link, client_id: '0.0', installation_id: 'ins_STRANGER_c', org: 'of another app' },
        ])
        .execute();
      const orgOf = async (id: string) => (await readRunConnection(queries, { id, installationId }))?.org;
      assert.deepEqual(
        [await orgOf(ended), await orgOf(running), await orgOf(waiting)],
        ['org-1', 'org-2', 'org-2'],
      );
      const linked = async (app: string, jti: string) =>
        (await findUsedLink(queries, { clientId: app, jti }))?.org;
      assert.equal(await linked(clientId, 'link-OWN'), 'org-1');
      assert.equal(await linked(clientId, 'link-OWN2'), 'org-2');
      assert.equal(await linked('0.0', 'link-OWN'), 'of another app');
      for (const filter of [{ org: 'org-2' }, { id: 'con_OWN2' }]) {
        const listed = await listConnections(queries, { clientId, ...filter });
        assert.deepEqual(
          listed.map(({ id }) => id),
          ['con_OWN2'],
        );
      }
      const claimSealer = createSealer({ keyring: keyringOf('k1'), purpose: 'claims' });
      const claimsOf = (app: string) =>
        createConnections({
          config: {
            connect: {
              secret: 'a secret of 32 bytes for the links',
              returnOrigins: [],
              claimUrl: 'https://host.example',
            },
            http: { baseUrl: 'https://foyer.example' },
            slack: { clientId: app },
          } as never,
          database,
          cookies: undefined as never,
          claimSealer,
          now: () => now,
        });
      const own = claimsOf(clientId);
      const url = own.claimUrl?.({ installationId, life: 1, userId: U1 });
      const token = new URL(url ?? '').searchParams.get('foyer_claim') ?? '';
      assert.equal((await own.readClaim(token)).teamName, 'Team OWN');
      // Another app with the same database and keys can unseal the claim, but must refuse it.
      await assert.rejects(claimsOf('2.2').readClaim(token), { code: 'claim_invalid' });
    });

    it('a tenant’s sessions are its own: reading, using, checking or ending one affects no other session', async (t) => {
      const { database, strangers } = await setUp(t);
      const { queries } = database;
      const id = 'session_OWN_U1';
      const key = { id, clientId, kind: 'member' } as const;
      const left = async () => (await ownRows(database, 'sessions')).map((row) => row.id).sort();
      for (const wrong of [{ id: 'session_OWN_U9' }, { clientId: '2.2' }, { kind: 'operator' as const }]) {
        assert.equal(await readSession(queries, { ...key, ...wrong }), undefined);
        assert.equal(await database.write((tx) => endSession(tx, { ...key, ...wrong })), false);
      }
      const session = await readSession(queries, key);
      assert.ok(session);
      const signedIn = await readSignedIn(queries, session);
      assert.deepEqual([signedIn?.installation.id, signedIn?.profile.realName], [installationId, 'U1 OWN']);
      for (const changed of [{ life: 2 }, { life: 1, status: 'uninstalled' as const }]) {
        await queries.updateTable('installations').set(changed).where('id', '=', installationId).execute();
        assert.equal(await readSignedIn(queries, session), undefined);
      }
      await queries
        .updateTable('installations')
        .set({ status: 'active' })
        .where('id', '=', installationId)
        .execute();
      await queries.deleteFrom('users').where('name', '=', 'OWN').where('user_id', '=', U1).execute();
      await queries
        .deleteFrom('memberships')
        .where('client_id', '=', clientId)
        .where('team_id', '=', 'T1')
        .where('user_id', '=', U1)
        .execute();
      const unknown = (await readSignedIn(queries, session))?.profile;
      assert.deepEqual(
        [unknown?.realName, unknown?.isAdmin],
        [null, false],
        'nothing of another tenant’s person',
      );
      await touchSession(queries, { id, now: 3000 });
      await touchSession(queries, { id, now: 2000 });
      assert.equal((await readSession(queries, key))?.seen_at, 3000);
      assert.equal(await claimCheck(queries, { id, before: 5, now: 6 }), false);
      assert.equal(await claimCheck(queries, { id, before: null, now: 6 }), true);
      assert.equal(
        await claimCheck(queries, { id, before: null, now: 7 }),
        false,
        'somebody else has the turn',
      );
      assert.deepEqual(
        (await ownRows(database, 'sessions'))
          .map(({ user_id, seen_at, checked_at }) => [user_id, seen_at, checked_at])
          .sort(),
        [
          [U1, 3000, 6],
          [U2, 1000, null],
        ],
      );
      const begin = (other: Partial<SessionRow>) =>
        database.write((tx) => beginSession(tx, { ...session, checked_at: null, ...other }));
      // A new session removes the member sessions that are long unused, but not an operator's session with the same
      // user id.
      await begin({ id: 'session_OWN_op', kind: 'operator', installation_id: null, life: null });
      const longUnused = session.began_at + sessionUnusedMs + 2 * 3_600_000;
      const later = { began_at: longUnused, seen_at: longUnused, user_id: 'U7' };
      await begin({ ...later, id: 'session_OWN_later' });
      assert.deepEqual(await left(), ['session_OWN_later', 'session_OWN_op']);
      for (let n = 10; n < 35; n += 1) {
        const at = longUnused + n;
        await begin({ ...later, id: `session_OWN_${n}`, began_at: at, seen_at: at });
        if (n < 13) await begin({ ...later, id: `session_OWN_U8_${n}`, user_id: 'U8', began_at: 1 });
        if (n < 12)
          await begin({ ...later, id: `session_OWN_T8_${n}`, registered_team_id: 'T8', began_at: 1 });
      }
      const ofAnotherApp = { id: 'session_OWN_app', clientId: '2.2', kind: 'member' } as const;
      await begin({ ...later, id: ofAnotherApp.id, client_id: '2.2', began_at: 1 });
      const asOperator = { ...later, kind: 'operator' as const, began_at: 1 };
      await begin({ ...asOperator, id: 'session_OWN_op7' });
      await begin({ ...asOperator, id: 'session_OWN_x', client_id: '2.2' });
      await begin({ ...later, id: 'session_OWN_35', began_at: longUnused + 35 });
      assert.ok(await readSession(queries, ofAnotherApp));
      const ids = await left();
      assert.equal(
        ids.filter((each) => /_\d\d$/.test(each) && !/U8|T8/.test(each)).length,
        20,
        'of one person',
      );
      assert.equal(ids.filter((each) => /U8|T8|op/.test(each)).length, 7, 'and none of anyone else');
      const usedSince = 0;
      const operators = await listOperatorSessions(queries, { clientId, usedSince });
      assert.deepEqual(
        operators.map((row) => row.id),
        ['session_OWN_op7', 'session_OWN_op'],
      );
      assert.deepEqual(await listOperatorSessions(queries, { clientId, usedSince: longUnused }), []);
      const u8 = { clientId, teamId: 'T1', userId: 'U8' };
      assert.equal(await hasSession(queries, { ...u8, userId: 'U404' }), false);
      assert.equal(await hasSession(queries, { ...u8, signedBefore: session.slack_signed_at ?? 0 }), false);
      assert.equal(await hasSession(queries, u8), true);
      const count = (await left()).length;
      assert.equal(await database.write((tx) => endSessionsOf(tx, u8)), true);
      assert.equal((await left()).length, count - 3);
      const elsewhere = { ...later, user_id: 'U6', team_id: 'T7' };
      await begin({ ...elsewhere, id: 'session_OWN_T7' });
      await begin({ ...elsewhere, id: 'session_OWN_else', installation_id: 'ins_STRANGER_a' });
      const before = await left();
      await database.write((tx) => endSessionsIn(tx, { installationId, teamIds: ['T7'] }));
      assert.deepEqual(
        await left(),
        before.filter((each) => each !== 'session_OWN_T7'),
      );
      assert.equal(await database.write((tx) => endSession(tx, { ...key, id: 'session_OWN_else' })), true);
      assert.equal(await database.write((tx) => endSession(tx, { ...key, id: 'session_OWN_34' })), true);
      assert.equal((await left()).length, before.length - 2);
      await strangers.assertUntouched();
    });

    it('a sign-in state can be used only once, and states that expired long ago are deleted', async (t) => {
      const { database, strangers } = await setUp(t);
      const at = 10 * 3_600_000;
      const states = [
        { id: 'expired long ago', lapses_at: 1 },
        { id: 'expired now', lapses_at: at - 1 },
      ];
      await database.queries.insertInto('ended_sessions').values(states).execute();
      const spend = () => database.write((tx) => spendState(tx, { id: 'state', expiresAt: at + 9, now: at }));
      assert.deepEqual([await spend(), await spend()], [true, false]);
      const left = (await ownRows(database, 'ended_sessions')).map(({ id }) => id).sort();
      assert.deepEqual(left, ['expired now', 'state']);
      await strangers.assertUntouched();
    });

    it('people sign in through their own workspace’s installation, or through the org-wide one if it has access to the workspace', async (t) => {
      const { database } = await setUp(t);
      const { queries } = database;
      const find = async (teamId: string, enterpriseId: string | null) =>
        (await findSignInInstallation(queries, { clientId, teamId, enterpriseId }))?.id;
      assert.equal(await find('T1', null), installationId);
      assert.equal(await find('T404', null), undefined);
      assert.equal(await find('T404', 'ESTRANGER'), 'ins_STRANGER_b');
      assert.equal(await find('TSTRANGER_c', null), undefined, 'it is of another app');
      const access = { client_id: clientId, enterprise_id: 'ESTRANGER', granted: 0, changed_at: 1 };
      await queries
        .insertInto('team_access')
        .values([
          { ...access, team_id: 'T404' },
          { ...access, team_id: 'T406', granted: 1 },
          { ...access, enterprise_id: 'EOTHER', team_id: 'T405' },
          { ...access, client_id: '2.2', team_id: 'T405' },
        ])
        .execute();
      assert.equal(await find('T404', 'ESTRANGER'), undefined, 'it was removed from this workspace');
      assert.equal(await find('T405', 'ESTRANGER'), 'ins_STRANGER_b');
      assert.equal(await find('T406', null), 'ins_STRANGER_b');
      assert.equal(await find('T406', 'EOTHER'), undefined, 'it has moved to another organization');
      await queries
        .updateTable('installations')
        .set({ status: 'broken' })
        .where('id', '=', installationId)
        .execute();
      assert.equal(await find('T1', null), undefined);
    });

    it('if a workspace is connected again after an uninstall, its earlier accounts are gone, even under the rule that lets accounts share a workspace', async (t) => {
      const { database } = await setUp(t);
      const install = { clientId, installationId, runId: ended, userId: U1, progressHash: 'hash', now };
      const connect = (org: string, isNewLife: boolean) =>
        database.write((tx) =>
          commitConnection(tx, {
            ...{ ...install, isNewLife, confirmedMove: false, rule: 'share' },
            link: { org, jti: `link to ${org}` },
          }),
        );
      const orgs = async () => (await ownRows(database, 'connections')).map(({ org }) => org).sort();
      await connect('org-2', false);
      assert.deepEqual(await orgs(), ['org-1', 'org-2']);
      await connect('org-3', true);
      assert.deepEqual(await orgs(), ['org-3']);
    });

    it('reading a tenant returns its own connection, Home view and newest run, even if other tenants have newer rows', async (t) => {
      const { database } = await setUp(t);
      const { queries } = database;
      const [connection] = await ownRows(database, 'connections');
      const [view] = await ownRows(database, 'home_views');
      const [run] = await ownRows(database, 'runs');
      assert.ok(connection && view && run);
      await queries
        .updateTable('connections')
        .set({ org: 'org-9', connected_at: 9000 })
        .where('id', '!=', 'con_OWN')
        .execute();
      const own = { ...connection, subject: null };
      await queries
        .insertInto('connections')
        .values([
          { ...own, id: 'con_OWN_3', org: 'org-3', connected_at: 2000 },
          { ...own, id: 'con_OWN_2', org: 'org-2', connected_at: 2000 },
          { ...own, id: 'con_OWN_4', org: 'org-4', connected_at: 500 },
        ])
        .execute();
      const records = (await pagesOf(queries)).flat() as Awaited<ReturnType<typeof readInstallRecord>>[];
      for (const record of [
        await readInstallRecord(queries, installationId),
        records.find((each) => each?.id === installationId),
      ])
        assert.deepEqual([record?.connection?.org, record?.connection?.subject], ['org-3', null]);

      const ofOwn = queries.updateTable('home_views').where('installation_id', '=', installationId);
      await ofOwn.set({ published_hash: 'own' }).execute();
      await queries
        .insertInto('home_views')
        .values({ ...view, installation_id: 'ins_STRANGER_a', user_id: 'U7' })
        .execute();
      const shown = prepareShownView(database);
      assert.equal((await shown(user))?.publishedHash, 'own');
      assert.equal(await shown({ installationId, userId: 'U7' }), undefined);
      const lookers = () => listLookers({ queries }, installationId, { openedAfter: 0, most: 50 });
      assert.deepEqual((await lookers()).sort(), [U1, U2]);

      // U9's install run is the newest. U8's was created at the same time, but has a smaller id. U6 has only an older
      // install run and an `opened` run.
      await queries
        .insertInto('runs')
        .values([
          { ...run, id: 'run_OWN4', created_at: 1001, user_id: 'U8' },
          { ...run, id: 'run_OWN5', created_at: 1001, user_id: 'U9' },
          { ...run, id: 'run_OWN6', created_at: 500, user_id: 'U6' },
          { ...run, id: 'run_OWN7', created_at: 9000, user_id: 'U6', pipeline: 'opened' },
        ])
        .execute();
      assert.deepEqual((await lookers()).sort(), [U1, U2, 'U9']);
      assert.equal((await readNewestRun(queries, installationId))?.id, 'run_OWN5');
      const uninstalled = { status: 'uninstalled' } as const;
      await queries.updateTable('installations').set(uninstalled).where('id', '=', installationId).execute();
      assert.deepEqual(await lookers(), []);
      const next = { hash: 'h', lastSent: 's', openedAt: now };
      assert.equal(await announceView(database, user, next), false, 'nothing is shown after an uninstall');
      assert.equal(await announceView(database, { ...user, installationId: 'ins_STRANGER_a' }, next), true);

      const failed = { outcome: 'failed' } as const;
      await queries.updateTable('install_requests').set(failed).where('started_at', '=', 1000).execute();
      const search = { clientId, ...failed };
      assert.equal(await startOfNewest(queries, { ...search, count: 2 }), 1000);
      assert.equal(
        await startOfNewest(queries, { ...search, count: 3 }),
        undefined,
        'the third is another app’s',
      );
    });

    it('reads return nothing about a person who is known only to another team or another app', async (t) => {
      const { database } = await setUp(t);
      const { queries } = database;
      await database.write(async (tx) => {
        for (const table of ['memberships', 'users'] as const)
          await tx.deleteFrom(table).where('client_id', '=', clientId).where('team_id', '=', 'T1').execute();
      });
      const nobody = { ...team, userId: 'U9' };
      assert.equal(await isKnownPerson(queries, nobody), false);
      const elsewhere = await readStatuses(queries, { clientId: 'another', tenants: ['team:T1'] });
      assert.equal(elsewhere.size, 0);
      assert.equal(await isKnownPerson(queries, person), false);
      assert.equal(await isKnownAdmin(queries, person), false);
      assert.equal(await readLocale(queries, person), null);
      // If only another workspace or another app has a name for this id, that name is not shown.
      const asked = [person, { ...person, teamId: 'TSTRANGER' }, { teamId: null, userId: U1 }];
      const named = await withNames(queries, clientId, asked, (each) => each);
      assert.deepEqual(
        named.map(({ personName }) => personName),
        [undefined, 'U1 STRANGER_a', undefined],
      );
      assert.equal((await readNames(queries, { ...team, userIds: [U1] })).size, 0);
      // The operator of an app sees all of its tenants, and nothing of another app.
      assert.deepEqual(await countInstallations(queries, clientId), { active: 3, broken: 0, uninstalled: 0 });
      assert.deepEqual(await countGrantedScopes(queries, clientId), [
        { scopes: ['chat:write'], installations: 3 },
      ]);
      const lists = [
        await listInstallationsPage(queries, { clientId, limit: 50 }),
        await listInstallationsPage(queries, { clientId, limit: 50, runStatus: 'waiting' }),
        await listInstallationsPage(queries, { clientId, limit: 50, text: U1 }),
        await listInstallRequests(queries, { clientId, limit: 50 }),
        await listConnections(queries, { clientId, org: 'org-1' }),
        await pagesOf(queries),
      ];
      for (const list of lists) {
        assert.match(JSON.stringify(list), /OWN/);
        assert.doesNotMatch(JSON.stringify(list), /STRANGER_c/);
      }
      const [day] = await countRequestsByDay(queries, { clientId, days: 1, now: 1000 });
      assert.equal(day?.installed, 1);
      const foreign = await findRun(queries, clientId, 'run_STRANGER_c1');
      assert.equal(foreign, undefined);
    });
  });
}

/** The tables of one tenant's rows. */
const tables = [
  ...(['installations', 'user_tokens', 'teams', 'users', 'memberships', 'team_access'] as const),
  ...(['install_requests', 'runs', 'steps', 'step_attempts', 'welcomes', 'posts', 'questions'] as const),
  ...(['history', 'home_views', 'operator_notices', 'connections', 'used_links'] as const),
] as const;
