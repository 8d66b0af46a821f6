import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { sql } from 'kysely';
import { readHistory } from '../../src/database/history.ts';
import { readInstallRecord } from '../../src/database/install-record.ts';
import { erasePerson } from '../../src/database/people/erase-person.ts';
import { listRuns, momentKinds } from '../../src/database/runs.ts';
import { answerQuestion } from '../../src/pipeline/questions.ts';
import { retryRun } from '../../src/pipeline/retry-run.ts';
import { ask, retryIn, type Step, type StepContext, StepError } from '../../src/pipeline/step.ts';
import { engines } from '../support/open-test-database.ts';
import { mortal, type PipelineStage, setStage, signal } from './pipeline-stage.ts';

const title = { todo: 'Do it', doing: 'Doing it' };

const step = (name: string, run: (context: StepContext) => ReturnType<NonNullable<Step['run']>>): Step => ({
  name,
  title,
  run,
});

/** An install step, and a step for `upgraded`, `opened` and `workspaceGranted` runs. Both record the facts they get. */
function diary() {
  const lines: unknown[] = [];
  const installed = step('installed', async ({ life }) => lines.push(`installed ${life}`));
  const moment = step('moment', async ({ moment, userId }) => {
    lines.push({ ...moment, run: userId });
    return null;
  });
  return {
    lines,
    /** Returns the lines of the step `moment`, without those of the install step. */
    moments: () => lines.filter((line) => typeof line === 'object'),
    lists: {
      steps: [installed],
      momentSteps: { upgraded: [moment], opened: [moment], workspaceGranted: [moment] },
    },
  };
}

type Install = Awaited<ReturnType<PipelineStage['install']>>;

const momentRuns = (stage: PipelineStage, { installationId }: { installationId: string }) =>
  listRuns(stage.database.queries, installationId, 50, momentKinds);

const open = (stage: PipelineStage, { teamId }: Install, userId: string, openedAt = stage.now()) =>
  stage.store.recordOpening({ teamId }, { userId, tab: 'home', channelId: 'D1', openedAt });

async function workAll(stage: PipelineStage): Promise<void> {
  while ((await stage.work()) > 0);
}

const fewer = ['chat:write', 'im:write'];

