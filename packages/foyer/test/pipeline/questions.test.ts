import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type KyselyPlugin, sql } from 'kysely';
import { erasePerson } from '../../src/database/people/erase-person.ts';
import { listQuestions } from '../../src/database/questions.ts';
import { answerQuestion } from '../../src/pipeline/questions.ts';
import { retryRun } from '../../src/pipeline/retry-run.ts';
import { type ActingStep, ask, StepError } from '../../src/pipeline/step.ts';
import { engines } from '../support/open-test-database.ts';
import { mortal, type PipelineStage, setStage } from './pipeline-stage.ts';

const title = { todo: 'Choose a plan', doing: 'Choosing a plan' };
const day = 24 * 3_600_000;
const options = [
  { value: 'free', label: 'Free' },
  { value: 'team', label: 'For a team' },
];

/** A step that asks for the plan and returns it. */
function choosePlan(limits: { timeLimitMs?: number } = {}): ActingStep {
  return {
    name: 'choose-plan',
    title,
    async run({ answer }) {
      const input = { type: 'choice', options } as const;
      return answer ?? ask({ id: 'plan', text: 'Which plan?', input, ...limits });
    },
  };
}

type Install = Awaited<ReturnType<PipelineStage['install']>>;
const textsIn = (stage: PipelineStage, install: Install): string[] =>
  stage.sandbox.messages(install).flatMap(({ text }) => text ?? []);
const keyOf = (install: Install) => ({
  runId: install.runId,
  stepName: 'choose-plan',
  questionId: 'plan',
});

/** Finishes the run and returns the output of its step. */
async function outputOf(stage: PipelineStage, { runId }: Install): Promise<unknown> {
  const { status } = await stage.finish(runId);
  assert.equal(status, 'succeeded');
  const rows = await stage.database.queries
    .selectFrom('steps')
    .select('output')
    .where('run_id', '=', runId)
    .execute();
  return JSON.parse(rows[0]?.output ?? 'null');
}

async function answer(
  stage: PipelineStage,
  install: Install,
  given: { answer?: string; userId?: string; isAllowed?: boolean; installationId?: string } = {},
) {
  const { installationId, userId } = install;
  const whole = { installationId, userId, isAllowed: true, answer: 'team', now: stage.now(), ...given };
  return (await answerQuestion(stage.database, keyOf(install), whole)).outcome;
}

/** Resolves once a transaction waits for the lock of another transaction. On SQLite, resolves immediately. */
async function isWaitedFor({ database }: PipelineStage, engine: keyof typeof engines): Promise<void> {
  if (engine === 'SQLite') return;
  for (;;) {
    const { rows } = await sql<{ waits: number }>`
      select count(*)::int as waits from pg_stat_activity
      where datname = current_database() and wait_event_type = 'Lock'`.execute(database.queries);
    if ((rows[0]?.waits ?? 0) > 0) return;
  }
}

for (const engine of Object.keys(engines) as (keyof typeof engines)[]) {
  describe(`a step that asks a question, on ${engine}`, () => {
    it('a step that asks a question pauses its run, and runs again with the answer that its team gave', async (t) => {
      const stage = await setStage(t, { engine, steps: [choosePlan()] });
      const acme = await stage.install();
      const globex = await stage.install({ workspace: 'Globex' });
      await stage.work();
      for (const install of [acme, globex]) {
        const { status, waitingFor, dueAt } = await stage.run(install.runId);
        assert.deepEqual([status, waitingFor, dueAt], ['waiting', 'answer', stage.now() + day]);
        assert.equal(textsIn(stage, install).length, 1);
        assert.match(textsIn(stage, install)[0] ?? '', /has a question for you\..* Which plan\?/);
      }
      assert.equal(await stage.work(), 0);
      await stage.pass(3 * 3_600_000);
      assert.equal(await answer(stage, acme), 'answered');
      assert.equal(await outputOf(stage, acme), 'team');
      assert.equal((await stage.run(globex.runId)).status, 'waiting');
      assert.equal(await answer(stage, globex, { answer: 'free' }), 'answered');
      assert.equal(await outputOf(stage, globex), 'free');
    });

    it('a question accepts only the first valid answer, and only from a person of the same installation who is allowed to answer', async (t) => {
      const stage = await setStage(t, { engine, steps: [choosePlan()] });
      const acme = await stage.install();
      const globex = await stage.install({ workspace: 'Globex' });
      await stage.work();
      const { installationId } = globex;
      assert.equal(await answer(stage, acme, { installationId }), 'unknown');
      assert.equal(await answer(stage, acme, { userId: 'U0OTHER', isAllowed: false }), 'denied');
      assert.equal(await answer(stage, acme, { answer: 'gold' }), 'invalid');
      assert.equal(await answer(stage, acme, { answer: '' }), 'invalid');
      assert.equal((await stage.run(acme.runId)).status, 'waiting');
      assert.equal(await answer(stage, acme, { isAllowed: false }), 'answered');
      assert.equal(await answer(stage, acme, { answer: 'free' }), 'answered-before');
      assert.equal(await outputOf(stage, acme), 'team');
      assert.equal(await answer(stage, acme, { answer: 'free' }), 'answered-before');
      const [stored] = await listQuestions(stage.database.queries, acme);
      assert.deepEqual([stored?.answer, stored?.answeredBy], ['team', acme.userId]);
    });

    it('if Slack refuses a question’s message and the step is retried days later, the time limit starts then, and no reminder comes with the question', async (t) => {
      const stage = await setStage(t, { engine, steps: [choosePlan({ timeLimitMs: 2 * day })] });
      const acme = await stage.install();
      const failure = { type: 'error', error: 'account_inactive' } as const;
      stage.sandbox.faults.add({ method: 'conversations.open', failure });
      assert.equal((await stage.finish(acme.runId)).status, 'failed');
      for (const days of [1.5, 3]) {
        await stage.pass(days * day);
        if (days < 3) stage.sandbox.faults.add({ method: 'conversations.open', failure });
        assert.equal(await retryRun(stage.database, acme.runId, { now: stage.now() }), 'queued');
        await stage.work();
      }
      const { status, dueAt } = await stage.run(acme.runId);
      assert.deepEqual([status, dueAt], ['waiting', stage.now() + day]);
      assert.equal(textsIn(stage, acme).length, 1);
      await stage.pass(day);
      assert.equal(await answer(stage, acme), 'answered');
      assert.equal(await outputOf(stage, acme), 'team');
    });

    it('an org-wide install asks its question as soon as a workspace grants access', async (t) => {
      const stage = await setStage(t, { engine, steps: [choosePlan()] });
      const org = { workspace: 'Initech Product', orgWide: true };
      const install = await stage.install(org);
      const { enterpriseId, id: teamId } = stage.sandbox.workspace(org.workspace);
      const grant = async () => {
        const place = { enterpriseId: enterpriseId ?? '', teamIds: [teamId] };
        await stage.sandbox.grantAccess(place);
        const access = { teamIds: [teamId], granted: true, changedAt: stage.now() };
        await stage.store.recordTeamAccess({ enterpriseId, isEnterpriseInstall: true }, access);
      };
      await stage.work();
      assert.deepEqual(textsIn(stage, install), []);
      await stage.pass(1000);
      await grant();
      while ((await stage.work()) > 0);
      assert.equal(textsIn(stage, install).length, 1);
      assert.equal((await stage.run(install.runId)).waitingFor, 'answer');

      // After a new install, the workspace grants access just after Slack has refused the question's message.
      await stage.pass(1000);
      await stage.store.deleteInstallation({ enterpriseId, isEnterpriseInstall: true });
      await stage.pass(1000);
      const again = await stage.install(org);
      const failure = { type: 'error', error: 'team_access_not_granted' } as const;
      stage.sandbox.faults.add({ method: 'conversations.open', failure });
      const slackClient: typeof stage.deps.slackClient = (...given) => {
        const client = stage.deps.slackClient(...given);
        const { open } = client.conversations;
        client.conversations.open = (...asked) => open(...asked).finally(grant);
        return client;
      };
      await stage.work({ slackClient });
      while ((await stage.work()) > 0);
      assert.equal((await stage.run(again.runId)).waitingFor, 'answer');
      assert.equal(textsIn(stage, again).length, 2);
    });

    it('Foyer refuses an answer that contains U+0000, since Postgres cannot store it', async (t) => {
      const step = {
        ...choosePlan(),
        run: async () => ask({ id: 'plan', text: 'Why?', input: { type: 'text' } }),
      };
      const stage = await setStage(t, { engine, steps: [step] });
      const acme = await stage.install();
      await stage.work();
      assert.equal(await answer(stage, acme, { answer: 'a\0b' }), 'invalid');
    });

    it('a question accepts only one of two simultaneous answers', async (t) => {
      const stage = await setStage(t, { engine, steps: [choosePlan()] });
      const acme = await stage.install();
      await stage.work();
      const outcomes = await Promise.all([answer(stage, acme), answer(stage, acme, { answer: 'free' })]);
      assert.deepEqual(outcomes.toSorted(), ['answered', 'answered-before']);
    });

    it('a run continues at once if the answer comes while its question is being posted', async (t) => {
      const stage = await setStage(t, { engine, steps: [choosePlan()] });
      const acme = await stage.install();
      let outcome: string | undefined;
      await stage.work({
        database: {
          ...stage.database,
          async write(work, patienceMs) {
            if (textsIn(stage, acme).length > 0) outcome ??= await answer(stage, acme);
            return stage.database.write(work, patienceMs);
          },
        },
      });
      assert.equal(outcome, 'answered');
      assert.equal((await stage.run(acme.runId)).status, 'succeeded');
      assert.equal(await outputOf(stage, acme), 'team');
    });

    it('a run gets an answer that is stored just as the run begins to wait for it', async (t) => {
      const stage = await setStage(t, { engine, steps: [choosePlan()] });
      const acme = await stage.install();
      const moved = Promise.withResolvers<void>();
      let outcome: Promise<string> | undefined;
      let writes = 0;
      const looked = Promise.withResolvers<void>();
      // Slows down the transaction that stores the person's answer. After each query, the transaction pauses until the
      // write that ends the step's attempt has finished or is waiting for a lock.
      const pause: KyselyPlugin = {
        transformQuery: ({ node }) => node,
        async transformResult({ result }) {
          looked.resolve();
          await Promise.race([moved.promise, isWaitedFor(stage, engine)]);
          return result;
        },
      };
      const slow: typeof stage.database = {
        ...stage.database,
        write: (work, patienceMs) => stage.database.write((tx) => work(tx.withPlugin(pause)), patienceMs),
      };
      await stage.work({
        database: {
          ...stage.database,
          async write(work, patienceMs) {
            // After the message is posted, the first write records the message, and the second write ends the attempt.
            if (textsIn(stage, acme).length > 0) writes += 1;
            if (writes !== 2) return stage.database.write(work, patienceMs);
            outcome = answer({ ...stage, database: slow }, acme);
            // SQLite has only one writer, so the answer has to be stored before the attempt can end.
            await (engine === 'SQLite' ? outcome : looked.promise);
            return stage.database.write(work, patienceMs).finally(moved.resolve);
          },
        },
      });
      assert.equal(await outcome, 'answered');
      assert.equal((await stage.run(acme.runId)).status, 'succeeded');
      assert.equal(await outputOf(stage, acme), 'team');
    });

    it('a step posts its question once, even if the process dies right after the post', async (t) => {
      const stage = await setStage(t, { engine, steps: [choosePlan()] });
      const acme = await stage.install();
      const posted = () => textsIn(stage, acme).length > 0;
      void stage.work({ database: mortal(stage.database, posted) });
      while (!posted()) await new Promise((next) => setImmediate(next));
      await stage.pass(31_000);
      while ((await stage.run(acme.runId)).waitingFor !== 'answer') {
        await stage.work();
        await stage.pass(1000);
      }
      assert.equal(textsIn(stage, acme).length, 1);
      assert.equal(await answer(stage, acme), 'answered');
      assert.equal((await stage.finish(acme.runId)).status, 'succeeded');
    });

    it('Foyer reminds the installer of an unanswered question once, after a day', async (t) => {
      const stage = await setStage(t, { engine, steps: [choosePlan()] });
      const acme = await stage.install();
      await stage.work();
      await stage.pass(day);
      assert.equal(await stage.work(), 1);
      assert.match(textsIn(stage, acme).join('\n'), /A reminder: /);
      assert.equal(textsIn(stage, acme).length, 2);
      const { waitingFor, dueAt } = await stage.run(acme.runId);
      assert.deepEqual([waitingFor, dueAt], ['answer', null]);
      await stage.pass(30 * day);
      assert.equal(await answer(stage, acme), 'answered');
      assert.equal(await outputOf(stage, acme), 'team');
    });

    it('a step is skipped if no one answers its question within the time limit', async (t) => {
      const stage = await setStage(t, { engine, steps: [choosePlan({ timeLimitMs: 60_000 })] });
      const acme = await stage.install();
      await stage.work();
      await stage.pass(60_000);
      assert.equal(await answer(stage, acme), 'closed');
      const run = await stage.finish(acme.runId);
      const [step] = run.steps;
      assert.deepEqual([run.status, step?.status, step?.errorCode], ['succeeded', 'skipped', 'unanswered']);
      assert.equal(textsIn(stage, acme).length, 1);
    });

    it('the question of a cancelled run accepts no answer', async (t) => {
      const stage = await setStage(t, { engine, steps: [choosePlan()] });
      const acme = await stage.install();
      await stage.work();
      await stage.store.deleteInstallation({ teamId: acme.teamId });
      assert.equal(await answer(stage, acme), 'closed');
      assert.equal((await stage.run(acme.runId)).status, 'cancelled');
    });

    it('a retried step asks its question again if the person who answered it has been erased', async (t) => {
      let isBlocked = true;
      const step: ActingStep = {
        ...choosePlan(),
        async run(context) {
          const answered = await choosePlan().run(context);
          if (context.answer !== undefined && isBlocked)
            throw new StepError('no_seats', 'There are no seats', { final: true });
          return answered;
        },
      };
      const stage = await setStage(t, { engine, steps: [step] });
      const acme = await stage.install();
      await stage.work();
      assert.equal(await answer(stage, acme, { userId: 'U0ADMIN' }), 'answered');
      assert.equal((await stage.finish(acme.runId)).status, 'failed');
      const { teamId } = acme;
      const person = { clientId: stage.config.slack.clientId, teamId, userId: 'U0ADMIN', now: stage.now() };
      await stage.database.write((tx) => erasePerson(tx, person));
      isBlocked = false;
      assert.equal(await retryRun(stage.database, acme.runId, { now: stage.now() }), 'queued');
      await stage.work();
      assert.equal((await stage.run(acme.runId)).waitingFor, 'answer');
      assert.equal(textsIn(stage, acme).length, 2);
      assert.equal(await answer(stage, acme, { answer: 'free' }), 'answered');
      assert.equal(await outputOf(stage, acme), 'free');
    });

    it('a run waits for the answer even if Slack refuses the DM with the question', async (t) => {
      const stage = await setStage(t, { engine, steps: [choosePlan()] });
      const acme = await stage.install();
      const failure = { type: 'error', error: 'messages_tab_disabled' } as const;
      stage.sandbox.faults.add({ method: 'chat.postMessage', failure });
      await stage.work();
      assert.equal((await stage.run(acme.runId)).waitingFor, 'answer');
    });

    it('a step can ask several questions one after another, but fails if it asks an answered question again', async (t) => {
      const input = { type: 'text' } as const;
      const both: ActingStep = {
        name: 'choose-plan',
        title,
        async run({ answers }) {
          const { plan, name } = answers;
          if (plan === undefined) return ask({ id: 'plan', text: 'Which plan?', input });
          return name === undefined ? ask({ id: 'name', text: 'Whose?', input }) : `${plan} for ${name}`;
        },
      };
      const again: ActingStep = {
        ...choosePlan(),
        run: async () => ask({ id: 'plan', text: 'Again?', input }),
      };
      for (const [step, expected] of [
        [both, 'team for Ada'],
        [again, 'asked_again'],
      ] as const) {
        const stage = await setStage(t, { engine, steps: [step] });
        const acme = await stage.install();
        await stage.work();
        assert.equal(await answer(stage, acme), 'answered');
        await stage.work();
        if (step === both) {
          const key = { ...keyOf(acme), questionId: 'name' };
          const { installationId, userId } = acme;
          const given = { installationId, userId, isAllowed: true, answer: ' Ada ', now: stage.now() };
          assert.equal((await answerQuestion(stage.database, key, given)).outcome, 'answered');
        }
        const [done] = (await stage.finish(acme.runId)).steps;
        assert.equal(done?.errorCode ?? (await outputOf(stage, acme)), expected);
      }
    });
  });
}