for (const engine of Object.keys(engines) as (keyof typeof engines)[]) {
  describe(`the pipelines \`upgraded\`, \`opened\` and \`workspaceGranted\` on ${engine}`, () => {
    it('the `upgraded` pipeline runs once for the scopes that a reinstall adds, after the reinstall’s own run', async (t) => {
      const { lines, lists } = diary();
      const stage = await setStage(t, { engine, ...lists });
      const acme = await stage.install({ scopes: fewer });
      await stage.install({ workspace: 'Globex' });
      await workAll(stage);
      await stage.install({ scopes: [...fewer, 'users:read'], who: 'admin' });
      await workAll(stage);
      await stage.install({ scopes: [...fewer, 'users:read'] });
      await workAll(stage);

      const run = stage.sandbox.person('Acme', 'admin').id;
      assert.deepEqual(lines, [
        ...['installed 1', 'installed 1', 'installed 1'],
        { kind: 'upgraded', addedScopes: ['users:read'], run },
        'installed 1',
      ]);
      assert.equal((await momentRuns(stage, acme)).length, 1);
    });

    it('the `upgraded` pipeline does not run if the app is installed with more scopes after an uninstall', async (t) => {
      const { moments, lists } = diary();
      const stage = await setStage(t, { engine, ...lists });
      const { teamId } = await stage.install({ scopes: fewer });
      await stage.store.deleteInstallation({ teamId });
      await stage.pass(1000);
      await stage.install();
      await workAll(stage);
      assert.deepEqual(moments(), []);
    });

    it('the `opened` pipeline runs once for each member until an uninstall, even if two machines get the same event several times', async (t) => {
      const { moments, lists } = diary();
      const stage = await setStage(t, { engine, ...lists });
      const acme = await stage.install();
      await stage.install({ workspace: 'Globex' });
      const other = stage.openStore(await stage.reopen());
      const opening = { userId: 'U2', tab: 'messages', channelId: 'D2', openedAt: stage.now() } as const;
      const { teamId } = acme;
      const started = await Promise.all(
        [stage.store, other, stage.store, other].map((store) => store.recordOpening({ teamId }, opening)),
      );
      assert.deepEqual(started.filter(Boolean), [true]);
      await workAll(stage);
      assert.equal(await open(stage, acme, 'U2'), false);
      assert.equal(await open(stage, acme, 'U3'), true);
      await workAll(stage);
      assert.equal(await open(stage, acme, 'U3'), false);

      await stage.store.deleteInstallation({ teamId });
      assert.equal(await open(stage, acme, 'U4'), false, 'the app is gone');
      await stage.pass(1000);
      await stage.install();
      assert.equal(await open(stage, acme, 'U2', stage.now() - 5000), false, 'it is older than the install');
      assert.equal(await open(stage, acme, 'U2'), true, 'this is another life');
      await workAll(stage);

      const told = { kind: 'opened', tab: 'home', channelId: 'D1' };
      assert.deepEqual(moments(), [
        { ...told, userId: 'U2', run: 'U2', tab: 'messages', channelId: 'D2' },
        { ...told, userId: 'U3', run: 'U3' },
        { ...told, userId: 'U2', run: 'U2' },
      ]);
    });

    it('Foyer writes nothing to the database when a member opens the app again', async (t) => {
      const stage = await setStage(t, { engine, ...diary().lists });
      const acme = await stage.install();
      await open(stage, acme, 'U2');
      const mark = stage.database.changeMark();
      let writes = 0;
      const write: typeof stage.database.write = (...work) => {
        writes += 1;
        return stage.database.write(...work);
      };
      const counted = stage.openStore({ ...stage.database, write });
      const opening = { userId: 'U2', tab: 'home', channelId: 'D1', openedAt: stage.now() } as const;
      assert.equal(await counted.recordOpening({ teamId: acme.teamId }, opening), false);
      assert.deepEqual([writes, stage.database.changeMark()], [0, mark]);
    });

    it('each member who opens the app gets the message of the `opened` pipeline only once, even if the step that posts it runs again', async (t) => {
      const greet = step('greet', async ({ attempt, postOnce }) => {
        const posted = await postOnce('greeting', { text: 'Hello!' });
        return attempt === 1 ? retryIn(1000) : posted;
      });
      const stage = await setStage(t, { engine, steps: [], momentSteps: { opened: [greet] } });
      const acme = await stage.install();
      const people = ['owner', 'admin'].map((who) => stage.sandbox.person('Acme', who).id);
      for (const userId of people) await open(stage, acme, userId);
      await workAll(stage);
      await stage.pass(1000);
      await workAll(stage);
      for (const userId of people) {
        const texts = stage.sandbox.messages({ teamId: acme.teamId, userId }).map(({ text }) => text);
        assert.deepEqual(texts, ['Hello!']);
      }
    });

    it('the `workspaceGranted` pipeline runs once each time a workspace gets access, even if the event comes before the install', async (t) => {
      const { lines, moments, lists } = diary();
      const stage = await setStage(t, { engine, ...lists });
      const { enterpriseId } = stage.sandbox.workspace('Initech Product');
      const query = { enterpriseId, isEnterpriseInstall: true };
      const grant = (teamIds: string[], changedAt = stage.now(), granted = true) =>
        stage.store.recordTeamAccess(query, { teamIds, granted, changedAt });
      await grant(['T1']);
      const { installationId } = await stage.install({ orgWide: true, workspace: 'Initech Product' });
      await grant(['T1', 'T2']);
      const repeatedAt = stage.now() + 5000;
      await grant(['T2'], repeatedAt);
      await grant(['T5'], repeatedAt);
      await workAll(stage);
      const teams = () =>
        moments()
          .map((line) => (line as { teamId: string }).teamId)
          .sort();
      assert.deepEqual([lines[0], teams()], ['installed 1', ['T1', 'T2', 'T5']]);

      await stage.pass(30_000);
      await stage.store.deleteInstallation(query);
      await stage.pass(60_000);
      await grant(['T3'], stage.now() - 61_000);
      await stage.install({ orgWide: true, workspace: 'Initech Product' });
      await workAll(stage);
      await grant(['T1', 'T4'], stage.now() - 61_000);
      await workAll(stage);
      assert.deepEqual(teams(), ['T1', 'T2', 'T5'], 'what was granted in the life before starts nothing');
      const lineCount = (await readHistory(stage.database.queries, installationId, 100)).length;
      assert.equal(await grant(['T5'], repeatedAt), false, 'the same event again');
      assert.equal((await readHistory(stage.database.queries, installationId, 100)).length, lineCount);

      // The uninstall ended T1's access, although Slack reports no revocation. So this grant is a new one.
      await grant(['T1']);
      await grant(['T2'], stage.now(), false);
      await grant(['T2'], stage.now() + 1000);
      await workAll(stage);
      assert.deepEqual(teams(), ['T1', 'T1', 'T2', 'T2', 'T5']);
    });

    it('an `opened` run waits for the install’s run to end, unless the install’s run is waiting for a person’s answer', async (t) => {
      const { lines, lists } = diary();
      let isLimited = true;
      const slow = step('slow', async () => (isLimited ? retryIn(1000) : null));
      const asking = step('asking', async ({ answer }) =>
        answer === undefined ? ask({ id: 'q', text: 'Which?', input: { type: 'text' } }) : null,
      );
      const stage = await setStage(t, { engine, ...lists, steps: [...lists.steps, slow, asking] });
      const acme = await stage.install();
      await workAll(stage);
      await open(stage, acme, 'U2');
      const [behind] = await momentRuns(stage, acme);
      assert.equal(behind?.waitingFor, acme.runId);
      assert.equal(await retryRun(stage.database, behind?.id ?? '', { now: stage.now() }), 'going');

      // A reinstall starts a new install run, and from then on the `opened` run waits for that one.
      const again = await stage.install();
      await workAll(stage);
      assert.equal((await momentRuns(stage, acme))[0]?.waitingFor, again.runId);
      assert.deepEqual(lines, ['installed 1', 'installed 1']);

      isLimited = false;
      await stage.pass(1000);
      await workAll(stage);
      assert.equal((await stage.run(again.runId)).waitingFor, 'answer');
      assert.equal(lines.length, 3);
      await open(stage, acme, 'U3');
      await workAll(stage);
      assert.equal(lines.length, 4);
      const key = { runId: again.runId, stepName: 'asking', questionId: 'q' };
      const { installationId, userId } = acme;
      const given = { installationId, userId, isAllowed: true, answer: 'this', now: stage.now() };
      assert.equal((await answerQuestion(stage.database, key, given)).outcome, 'answered');
      await workAll(stage);
      assert.equal((await stage.run(again.runId)).status, 'succeeded');
    });

    it('if an `opened` run asks a question and Slack refuses the DM, the step fails, since App Home does not show the question', async (t) => {
      const asking = step('asking', async ({ answer }) =>
        answer === undefined ? ask({ id: 'q', text: 'Which?', input: { type: 'text' } }) : answer,
      );
      const stage = await setStage(t, { engine, steps: [], momentSteps: { opened: [asking] } });
      const acme = await stage.install();
      await open(stage, acme, stage.sandbox.person('Acme', 'admin').id);
      const failure = { type: 'error', error: 'messages_tab_disabled' } as const;
      stage.sandbox.faults.add({ method: 'chat.postMessage', failure });
      await workAll(stage);
      const [run] = await momentRuns(stage, acme);
      assert.deepEqual([run?.status, run?.steps[0]?.errorCode], ['failed', 'messages_tab_disabled']);
    });

    it('after a reinstall, the install run and an `opened` run wait until the previous install’s uninstall run has ended', async (t) => {
      const { lines, lists } = diary();
      let isBlocked = true;
      const cleanUp = step('clean-up', async () => (isBlocked ? retryIn(1000) : lines.push('cleaned up')));
      const stage = await setStage(t, { engine, ...lists, uninstallSteps: [cleanUp] });
      const acme = await stage.install();
      await workAll(stage);
      await stage.store.deleteInstallation({ teamId: acme.teamId });
      await stage.pass(1000);
      await stage.install();
      await open(stage, acme, 'U2');
      await workAll(stage);
      assert.equal(lines.length, 1);
      isBlocked = false;
      await stage.pass(1000);
      await workAll(stage);
      assert.deepEqual(
        lines.map((line) => (typeof line === 'string' ? line : 'opened')),
        ['installed 1', 'cleaned up', 'installed 2', 'opened'],
      );
    });

    it('an uninstall cancels all waiting `opened` runs, even if there are tens of thousands', async (t) => {
      const asking = step('asking', async () => ask({ id: 'q', text: 'Which?', input: { type: 'text' } }));
      const stage = await setStage(t, { engine, steps: [], momentSteps: { opened: [asking] } });
      const acme = await stage.install();
      const openerId = stage.sandbox.person('Acme', 'admin').id;
      await open(stage, acme, openerId);
      await workAll(stage);
      const { queries } = stage.database;
      // One more than the number of values that the engine accepts in a statement.
      const most = engine === 'SQLite' ? 32_767 : 65_536;
      const columns = sql`pipeline, installation_id, life, status, created_at, waiting_for`;
      // Inserts in several statements: on a busy machine, a single one would exceed the statement time limit.
      for (let from = 1; from <= most; from += 8192) {
        const to = Math.min(from + 8191, most);
        await sql`insert into runs (id, user_id, ${columns})
          with recursive numbers (n) as
            (select ${sql.lit(from)} union all select n + 1 from numbers where n < ${sql.lit(to)})
          select 'run_many_' || n, 'UM' || n, ${columns} from runs, numbers where runs.installation_id = ${acme.installationId} and runs.user_id = ${openerId}`.execute(
          queries,
        );
      }
      assert.equal(await stage.store.deleteInstallation({ teamId: acme.teamId }), true);
      const left = queries.selectFrom('runs').where('installation_id', '=', acme.installationId);
      assert.deepEqual(
        await left.where('status', 'in', ['queued', 'running', 'waiting']).select('id').limit(1).execute(),
        [],
      );
      const [behind] = await momentRuns(stage, acme);
      assert.equal(behind?.status, 'cancelled');
    });

    it('an uninstall cancels a waiting `opened` run, but a reinstall does not', async (t) => {
      const { moments, lists } = diary();
      const rest = step('rest', async () => retryIn(60_000));
      const stage = await setStage(t, {
        ...{ engine, steps: lists.steps },
        momentSteps: { ...lists.momentSteps, opened: [rest, ...lists.momentSteps.opened] },
      });
      const acme = await stage.install();
      const globex = await stage.install({ workspace: 'Globex' });
      for (const place of [acme, globex]) await open(stage, place, 'U2');
      await workAll(stage);
      await stage.install();
      await workAll(stage);
      assert.equal((await momentRuns(stage, acme))[0]?.status, 'waiting');
      await stage.store.deleteInstallation({ teamId: acme.teamId });
      const [cancelled] = await momentRuns(stage, acme);
      assert.deepEqual(
        [cancelled?.status, cancelled?.steps.map(({ status, errorCode }) => [status, errorCode])],
        [
          'cancelled',
          [
            ['skipped', 'run_cancelled'],
            ['skipped', 'run_cancelled'],
          ],
        ],
      );
      assert.equal(
        await retryRun(stage.database, cancelled?.id ?? '', { now: stage.now() }),
        'not-installed',
      );
      assert.equal((await momentRuns(stage, globex))[0]?.status, 'waiting');
      assert.deepEqual(moments(), []);
    });

    it('a failed `opened` run changes neither the install’s run nor the history, and queues no notice to operators', async (t) => {
      const { lists } = diary();
      let fails = true;
      const broken = step('broken', async (context) => {
        if (fails) throw new StepError('prompts_refused', 'Slack refused', { final: true });
        return context.output(lists.steps[0] as Step);
      });
      const stage = await setStage(t, { engine, steps: lists.steps, momentSteps: { opened: [broken] } });
      const acme = await stage.install();
      await workAll(stage);
      const { queries } = stage.database;
      const { installationId } = acme;
      const before = await readHistory(queries, installationId, 50);
      await open(stage, acme, 'U2');
      await workAll(stage);
      const [run] = await momentRuns(stage, acme);
      assert.deepEqual([run?.status, run?.steps[0]?.errorCode], ['failed', 'prompts_refused']);
      assert.equal((await readInstallRecord(queries, installationId))?.run?.id, acme.runId);
      assert.deepEqual(await readHistory(queries, installationId, 50), before);
      const notices = await queries
        .selectFrom('operator_notices')
        .select('kind')
        .where('installation_id', '=', installationId)
        .execute();
      assert.deepEqual(notices, []);

      fails = false;
      assert.equal(await retryRun(stage.database, run?.id ?? '', { now: stage.now() }), 'queued');
      await workAll(stage);
      assert.equal((await stage.run(run?.id ?? '')).status, 'succeeded');
    });

    it('when a held installation works again, Foyer repeats its install run and then its failed `opened` runs, but not the runs of erased people', async (t) => {
      const lines: string[] = [];
      let isSuspended = true;
      const call = () => {
        if (isSuspended) throw new StepError('account_inactive', 'Slack is closed', { final: true });
      };
      const installing = step('installing', async () => {
        call();
        lines.push('installing');
        return 'ready';
      });
      const greet = step('greet', async ({ userId, output }) => {
        call();
        lines.push(`${userId} ${output(installing)}`);
        return null;
      });
      const stage = await setStage(t, { engine, steps: [installing], momentSteps: { opened: [greet] } });
      const acme = await stage.install();
      const { installationId, teamId } = acme;
      for (const userId of ['U2', 'U3']) await open(stage, acme, userId);
      await workAll(stage);
      assert.equal(await stage.store.markBroken(installationId, 'account_inactive'), true);
      const person = { clientId: stage.config.slack.clientId, teamId, userId: 'U3', now: stage.now() };
      await stage.database.write((tx) => erasePerson(tx, person));

      isSuspended = false;
      const { version = 0 } = (await stage.store.readInstallation(installationId)) ?? {};
      assert.equal(await stage.store.markWorking(installationId, version), true);
      await workAll(stage);
      assert.deepEqual(lines, ['installing', 'U2 ready']);
    });

    it('an `opened` run resumes at its first unfinished step if the process dies halfway', async (t) => {
      const calls: string[] = [];
      const inSecond = signal();
      let dead = false;
      const first = step('first', async () => calls.push('first'));
      const second = step('second', async () => {
        calls.push('second');
        if (!dead) {
          dead = true;
          inSecond.reach();
        }
        return null;
      });
      const stage = await setStage(t, { engine, steps: [], momentSteps: { opened: [first, second] } });
      const acme = await stage.install();
      await workAll(stage);
      await open(stage, acme, 'U2');
      void stage.work({ database: mortal(stage.database, () => dead) });
      await inSecond.reached;
      await stage.pass(31_000);
      await workAll(stage);
      assert.deepEqual(calls, ['first', 'second', 'second']);
      assert.equal((await momentRuns(stage, acme))[0]?.status, 'succeeded');
    });

    it('Foyer starts no `upgraded` or `opened` run if the app defines no steps for it', async (t) => {
      const stage = await setStage(t, { engine, steps: diary().lists.steps });
      const acme = await stage.install({ scopes: fewer });
      await stage.install();
      assert.equal(await open(stage, acme, 'U2'), false);
      assert.deepEqual(await momentRuns(stage, acme), []);
    });
  });
}