it('depending on its type, a question accepts only a channel id or only a text of 1 to 3,000 characters', async (t) => {
  const cases = [
    { input: { type: 'channel' }, bad: ['', 'general', 'U0123', 'C1'], good: 'C0123ABC' },
    { input: { type: 'text' }, bad: ['', ' \n', 'x'.repeat(3001)], good: 'x'.repeat(3000) },
  ] as const;
  for (const { input, bad, good } of cases) {
    const step: ActingStep = {
      ...choosePlan(),
      run: async (context) => context.answer ?? ask({ id: 'plan', text: 'Where?', input }),
    };
    const stage = await setStage(t, { steps: [step] });
    const acme = await stage.install();
    await stage.work();
    for (const wrong of bad) assert.equal(await answer(stage, acme, { answer: wrong }), 'invalid', wrong);
    assert.equal(await answer(stage, acme, { answer: good }), 'answered');
    assert.equal(await outputOf(stage, acme), good);
  }
});

it('a question can have a hundred options of the maximum length that Slack allows, even in Japanese', async (t) => {
  const many = Array.from({ length: 100 }, (_, n) => {
    const number = String(n).padStart(3, '0');
    return { value: number.padEnd(150, '値'), label: number.padEnd(75, '名') };
  });
  const input = { type: 'choice', options: many } as const;
  const step: ActingStep = {
    ...choosePlan(),
    run: async (context) => context.answer ?? ask({ id: 'plan', text: 'Which?', input }),
  };
  const stage = await setStage(t, { steps: [step] });
  const acme = await stage.install();
  await stage.work();
  const last = many[99]?.value ?? '';
  assert.equal(await answer(stage, acme, { answer: last }), 'answered');
  assert.equal(await outputOf(stage, acme), last);
});

it('a step fails if two options of its question have the same value', async (t) => {
  const twice = [...options, { value: 'free', label: 'Free again' }];
  const input = { type: 'choice', options: twice } as const;
  const step: ActingStep = { ...choosePlan(), run: async () => ask({ id: 'plan', text: 'Which?', input }) };
  const stage = await setStage(t, { steps: [step] });
  const acme = await stage.install();
  const [failed] = (await stage.finish(acme.runId)).steps;
  assert.deepEqual([failed?.status, failed?.errorCode], ['failed', 'invalid_question']);
  assert.match(failed?.errorMessage ?? '', /two options have the same value/);
});
